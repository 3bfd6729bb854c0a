// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

func TestHotFields(t *testing.T) {
	n := 0
	for line := range strings.Lines(hotFile) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			n++
			if _, ok := event.Lookup(line); !ok {
				t.Errorf("hot.csv: %s is not in fields.lock", line)
			}
		}
	}
	if got := HotFields(); len(got) != n || n > 14 {
		t.Errorf("%d hot fields of %d lines; at most 14", len(got), n)
	}
}

func TestQuery(t *testing.T) {
	if _, err := (Query{}).Filter(); !errors.Is(err, ErrNoScope) {
		t.Errorf("the zero Query: %v", err)
	}
	f := func(scope access.Scope, expr, want string) {
		t.Helper()
		var e *kql.Expr
		if expr != "" {
			e = kql.MustParse(expr)
		}
		got, err := NewQuery(scope, e, time.Time{}, time.Time{}).Filter()
		if err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", expr, got, err, want)
		}
	}
	f(access.Everything(), "", "*")
	f(access.Everything(), "a or b", "a or b")
	f(access.Units("x"), "a: 1 or b: 2", `haidang.unit.id: "x" and (a: 1 or b: 2)`)
	f(access.Units("y", "x*"), "", `haidang.unit.id: "x*" or haidang.unit.id: "y"`)
	f(access.Units(), "a", "not * and a")
	f(access.Scope{}, "", "not *")

	at := time.Date(2026, 11, 29, 2, 10, 0, 0, time.UTC)
	from, to := NewQuery(access.Everything(), nil, at, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)).Range()
	if from != at.UnixNano() || to != math.MaxInt64 {
		t.Errorf("range %d to %d", from, to)
	}
}

func TestPlace(t *testing.T) {
	p := Place{Time: -5, ID: event.MakeID("x", 1, 2, 3)}
	q := Query{After: p.String()}
	got, ok, err := q.Place()
	if err != nil || !ok || got != p {
		t.Errorf("%v reads back as %v, %v, %v", p, got, ok, err)
	}
	if _, ok, err := (Query{}).Place(); ok || err != nil {
		t.Errorf("no After: %v, %v", ok, err)
	}
	for _, bad := range []string{"x", "!!!", p.String()[1:], p.String() + "AAAA"} {
		if _, _, err := (Query{After: bad}).Place(); err == nil {
			t.Errorf("After %q: no error", bad)
		}
	}
}

func TestCounter(t *testing.T) {
	b := event.NewBuilder("x", 1)
	at := time.Date(2026, 11, 29, 16, 59, 59, 0, time.UTC)
	for i, e := range []struct {
		cats []string
		host string
	}{{[]string{"web", "đăng nhập"}, "a"}, {[]string{"web"}, "b"}, {[]string{"dns", "dns"}, "a"}, {nil, "c"}} {
		b.Begin(uint64(i), 0)
		b.Time(event.Timestamp, at.Add(time.Duration(i)*500*time.Millisecond).UnixNano())
		b.Strs(event.EventCategory, e.cats...)
		b.Str(event.HostName, e.host)
		b.End()
	}
	days := Histogram(24 * time.Hour)
	days.Offset = -7 * time.Hour // a day of Viet Nam
	f := func(want Table, by ...Bucket) {
		t.Helper()
		c := NewCounter(by)
		for e := range b.Batch(0, 4).Events() {
			c.AddEvent(e)
		}
		if d := cmp.Diff(want, c.Table(1)); d != "" {
			t.Errorf("%v: %s", by, d)
		}
	}
	f(Table{Total: 4, Done: 1, Rows: []Row{{Count: 4}}})
	f(Table{Total: 4, Done: 1, Rows: []Row{{Count: 4, Distinct: []uint64{3}}}}, Distinct("host.name"))
	f(Table{Total: 4, Done: 1, Rows: []Row{
		{Keys: []string{"2026-11-28T17:00:00Z"}, Count: 2}, {Keys: []string{"2026-11-29T17:00:00Z"}, Count: 2}}}, days)
	f(Table{Total: 4, Done: 1, Rows: []Row{
		{Keys: []string{"web"}, Count: 2, Distinct: []uint64{2}}, {Keys: []string{"dns"}, Count: 1, Distinct: []uint64{1}}}},
		Distinct("host.name"), Top("event.category", 2))
	f(Table{Total: 4, Done: 1, Rows: []Row{
		{Keys: []string{"2026-11-29T16:59:59Z", "a"}, Count: 1}, {Keys: []string{"2026-11-29T16:59:59.5Z", "b"}, Count: 1},
		{Keys: []string{"2026-11-29T17:00:00Z", "a"}, Count: 1}}}, Histogram(500*time.Millisecond), Top("host.name", 2))
	f(Table{Total: 4, Done: 1, Rows: []Row{}}, Top("no.such", 3))

	empty := NewCounter([]Bucket{Distinct("host.name")}).Table(1)
	if d := cmp.Diff(Table{Done: 1, Rows: []Row{{Distinct: []uint64{0}}}}, empty); d != "" {
		t.Errorf("no events: %s", d)
	}
}

func TestValidate(t *testing.T) {
	for _, bad := range [][]Bucket{{{}}, {Histogram(0)}, {Top("", 1)}, {Top("a", -1)}, {Top("a", 1<<20)},
		make([]Bucket, 7)} {
		if Validate(bad) == nil {
			t.Errorf("%v: no error", bad)
		}
	}
	if err := Validate([]Bucket{Histogram(time.Second), Top("a", 0), Distinct("b")}); err != nil {
		t.Error(err)
	}
}
