// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bufio"
	"encoding/json"
	"math"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	composed   = "Nguyễn Văn Đạt"
	decomposed = "Nguye\u0302\u0303n Va\u0306n \u0110a\u0323t"
)

// sample builds a batch with every kind of value.
func sample(tb testing.TB) *Batch {
	tb.Helper()
	b := NewBuilder("listener/udp514", 7)
	b.Begin(41, 0)
	b.Str(Message, "Failed password for "+composed)
	b.Str(UserName, decomposed)
	b.Int(SourcePort, 51234)
	b.Float(HaidangSkewSeconds, -1.25)
	b.Bool(HaidangTruncated, true)
	b.IP(SourceIP, netip.MustParseAddr("::ffff:192.0.2.7"))
	b.IP(DestinationIP, netip.MustParseAddr("2001:db8::7"))
	b.Strs(EventCategory, "authentication", "network")
	b.IPs(RelatedIP, netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7"))
	b.Time(EventStart, 1_790_000_000_000_000_000)
	b.Time(Timestamp, 1_790_000_000_123_456_789)
	b.Time(EventCreated, 1_790_000_001_000_000_000)
	b.Append(Tags, "một")
	b.Append(Tags, "hai")
	b.Append(Tags, "một")
	b.Extra("policy.id", "12")
	b.End()
	b.Begin(42, 0)
	b.Str(Message, "cancelled")
	b.Cancel()
	b.Begin(42, 1)
	b.Str(Message, "second")
	b.Int(SourcePort, 1)
	b.Str(SourcePort, "not a number")
	b.Del(Message)
	b.End()
	return b.Batch(41, 43)
}

func document(e Event) string { return string(AppendJSON(nil, e, false)) }

func TestBatchHoldsWhatWasSet(t *testing.T) {
	b := sample(t)
	if b.Len() != 2 || b.Source() != "listener/udp514" || b.Epoch() != 7 || b.First() != 41 || b.Last() != 43 {
		t.Fatalf("batch %d %q %d [%d,%d)", b.Len(), b.Source(), b.Epoch(), b.First(), b.Last())
	}
	want := `{"@timestamp":"2026-09-21T14:13:20.123456789Z","destination":{"ip":"2001:db8::7"},` +
		`"event":{"category":["authentication","network"],"created":"2026-09-21T14:13:21.000Z",` +
		`"id":"` + MakeID("listener/udp514", 7, 41, 0).String() + `","start":"2026-09-21T14:13:20.000Z"},` +
		`"haidang":{"extra":{"policy.id":"12"},"skew":{"seconds":-1.25},"truncated":true},` +
		`"message":"Failed password for ` + composed + `","related":{"ip":["192.0.2.7","2001:db8::7"]},` +
		`"source":{"ip":"192.0.2.7","port":51234},"tags":["một","hai"],"user":{"name":"` + decomposed + `"}}`
	if diff := cmp.Diff(want, document(b.At(0))); diff != "" {
		t.Error(diff)
	}
	if v, ok := b.At(1).Get(SourcePort); !ok || v.Str() != "not a number" {
		t.Errorf("setting a field twice: got %v", v)
	}
	if b.At(1).Has(Message) {
		t.Error("a deleted field is still there")
	}
	if unit := b.At(1).ID().Unit(); unit != 42 {
		t.Errorf("unit %d", unit)
	}
}

func TestCodecRoundTrip(t *testing.T) {
	b := sample(t)
	data := Encode(nil, b)
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if got.Source() != b.Source() || got.Epoch() != b.Epoch() || got.First() != b.First() || got.Last() != b.Last() {
		t.Error("the range differs")
	}
	for i := range b.Len() {
		if diff := cmp.Diff(document(b.At(i)), document(got.At(i))); diff != "" {
			t.Errorf("event %d: %s", i, diff)
		}
	}
	for i := range data {
		bad := append([]byte{}, data...)
		bad[i] ^= 0x20
		if _, err := Decode(bad); err == nil {
			t.Fatalf("byte %d of %d changed and nobody noticed", i, len(data))
		}
	}
	if _, err := Decode(data[:len(data)-1]); err == nil {
		t.Error("a short batch is accepted")
	}
}

func TestCutDropsWhatIsKnown(t *testing.T) {
	b := sample(t)
	c := b.Cut(42)
	if c.Len() != 1 || c.First() != 42 || c.Last() != 43 {
		t.Fatalf("cut: %d events, [%d,%d)", c.Len(), c.First(), c.Last())
	}
	got, err := Decode(Encode(nil, c))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(document(b.At(1)), document(got.At(0))); diff != "" {
		t.Error(diff)
	}
	if b.Cut(40) != b {
		t.Error("a cut below the range copies")
	}
}

func TestCopyRebuilds(t *testing.T) {
	b := sample(t)
	n := NewBuilder("other", 1)
	n.Begin(0, 0)
	n.Copy(b.At(0))
	n.End()
	if diff := cmp.Diff(document(b.At(0)), document(n.Batch(0, 1).At(0))); diff != "" {
		t.Error(diff)
	}
}

func TestReadJSON(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"source":{"ip":"192.0.2.1","port":"22"},"event.code":4624}`,
			`{"event":{"code":"4624"},"source":{"ip":"192.0.2.1","port":22}}`},
		{`{"source.ip":"không phải"}`, `{"source":{"ip":"không phải"}}`},
		{`{"EventID":4688,"CommandLine":"cmd /c echo ` + decomposed + `","Empty":null}`,
			`{"CommandLine":"cmd /c echo ` + decomposed + `","EventID":4688}`},
		{`{"tags":["a","b"],"event":{"category":"web"},"dns":{"answers":[{"data":"x"},{"data":"y"}]}}`,
			`{"dns":{"answers":{"data":["x","y"]}},"event":{"category":["web"]},"tags":["a","b"]}`},
		{`{"@timestamp":"2026-11-24T02:10:00+07:00","a":1,"a.b":2}`,
			`{"@timestamp":"2026-11-23T19:10:00.000Z","a":1,"a.b":2}`},
		{`{"x":1.5,"y":true,"related":{"ip":["192.0.2.1","::1"]}}`,
			`{"related":{"ip":["192.0.2.1","::1"]},"x":1.5,"y":true}`},
	} {
		b := NewBuilder("t", 0)
		b.Begin(0, 0)
		b.SetID(ID{})
		if err := ReadJSON(b, []byte(c.in)); err != nil {
			t.Errorf("%s: %v", c.in, err)
		}
		b.End()
		if diff := cmp.Diff(c.want, document(b.Batch(0, 1).At(0))); diff != "" {
			t.Errorf("%s: %s", c.in, diff)
		}
	}
	for _, bad := range []string{``, `[]`, `{`, `{"a":}`, `{"a":1} x`, strings.Repeat(`{"a":`, 99)} {
		b := NewBuilder("t", 0)
		b.Begin(0, 0)
		if err := ReadJSON(b, []byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestFlatJSON(t *testing.T) {
	b := NewBuilder("t", 0)
	b.Begin(1, 0)
	b.Str(HostName, "a\x00\"\xff\u2028")
	b.Float(HaidangSkewSeconds, math.NaN())
	b.End()
	doc := AppendJSON(nil, b.Batch(1, 2).At(0), true)
	var m map[string]any
	if err := json.Unmarshal(doc, &m); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	if m["host.name"] != "a\x00\"\ufffd\u2028" || m["haidang.skew.seconds"] != nil {
		t.Errorf("%q", m)
	}
}

// TestLockIsAppendOnly holds the numbers of some fields for ever: they are on the disks of provinces.
func TestLockIsAppendOnly(t *testing.T) {
	f, err := os.Open("fields.lock")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "#") {
			n++
		}
	}
	if n != staticFields {
		t.Errorf("%d lines in fields.lock, %d constants: run go generate", n, staticFields)
	}
	for name, id := range map[string]FieldID{"@timestamp": 1, "source.ip": SourceIP, "haidang.level": HaidangLevel} {
		if got, ok := Lookup(name); !ok || got != id || id.Name() != name {
			t.Errorf("%s: %d %v", name, got, ok)
		}
	}
	if SourceIP != pinnedSourceIP || HaidangSystemID != pinnedSystemID {
		t.Errorf("ids moved: source.ip %d, haidang.system.id %d", SourceIP, HaidangSystemID)
	}
}

func TestDynamicNamesTravel(t *testing.T) {
	b := NewBuilder("t", 0)
	b.Begin(1, 0)
	zed, _ := Intern("zed.của.tôi")
	alpha, _ := Intern("alpha.của.tôi")
	b.Str(alpha, "a")
	b.Str(zed, "z")
	b.End()
	data := Encode(nil, b.Batch(1, 2))
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if got.At(0).Text(alpha) != "a" || got.At(0).Text(zed) != "z" {
		t.Error(document(got.At(0)))
	}
	if _, ok := Intern(strings.Repeat("x", 300)); ok {
		t.Error("an endless name is registered")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(nil, sample(f)))
	f.Add([]byte("HDB\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Decode(data)
		if err != nil {
			return
		}
		for e := range b.Events() {
			AppendJSON(nil, e, false)
		}
		if _, err := Decode(Encode(nil, b)); err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
	})
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(document(sample(f).At(0))))
	f.Add([]byte(`{"a":[{"b":[1,2,{"c":3}]},[[4]]],"a.b":"` + composed + `"}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		b := NewBuilder("t", 0)
		b.Begin(0, 0)
		err := ReadJSON(b, doc)
		b.End()
		out := AppendJSON(nil, b.Batch(0, 1).At(0), false)
		if !json.Valid(out) {
			t.Fatalf("%q -> %q", doc, out)
		}
		if err == nil && !json.Valid(doc) {
			t.Fatalf("accepted %q", doc)
		}
	})
}

const (
	pinnedSourceIP = 1762
	pinnedSystemID = 2649
)
