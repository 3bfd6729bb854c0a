// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/haidang-soc/haidang/internal/event"
)

// enrich builds one event from name=value pairs and returns what Enrich wrote, and source.ip if it changed.
func enrich(t testing.TB, inv *Inventory, site string, pairs ...string) map[string]string {
	t.Helper()
	b := event.NewBuilder("test", 1)
	b.Begin(1, 0)
	source := ""
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		id, ok := event.Intern(name)
		if !ok {
			t.Fatalf("no field %s", name)
		}
		switch a, err := netip.ParseAddr(value); {
		case name == "observer.ip":
			b.IPs(id, a)
		case err == nil && strings.HasSuffix(name, ".ip"):
			b.IP(id, a)
			if name == "source.ip" {
				source = value
			}
		default:
			b.Str(id, value)
		}
	}
	inv.Enrich(b, site)
	b.End()
	got := map[string]string{}
	for id, v := range b.Batch(1, 2).At(0).Fields() {
		name := id.Name()
		switch {
		case name == "haidang.inventory_version":
			if v.Str() != inv.Version() {
				t.Errorf("inventory version %q", v.Str())
			}
		case strings.HasPrefix(name, "haidang.") && !strings.HasPrefix(name, forwardedField) &&
			!strings.HasSuffix(name, ".name"):
			got[strings.TrimPrefix(name, "haidang.")] = v.String()
		case name == "source.ip" && v.String() != source:
			got["source.ip"] = v.String()
		}
	}
	return got
}

