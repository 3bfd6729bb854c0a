// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// lineAt is a raw event of a batch.
type lineAt struct {
	at   time.Time
	peer string
	text string
}

func timedBatch(first uint64, lines ...lineAt) *event.Batch {
	b := event.NewBuilder("listener/udp", 7)
	for i, l := range lines {
		b.Begin(first+uint64(i), 0)
		b.Str(event.EventOriginal, l.text)
		b.Time(event.EventCreated, l.at.UnixNano())
		b.IPs(event.ObserverIP, netip.MustParseAddr(l.peer))
		b.Str(event.HaidangListener, "udp")
		b.Str(event.HaidangSite, "tinh")
		b.Str(event.HaidangFormat, "syslog")
		b.End()
	}
	return b.Batch(first, first+uint64(len(lines)))
}

// utcLines are lines of a sender whose clock shows UTC, ten seconds apart.
func utcLines(n int, peer, host string) (list []lineAt) {
	for i := range n {
		at := received.Add(time.Duration(i) * 10 * time.Second)
		list = append(list, lineAt{at, peer, fmt.Sprintf("<13>%s %s app: dòng %d", at.UTC().Format(time.Stamp), host, i)})
	}
	return list
}

// TestWriterZones wants the times of a sender in another zone to be right once that is known, and the decision to be
// told once, even where the batch has to be written again.
func TestWriterZones(t *testing.T) {
	var told []Decision
	next := &kept{}
	w := &Writer{Set: New(Config{}), Next: next,
		Zones: NewZones(ZonesConfig{Decided: func(d Decision) { told = append(told, d) }})}
	lines := utcLines(20, "10.20.1.2", "may-chu")
	write := func(i int) error { return w.Write(context.Background(), timedBatch(uint64(i), lines[i])) }
	for i := range 12 {
		if err := write(i); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 0 {
		t.Fatalf("%d decisions in two minutes", len(told))
	}
	next.err = errors.New("full")
	if err := write(12); err == nil {
		t.Fatal("no error")
	}
	next.err = nil
	for i := 12; i < 20; i++ {
		if err := write(i); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 1 {
		t.Fatalf("%d decisions", len(told))
	}
	d := told[0]
	if want := (Decision{Sender: Sender{Site: "tinh", Peer: netip.MustParseAddr("10.20.1.2")}, Host: "may-chu",
		Listener: "udp", Received: d.Received, Configured: defaultZone}); d != want || !d.Received.Equal(lines[12].at) {
		t.Errorf("decided %+v", d)
	}
	if m := d.Text(); !strings.Contains(m, "Nguồn 10.20.1.2 ") || !strings.Contains(m, "UTC+00:00") ||
		d.Zone() != "+00:00" {
		t.Errorf("%q, %q", m, d.Zone())
	}
	for i, b := range next.batches {
		off, zone := 7*time.Hour, ""
		if i >= 12 {
			off, zone = 0, "+00:00"
		}
		if got := b.At(0); b.Len() != 1 || got.Created()-got.Time() != int64(off) || got.Text(event.EventTimezone) != zone {
			t.Errorf("line %d is %v off, in zone %q", i, time.Duration(got.Created()-got.Time()),
				got.Text(event.EventTimezone))
		}
	}
}

// TestWriterZonesFixed wants a zone that the configuration states never to be overridden.
func TestWriterZonesFixed(t *testing.T) {
	next := &kept{}
	var told []Decision
	w := &Writer{Set: New(Config{}), Next: next, Zones: NewZones(ZonesConfig{
		Decided: func(d Decision) { told = append(told, d) },
		Fixed:   func(p netip.Addr) bool { return p == netip.MustParseAddr("10.20.1.2") }})}
	lines := append(utcLines(40, "10.20.1.2", "a"), utcLines(40, "10.20.1.3", "a")...)
	if err := w.Write(context.Background(), timedBatch(0, lines...)); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].Sender.Peer != netip.MustParseAddr("10.20.1.3") {
		t.Errorf("decided %v", told)
	}
	if s := w.Zones.Stats(); s.Origins != 1 || s.Elsewhere != 1 {
		t.Errorf("%+v", s)
	}
}

// TestWriterZonesRelay wants each host behind a relay to have its own zone.
func TestWriterZonesRelay(t *testing.T) {
	next := &kept{}
	var told []Decision
	w := &Writer{Set: New(Config{}), Next: next, Zones: NewZones(ZonesConfig{
		Decided: func(d Decision) { told = append(told, d) },
		Relay:   func(p netip.Addr) bool { return p == netip.MustParseAddr("10.20.1.2") }})}
	var lines []lineAt
	for i, l := range utcLines(40, "10.20.1.2", "máy-ngoài") {
		here := fmt.Sprintf("<13>%s may-trong app: %d", l.at.In(defaultZone).Format(time.Stamp), i)
		lines = append(lines, l, lineAt{l.at, l.peer, here})
	}
	if err := w.Write(context.Background(), timedBatch(0, lines...)); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || !strings.Contains(told[0].Text(), "10.20.1.2 máy-ngoài") {
		t.Fatalf("decided %v", told)
	}
	last, here := next.batches[0].At(next.batches[0].Len()-2), next.batches[0].At(next.batches[0].Len()-1)
	if last.Time() != last.Created() || here.Time() != here.Created() {
		t.Errorf("times are off: %v, %v", last.Created()-last.Time(), here.Created()-here.Time())
	}
}

// TestWriterZonesBare wants the time of a line without header to be read in the zone that is known of its sender.
func TestWriterZonesBare(t *testing.T) {
	next := &kept{}
	peer := netip.MustParseAddr("10.20.1.2")
	w := &Writer{Set: New(Config{}), Next: next,
		Zones: NewZones(ZonesConfig{Known: map[Sender]int{{Site: "tinh", Peer: peer}: 0}})}
	if err := w.Write(context.Background(), timedBatch(0, lineAt{received, "10.20.1.2", received.UTC().Format(
		"2006/01/02 15:04:05") + ` [error] 8#8: *914 open() "/srv/Đề án" failed (2: No such file), client: 203.0.113.9`}),
	); err != nil {
		t.Fatal(err)
	}
	if e := next.batches[0].At(0); e.Text(event.EventDataset) != "nginx.error" || e.Time() != e.Created() {
		t.Errorf("%s is %v off", e.Text(event.EventDataset), time.Duration(e.Created()-e.Time()))
	}
}

// TestWriterZonesStated wants times that name their zone to be neither evidence nor changed.
func TestWriterZonesStated(t *testing.T) {
	next := &kept{}
	w := &Writer{Set: New(Config{}), Next: next, Zones: NewZones(ZonesConfig{})}
	var lines []lineAt
	for _, l := range utcLines(40, "10.20.1.2", "a") {
		l.text = "<13>1 " + l.at.UTC().Format(time.RFC3339) + " a app - - - xin chào"
		lines = append(lines, l)
	}
	if err := w.Write(context.Background(), timedBatch(0, lines...)); err != nil {
		t.Fatal(err)
	}
	if s := w.Zones.Stats(); s != (ZoneStats{}) {
		t.Errorf("%+v", s)
	}
	for e := range next.batches[0].Events() {
		if e.Time() != e.Created() {
			t.Fatalf("%v off", e.Created()-e.Time())
		}
	}
}
