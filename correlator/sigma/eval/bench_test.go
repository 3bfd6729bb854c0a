// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/event"
)

// logEvents makes events as the decoders do: an SSH login, a web request, a denied connection and a flow, 23 fields or so.
func logEvents() []Event {
	b := event.NewBuilder("bench", 0)
	begin := func(n uint64, original, module, dataset string) {
		b.Begin(n, 0)
		at := time.Date(2026, 11, 29, 2, 10, int(n), 0, time.UTC).UnixNano()
		b.Time(event.Timestamp, at)
		b.Time(event.EventCreated, at)
		b.Str(event.EventOriginal, original)
		b.Str(event.EventModule, module)
		b.Str(event.EventDataset, dataset)
		b.Str(event.EventKind, "event")
		b.Str(event.HostName, "cong-dich-vu-01")
		b.IP(event.ObserverIP, netip.MustParseAddr("10.10.1.5"))
		b.Str(event.HaidangOrigin, "10.10.1.5")
		b.Str(event.HaidangSystemID, "dvc")
		b.Str(event.HaidangSystemName, "Cổng dịch vụ công")
		b.Int(event.HaidangLevel, 3)
		b.IP(event.SourceIP, netip.MustParseAddr("203.0.113.77"))
		b.Int(event.SourcePort, 50123)
		b.IP(event.DestinationIP, netip.MustParseAddr("10.10.1.5"))
	}
	begin(1, "<38>Nov 29 02:10:01 cong-dich-vu-01 sshd[4711]: Failed password for invalid user admin from 203.0.113.77 port 50123 ssh2",
		"linux", "linux.sshd")
	b.Str(event.Message, "Failed password for invalid user admin from 203.0.113.77 port 50123 ssh2")
	b.Str(event.EventAction, "ssh_login")
	b.Str(event.EventOutcome, "failure")
	b.Strs(event.EventCategory, "authentication")
	b.Str(event.UserName, "admin")
	b.Str(event.ProcessName, "sshd")
	b.Int(event.ProcessPID, 4711)
	b.End()
	begin(2, `203.0.113.77 - - [29/Nov/2026:02:10:02 +0700] "GET /wp-login.php HTTP/1.1" 404 153 "-" "Mozilla/5.0 (X11; Linux x86_64)"`,
		"nginx", "nginx.access")
	b.Str(event.HTTPRequestMethod, "GET")
	b.Str(event.URLPath, "/wp-login.php")
	b.Str(event.URLOriginal, "/wp-login.php")
	b.Int(event.HTTPResponseStatusCode, 404)
	b.Str(event.UserAgentOriginal, "Mozilla/5.0 (X11; Linux x86_64)")
	b.Strs(event.EventCategory, "web")
	b.End()
	begin(3, "<4>Nov 29 02:10:03 fw kernel: [UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.77 DST=10.10.1.5 LEN=60 PROTO=TCP SPT=50123 DPT=3389",
		"linux", "linux.netfilter")
	b.Str(event.EventAction, "firewall_deny")
	b.Str(event.EventOutcome, "failure")
	b.Strs(event.EventCategory, "network")
	b.Str(event.NetworkTransport, "tcp")
	b.Int(event.DestinationPort, 3389)
	b.End()
	begin(4, "", "netflow", "netflow.flow")
	b.Str(event.NetworkTransport, "tcp")
	b.Strs(event.EventCategory, "network")
	b.Int(event.DestinationPort, 443)
	b.Int(event.SourceBytes, 123456)
	b.Int(event.SourcePackets, 120)
	b.Int(event.NetworkBytes, 123456)
	b.End()
	batch := b.Batch(1, 5)
	var events []Event
	for ev := range batch.Events() {
		events = append(events, ev)
	}
	return events
}

// BenchmarkMatch measures one Match: the program's own rules over ordinary events of a province, the whole SigmaHQ
// corpus over the same, and the corpus over its own regression events.
func BenchmarkMatch(b *testing.B) {
	run := func(b *testing.B, s *Set, events []Event) {
		var sc Scratch
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			s.Match(events[i%len(events)], &sc)
			i++
		}
	}
	b.Run("own", func(b *testing.B) {
		c, err := sigma.Load(filepath.Join("..", "..", "..", "rules"))
		if err != nil || len(c.Rules) == 0 {
			b.Skipf("the program's rules are absent: %v", err)
		}
		m, err := DefaultMapping()
		if err != nil {
			b.Fatal(err)
		}
		s, _ := Compile(c.Rules, m)
		run(b, s, logEvents())
	})
	b.Run("sigmahq", func(b *testing.B) {
		_, s := sigmaHQ(b)
		run(b, s, logEvents())
	})
	b.Run("sigmahq-regression", func(b *testing.B) {
		root, s := sigmaHQ(b)
		var events []Event
		for _, c := range regressionCases(b, root) {
			f, err := os.Open(c.file)
			if err != nil {
				b.Fatal(err)
			}
			for doc, err := range Documents(f, 1) {
				if err == nil {
					events = append(events, doc.Event)
				}
			}
			f.Close()
		}
		run(b, s, events)
	})
}