func TestEnrich(t *testing.T) {
	inv := mustLoad(t, small, "")
	type want = map[string]string
	for _, c := range []struct {
		name, site string
		in         []string
		want       want
	}{
		{"login from outside: the host stands for the destination", "dc1",
			[]string{"source.ip=198.51.100.9", "observer.ip=10.10.1.11", "host.name=whatever"},
			want{"system.id": "dvc", "level": "3", "unit.id": "ubnd stttt", "destination.system.id": "dvc",
				"destination.level": "3", "destination.zone": "dmz"}},
		{"login through a relay on this machine: the name speaks", "",
			[]string{"source.ip=198.51.100.9", "observer.ip=127.0.0.1", "host.name=dvc-web-01"},
			want{"system.id": "dvc", "level": "3", "unit.id": "ubnd stttt", "destination.system.id": "dvc",
				"destination.level": "3", "destination.zone": "dmz"}},
		{"a name is not believed over an address", "dc1",
			[]string{"observer.ip=10.20.0.11", "host.name=dvc-web-01"},
			want{"system.id": "kho", "level": "4", "level_status": "đề xuất", "unit.id": "stttt"}},
		{"the higher end counts", "dc1",
			[]string{"source.ip=10.10.1.11", "destination.ip=10.20.0.11", "observer.ip=10.10.0.1"},
			want{"system.id": "kho", "level": "4", "level_status": "đề xuất", "unit.id": "stttt ubnd",
				"source.system.id": "dvc", "source.level": "3", "source.zone": "dmz",
				"destination.system.id": "kho", "destination.level": "4"}},
		{"same levels: the destination", "dc1",
			[]string{"source.ip=10.10.0.1", "destination.ip=10.10.1.11"},
			want{"system.id": "dvc", "level": "3", "unit.id": "ubnd stttt", "source.system.id": "fw",
				"source.level": "3", "destination.system.id": "dvc", "destination.level": "3", "destination.zone": "dmz"}},
		{"neither end has one: the host that speaks", "dc1",
			[]string{"source.ip=198.51.100.9", "destination.ip=192.0.2.4", "observer.ip=10.10.0.1"},
			want{"system.id": "fw", "level": "3", "level_status": "mức hiệu lực", "unit.id": "stttt"}},
		{"inside and unclaimed", "dc1",
			[]string{"source.ip=10.10.250.7", "destination.ip=192.0.2.4", "observer.ip=10.10.0.1"},
			want{"system.id": "fw", "level": "3", "level_status": "chưa phân loại", "unit.id": "stttt",
				"source.level": "3", "source.zone": "quan-tri"}},
		{"equal levels: the end that a system claims", "dc1",
			[]string{"source.ip=10.10.0.1", "destination.ip=10.10.250.7"},
			want{"system.id": "fw", "level": "3", "level_status": "mức hiệu lực", "unit.id": "stttt",
				"source.system.id": "fw", "source.level": "3", "destination.level": "3", "destination.zone": "quan-tri"}},
		{"only a destination: the host stands for the source", "dc1",
			[]string{"destination.ip=198.51.100.9", "observer.ip=10.10.1.11"},
			want{"system.id": "dvc", "level": "3", "unit.id": "ubnd stttt", "source.system.id": "dvc",
				"source.level": "3", "source.zone": "dmz"}},
		{"behind a relay of ours the name goes before the address", "dc1",
			[]string{"observer.ip=10.10.1.5", "host.name=web-01"},
			want{"system.id": "kho", "level": "4", "level_status": "đề xuất", "unit.id": "stttt"}},
		{"a relay whose sender nobody knows speaks for itself", "dc1",
			[]string{"observer.ip=10.10.1.5", "host.name=unknown"},
			want{"system.id": "dvc", "level": "3", "unit.id": "ubnd stttt"}},
		{"what a sender claims is removed", "dc1",
			[]string{"source.ip=198.51.100.9", "haidang.system.id=kho", "haidang.source.zone=x", "haidang.unit.id=xa-a"},
			want{}},
		{"overlapping ranges", "dc2",
			[]string{"source.ip=198.51.100.9", "destination.ip=10.20.0.11"},
			want{"system.id": "portal", "level": "2", "level_status": "đề xuất", "unit.id": "ubnd",
				"destination.system.id": "portal", "destination.level": "2", "destination.zone": "xa"}},
		{"behind our proxy", "dc1",
			[]string{"source.ip=10.10.1.5", "observer.ip=10.10.1.11",
				forwardedField + "=10.20.0.11, 198.51.100.77, 10.10.1.5"},
			want{"source.ip": "198.51.100.77", "extra.proxy_ip": "10.10.1.5", "system.id": "dvc", "level": "3",
				"unit.id": "ubnd stttt", "destination.system.id": "dvc", "destination.level": "3",
				"destination.zone": "dmz"}},
		{"a header from someone who is no proxy", "dc1",
			[]string{"source.ip=198.51.100.9", "observer.ip=10.10.1.11", forwardedField + "=10.20.0.11"},
			want{"system.id": "dvc", "level": "3", "unit.id": "ubnd stttt", "destination.system.id": "dvc",
				"destination.level": "3", "destination.zone": "dmz"}},
	} {
		got := enrich(t, inv, c.site, c.in...)
		for k := range got {
			if k == "site" {
				delete(got, k)
			}
		}
		if got["source.ip"] != "" {
			delete(got, "forwarded")
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// The port beside a proxy's address is the proxy's, not the client's.
func TestProxyTakesItsPortAway(t *testing.T) {
	inv := mustLoad(t, small, "")
	for header, want := range map[string]bool{"198.51.100.77": false, "": true, "nobody": true} {
		b := event.NewBuilder("test", 1)
		b.Begin(1, 0)
		b.IP(event.SourceIP, netip.MustParseAddr("10.10.1.5"))
		b.Int(event.SourcePort, 4444)
		b.Extra("x_forwarded_for", header)
		inv.Enrich(b, "dc1")
		if got := b.Has(event.SourcePort); got != want || b.Has(event.NetworkForwardedIP) == want {
			t.Errorf("header %q: source.port %v, network.forwarded_ip %v", header, got, b.Has(event.NetworkForwardedIP))
		}
	}
}

// end relies on the four fields of an end having neighbouring ids.
func TestEndFieldsAreNeighbours(t *testing.T) {
	for i, name := range []string{"system.id", "system.name", "level", "zone"} {
		for first, end := range map[event.FieldID]string{event.HaidangSourceSystemID: "source",
			event.HaidangDestinationSystemID: "destination"} {
			if got, want := (first + event.FieldID(i)).Name(), fmt.Sprintf("haidang.%s.%s", end, name); got != want {
				t.Errorf("field %d is %s, want %s", int(first)+i, got, want)
			}
		}
	}
}

func TestEnrichDoesNotAllocate(t *testing.T) {
	inv := mustLoad(t, small, "")
	b := event.NewBuilder("test", 1)
	run := func() {
		b.Reset("test", 1)
		prepare(b)
		inv.Enrich(b, "dc1")
		b.End()
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

func prepare(b *event.Builder) {
	b.Begin(1, 0)
	b.IP(event.SourceIP, netip.AddrFrom4([4]byte{198, 51, 100, 9}))
	b.IP(event.DestinationIP, netip.AddrFrom4([4]byte{10, 10, 1, 11}))
	b.IPs(event.ObserverIP, netip.AddrFrom4([4]byte{10, 10, 0, 1}))
	b.Str(event.HostName, "dvc-web-01")
	b.Str(event.EventOriginal, "x")
}

func BenchmarkEnrich(b *testing.B) {
	inv := mustLoad(b, small, "")
	builder := event.NewBuilder("test", 1)
	b.ReportAllocs()
	for b.Loop() {
		builder.Reset("test", 1)
		prepare(builder)
		inv.Enrich(builder, "dc1")
		builder.End()
	}
}

func BenchmarkPrepareOnly(b *testing.B) {
	builder := event.NewBuilder("test", 1)
	for b.Loop() {
		builder.Reset("test", 1)
		prepare(builder)
		builder.End()
	}
}
