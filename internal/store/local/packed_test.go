// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/VictoriaLogs/lib/logstorage"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store/kql"
	"github.com/haidang-soc/haidang/internal/store/storetest"
)

// roundTrip makes a row of an event and an event of the row, and compares; in both versions of haidang.rest.
func roundTrip(t *testing.T, enc *encoder, e event.Event) {
	t.Helper()
	fields, _, ok := enc.row(e, 1)
	if !ok {
		t.Fatal("too large for a row")
	}
	readsBack(t, enc, e, fields)
	fields, _ = enc.make(e, 1, layout{plain: true})
	readsBack(t, enc, e, fields)
}

func readsBack(t *testing.T, enc *encoder, e event.Event, fields []logstorage.Field) {
	t.Helper()
	dec := newDecoder(enc)
	r := found{time: e.Time(), id: e.ID(), vals: make([]string, len(dec.names))}
	for i, n := range dec.names {
		for _, f := range fields {
			if f.Name == n {
				r.vals[i] = f.Value
			}
		}
	}
	if got, want := r.vals[len(r.vals)-2], string(kql.AppendText(nil, e)); got != want {
		t.Errorf("full text\n%q, want\n%q", got, want)
	}
	b := event.NewBuilder("x", 1)
	if err := dec.add(b, &r); err != nil {
		t.Fatalf("%s: %v", event.AppendJSON(nil, e, true), err)
	}
	got, want := event.AppendJSON(nil, b.Batch(0, 1).At(0), true), event.AppendJSON(nil, e, true)
	if string(got) != string(want) {
		t.Errorf("reads back as\n%s, want\n%s", got, want)
	}
}

func TestPacked(t *testing.T) {
	enc := newEncoder()
	for _, line := range []string{
		"", "a", "7", "007", "1.50", "A", "_", " ", "a ", " a", "\n", "sshd[20549]: Failed password for Root from 120.62.6.84",
		"<14>Nov 29 20:33:19 may-04880 hoso[5779]: Tiếp nhận hồ sơ H24-377956, trạng thái đã trả",
		"Tie\u0302\u0301p nha\u0323\u0302n", "=\u0338x e\u0301 \u0301 \u0301x x\u0301", "bad \xff\xfe bytes\xc3 x\xffy z",
		"\u00bfqu\u00e9? \u00bf \u00a1!", "FortiGate-100F aBcD XyZ eTh0 A1 a1B 0X", strings.Repeat("aB", 31) + "c",
		strings.Repeat("aB", 32), strings.Repeat("Ab", 40) + " x", strings.Repeat("a ", 500), strings.Repeat("é", 100),
		`{"level":"info","ip":"40.1.2.3","path":"/a/b?x=1"}`, "a\x00b\x1fc\x7fd", "K\u212a \u0130i \u01c5", "____", "a__b_c",
	} {
		b := event.NewBuilder("x", 1)
		b.Begin(1, 0)
		b.Time(event.Timestamp, 1_700_000_000_000_000_000)
		b.Time(event.EventCreated, 1_700_000_000_123_456_789)
		b.Time(event.EventIngested, 1_699_999_999_123_456_789)
		b.Str(event.EventOriginal, line)
		b.Str(event.UserName, "Root")
		b.Strs(event.RelatedHosts, "may-04880", "7")
		b.Int(event.ProcessPID, 5779)
		b.Int(event.SourcePort, -4)
		if _, after, ok := strings.Cut(line, ": "); ok {
			b.Str(event.Message, after)
			b.Str(event.FilePath, after[:len(after)-1])
		}
		b.Extra("note", "Failed password")
		b.End()
		roundTrip(t, &enc, b.Batch(0, 1).At(0))
	}
	for e := range (storetest.Generator{Base: storetest.Base(), PerRecord: 400}).Record(1).Batches[0].Events() {
		roundTrip(t, &enc, e)
	}
}

// TestFindRepeated: a hostile line is looked through in no more than a moment.
func TestFindRepeated(t *testing.T) {
	var o original
	text := strings.Repeat("ab ", 80_000)
	if _, _, ok := o.cut(text, nil, nil); !ok {
		t.Fatal("not cut")
	}
	for _, s := range []string{text[:120_001], text[:120_000] + "zz"} {
		for range 100 {
			if _, whole, _ := o.find(s); whole {
				t.Fatalf("found %q...", s[:10])
			}
		}
	}
	if p, whole, ok := o.find("ab ab"); !whole || !ok || p != (place{0, 1, 0, 0}) {
		t.Errorf("find: %+v, %v, %v", p, whole, ok)
	}
}

// TestPackedShares: lines of one kind say the same but for the times.
func TestPackedShares(t *testing.T) {
	enc := newEncoder()
	rest := func(user, addr, port string) string {
		b := event.NewBuilder("x", 1)
		b.Begin(1, 0)
		b.Time(event.Timestamp, 1_700_000_000_000_000_000)
		b.Str(event.EventOriginal, "sshd[1]: Failed password for "+user+" from "+addr+" port "+port+" ssh2")
		b.Str(event.Message, "Failed password for "+user+" from "+addr+" port "+port+" ssh2")
		b.Strs(event.RelatedUser, user)
		b.End()
		fields, _, _ := enc.row(b.Batch(0, 1).At(0), 1)
		i := slices.IndexFunc(fields, func(f logstorage.Field) bool { return f.Name == colRest })
		return strings.Clone(fields[i].Value)
	}
	if a, b := rest("lan", "10.0.0.1", "4711"), rest("minh", "192.168.7.12", "65000"); a != b {
		t.Errorf("%q and %q", a, b)
	}
}
