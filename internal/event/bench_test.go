// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"net/netip"
	"testing"

	"github.com/klauspost/compress/s2"
)

// fill sets 23 fields, those of a real sshd line once decoded and enriched.
func fill(b *Builder, i int) {
	b.Time(Timestamp, 1_790_000_000_000_000_000+int64(i))
	b.Time(EventCreated, 1_790_000_000_000_000_000+int64(i))
	b.Str(EventOriginal, "<38>Nov 24 02:10:00 dvc-web-01 sshd[4711]: Failed password for root from 203.0.113.9 port 40001")
	b.IP(ObserverIP, netip.AddrFrom4([4]byte{10, 10, 1, 11}))
	b.Str(HaidangListener, "udp514")
	b.Int(LogSyslogPriority, 38)
	b.Int(LogSyslogFacilityCode, 4)
	b.Int(LogSyslogSeverityCode, 6)
	b.Str(HostName, "dvc-web-01")
	b.Str(ProcessName, "sshd")
	b.Int(ProcessPID, 4711)
	b.Str(Message, "Failed password for root from 203.0.113.9 port 40001 ssh2")
	b.Str(EventKind, "event")
	b.Str(EventAction, "ssh_login")
	b.Str(EventOutcome, "failure")
	b.Str(EventDataset, "sshd")
	b.Strs(EventCategory, "authentication")
	b.Str(UserName, "root")
	b.IP(SourceIP, netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}))
	b.Int(SourcePort, 40001)
	b.Str(HaidangSystemID, "dvc")
	b.Int(HaidangLevel, 3)
	b.Str(HaidangSite, "dc1")
}

func batch(n int) *Batch {
	b := NewBuilder("listener/udp514", 1)
	for i := range n {
		b.Begin(uint64(i), 0)
		fill(b, i)
		b.End()
	}
	return b.Batch(0, uint64(n))
}

func perEvent(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/event")
}

func BenchmarkBuild(b *testing.B) {
	b.ReportAllocs()
	bld := NewBuilder("listener/udp514", 1)
	for b.Loop() {
		bld.Reset("listener/udp514", 1)
		for i := range 500 {
			bld.Begin(uint64(i), 0)
			fill(bld, i)
			bld.End()
		}
		bld.Batch(0, 500)
	}
	perEvent(b, 500)
}

func BenchmarkEncode(b *testing.B) {
	x := batch(500)
	var dst []byte
	for b.Loop() {
		dst = Encode(dst[:0], x)
	}
	perEvent(b, 500)
	b.ReportMetric(float64(len(dst))/500, "B/event")
}

func BenchmarkDecode(b *testing.B) {
	data := Encode(nil, batch(500))
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
	perEvent(b, 500)
}

func BenchmarkExpand(b *testing.B) {
	data := Encode(nil, batch(500))
	for b.Loop() {
		if _, err := s2.Decode(nil, data[8:]); err != nil {
			b.Fatal(err)
		}
	}
	perEvent(b, 500)
}

func BenchmarkGet(b *testing.B) {
	e := batch(1).At(0)
	for b.Loop() {
		if _, ok := e.Get(SourceIP); !ok {
			b.Fatal("no source.ip")
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	e := batch(1).At(0)
	var dst []byte
	for b.Loop() {
		dst = AppendJSON(dst[:0], e, false)
	}
}
