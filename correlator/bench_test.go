// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/decoders"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/rules"
)

// ordinary are lines of a night, with the host's number and a running one.
var ordinary = [...]string{
	"<86>Sep  2 02:10:05 srv-%d sshd[%d]: Accepted publickey for backup from 10.10.250.9 port 50022 ssh2: ED25519 SHA256:x",
	"<86>Sep  2 02:10:05 srv-%d sshd[%d]: Failed password for invalid user nguyễn from 198.51.100.7 port 40000 ssh2",
	"<30>Sep  2 02:10:05 srv-%d systemd[%d]: Started Session 12 of User an.",
	"<78>Sep  2 02:10:05 srv-%d CRON[%d]: (root) CMD (/usr/lib/sysstat/sa1 1 1)",
	"<85>Sep  2 02:10:05 srv-%d sudo[%d]: an : TTY=pts/0 ; PWD=/home/an ; USER=root ; COMMAND=/usr/bin/apt update",
	`<134>Sep  2 02:10:05 srv-%d nginx: 198.51.100.%d - - [02/Sep/2026:02:10:05 +0700] "GET /thu-tuc HTTP/1.1" 200 5123 "-" "M"`,
	`<134>Sep  2 02:10:05 srv-%d nginx: 198.51.100.%d - - [02/Sep/2026:02:10:05 +0700] "GET /anh.png HTTP/1.1" 404 153 "-" "M"`,
	"<4>Sep  2 02:10:05 srv-%d kernel: [UFW BLOCK] IN=eth0 OUT= SRC=198.51.100.%d DST=10.10.1.11 PROTO=TCP SPT=4 DPT=22",
}

// BenchmarkProcess runs records of 1,000 events of 1,000 hosts through our own rules; the figure is of one event.
func BenchmarkProcess(b *testing.B) {
	c, err := sigma.LoadFS(rules.FS, ".")
	if err != nil {
		b.Fatal(err)
	}
	set, refused := correlator.Compile(c)
	if len(refused) > 0 {
		b.Fatal(refused)
	}
	inv, err := asset.Load(asset.Config{Inventory: "../rules/inventory_test.yml"})
	if err != nil {
		b.Fatal(err)
	}
	e, err := correlator.New(correlator.Config{Rules: set, Policy: inv.Policy(), Inventory: inv})
	if err != nil {
		b.Fatal(err)
	}
	start := time.Date(2026, 9, 2, 2, 10, 5, 0, time.FixedZone("+07", 7*3600))
	lines := night(inv, start)
	b.ReportAllocs()
	seq := uint64(0)
	for n := 0; b.Loop(); n++ {
		if n%lines.Len() > 0 {
			continue
		}
		b.StopTimer()
		seq++
		clock := start.UnixNano() + int64(seq)*int64(10*time.Millisecond) // 100,000 events a second
		r := &spool.Record{At: spool.Position{Seq: seq}, Kind: spool.KindBatches, Clock: clock,
			Batches: []*event.Batch{at(lines, seq, clock)}}
		if seq%100 == 0 {
			r.Kind, r.Batches = spool.KindTick, nil
		}
		b.StartTimer()
		if _, err := e.Process(r); err != nil {
			b.Fatal(err)
		}
	}
}

// at returns the events once more, read at another time.
func at(lines *event.Batch, seq uint64, clock int64) *event.Batch {
	b := event.NewBuilder(lines.Source(), seq)
	for i := range lines.Len() {
		b.Begin(uint64(i), 0)
		id := b.ID()
		b.Copy(lines.At(i))
		b.SetID(id)
		b.Time(event.Timestamp, clock-int64(i)*1000)
		b.Time(event.EventCreated, clock)
		b.End()
	}
	return b.Batch(lines.First(), lines.Last())
}

func night(inv *asset.Inventory, start time.Time) *event.Batch {
	d := decoders.New(decoders.Config{})
	b := event.NewBuilder("listener/udp514", 1)
	for i := range 1000 {
		b.Begin(uint64(i), 0)
		line := ordinary[i%len(ordinary)]
		if i%100 != 1 && i%len(ordinary) == 1 {
			line = ordinary[0] // a failed password is rare
		}
		d.Decode(b, fmt.Appendf(nil, line, i, i%200), &decoders.Meta{Received: start, Site: "dc1",
			Peer: netip.AddrFrom4([4]byte{10, 10, byte(i >> 8), byte(i)})})
		inv.Enrich(b, "dc1")
		b.End()
	}
	return b.Batch(0, 1000)
}
