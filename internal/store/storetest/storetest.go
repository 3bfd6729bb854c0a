// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// Store is what a test needs of a store.
type Store interface {
	store.Appender
	store.Querier
	io.Closer
}

// Base is a time that a store takes events before: this hour.
func Base() time.Time { return time.Now().UTC().Truncate(time.Hour) }

// Run holds a store to its contract. It calls open once for a store that must be empty.
func Run(t *testing.T, open func(t *testing.T) Store) {
	g := Generator{Base: Base(), PerRecord: 100}
	list := g.Records(1, records)
	o := newOracle(list)
	s := open(t)
	for _, r := range list {
		if err := s.Append(t.Context(), r); err != nil {
			t.Fatalf("Append: %v", err)
		}
	}
	cursor, err := s.Sync(t.Context())
	if err != nil || cursor.Seq(0) != records {
		t.Fatalf("Sync = %v, %v; want the cursor at %d", cursor, err, records)
	}
	for _, r := range list[records/2:] { // known: skipped
		if err := s.Append(t.Context(), r); err != nil {
			t.Fatalf("Append again: %v", err)
		}
	}
	t.Run("Complete", func(t *testing.T) { testComplete(t, s, o) })
	t.Run("Queries", func(t *testing.T) { testQueries(t, s, o, g.Base) })
	t.Run("Scope", func(t *testing.T) { testScope(t, s, o) })
	t.Run("Range", func(t *testing.T) { testRange(t, s, o, g.Base) })
	t.Run("Paging", func(t *testing.T) { testPaging(t, s, o) })
	t.Run("Stats", func(t *testing.T) { testStats(t, s, o, g.Base) })
	t.Run("Fields", func(t *testing.T) { testFields(t, s, o) })
	t.Run("Refusals", func(t *testing.T) { testRefusals(t, s) })
	t.Run("Concurrent", func(t *testing.T) { testConcurrent(t, s, g) })
}

func all(expr string) store.Query {
	return store.NewQuery(access.Everything(), kql.MustParse(expr), time.Time{}, time.Time{})
}

func testComplete(t *testing.T, s Store, o *oracle) {
	i := 0
	for e, err := range s.Events(t.Context(), all("*")) {
		if err != nil {
			t.Fatalf("Events: %v", err)
		}
		if i == len(o.events) {
			t.Fatalf("more than %d events", i)
		}
		if d := difference(o.events[i], e); d != "" {
			t.Fatalf("event %d: %s", i, d)
		}
		i++
	}
	if i != len(o.events) {
		t.Errorf("%d events, want %d", i, len(o.events))
	}
}

// difference says how two events differ; "" when they do not.
func difference(want, got event.Event) string {
	switch {
	case want.ID() != got.ID():
		return fmt.Sprintf("id %s, want %s", got.ID(), want.ID())
	case want.Time() != got.Time() || want.Created() != got.Created() || want.Ingested() != got.Ingested():
		return fmt.Sprintf("%s: times %d %d %d, want %d %d %d", got.ID(), got.Time(), got.Created(), got.Ingested(),
			want.Time(), want.Created(), want.Ingested())
	}
	a, b := dump(want), dump(got)
	if !slices.Equal(a, b) {
		return fmt.Sprintf("%s:\n%s\nwant\n%s", got.ID(), strings.Join(b, "\n"), strings.Join(a, "\n"))
	}
	return ""
}

func dump(e event.Event) []string {
	var list []string
	for id, v := range e.Fields() {
		line := fmt.Sprintf("%s %s", id.Name(), v.Kind())
		for i := range v.Len() {
			line += fmt.Sprintf(" %s %q", v.At(i).Kind(), v.At(i).String())
		}
		list = append(list, line)
	}
	return list
}

// same compares the events of a query with the oracle's, by id and order.
func same(t *testing.T, name string, s Store, q store.Query, want []event.Event) {
	t.Helper()
	i := 0
	for e, err := range s.Events(t.Context(), q) {
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if i >= len(want) {
			t.Errorf("%s: more than %d events: %s", name, len(want), event.AppendJSON(nil, e, true))
			return
		}
		if e.ID() != want[i].ID() {
			t.Errorf("%s: event %d is\n%s\nwant\n%s", name, i, event.AppendJSON(nil, e, true),
				event.AppendJSON(nil, want[i], true))
			return
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%s: %d events, want %d; the first missing: %s", name, i, len(want),
			event.AppendJSON(nil, want[i], true))
	}
}

func testQueries(t *testing.T, s Store, o *oracle, base time.Time) {
	found := 0
	for _, text := range queries(o, base) {
		e, err := kql.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want := o.find(access.Everything(), e, time.Time{}, time.Time{})
		if len(want) > 0 && len(want) < len(o.events) {
			found++
		}
		same(t, text, s, all(text), want)
		// A count must find the same, however it is made.
		for table, err := range s.Stats(t.Context(), all(text)) {
			if err != nil {
				t.Errorf("%s: Stats: %v", text, err)
			} else if table.Done == 1 && table.Total != uint64(len(want)) {
				t.Errorf("%s: Stats counts %d, want %d", text, table.Total, len(want))
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d queries find some events and not all: the table tests too little", found)
	}
}

func testScope(t *testing.T, s Store, o *oracle) {
	for _, scope := range []access.Scope{access.Units("so-y-te"), access.Units("so-tttt", "so-y-te"),
		access.Units("nobody"), access.Units(), {}} {
		for _, text := range []string{"*", "not event.kind: event", "user.name: root or event.dataset: *"} {
			e := kql.MustParse(text)
			q := store.NewQuery(scope, e, time.Time{}, time.Time{})
			want := o.find(scope, e, time.Time{}, time.Time{})
			same(t, fmt.Sprintf("%v: %s", scope, text), s, q, want)
			for table, err := range s.Stats(t.Context(), q, store.Top("event.dataset", 3)) {
				if err != nil || table.Done == 1 && table.Total != uint64(len(want)) {
					t.Errorf("%v: %s: Stats = %d, %v; want %d", scope, text, table.Total, err, len(want))
				}
			}
		}
	}
}

func testRange(t *testing.T, s Store, o *oracle, base time.Time) {
	e := kql.MustParse("event.kind: event")
	newest := time.Unix(0, o.events[0].Time())
	oldest := time.Unix(0, o.events[len(o.events)-1].Time())
	for _, r := range [][2]time.Time{
		{base.Add(-30 * time.Hour), base.Add(-20 * time.Hour)},
		{{}, base.Add(-50 * time.Hour)}, {base.Add(-50 * time.Hour), {}},
		{oldest, newest}, {oldest.Add(1), newest.Add(1)}, {newest, newest}, {newest, newest.Add(1)},
		{base.Add(time.Hour), {}}, {{}, time.Unix(1, 0)}, {newest, oldest},
		{base.Add(-48 * time.Hour), base.Add(-48*time.Hour + 1)},
	} {
		q := store.NewQuery(access.Everything(), e, r[0], r[1])
		want := o.find(access.Everything(), e, r[0], r[1])
		same(t, fmt.Sprint(r), s, q, want)
		for table, err := range s.Stats(t.Context(), q) {
			if err != nil || table.Done == 1 && table.Total != uint64(len(want)) {
				t.Errorf("%v: Stats = %d, %v; want %d", r, table.Total, err, len(want))
			}
		}
	}
}

func testPaging(t *testing.T, s Store, o *oracle) {
	for _, size := range []int{1, 7, 500} {
		e := kql.MustParse("event.dataset: sshd.auth")
		want := o.find(access.Everything(), e, time.Time{}, time.Time{})
		if size == 1 {
			want = want[:30]
		}
		var got []event.ID
		q := all("event.dataset: sshd.auth")
		q.Limit = size
		for len(got) < len(want) {
			n := 0
			for e, err := range s.Events(t.Context(), q) {
				if err != nil {
					t.Fatalf("Events: %v", err)
				}
				got = append(got, e.ID())
				q.After = store.After(e)
				n++
			}
			if n == 0 || n > size {
				t.Fatalf("a page of %d events at %d of %d, want 1 to %d", n, len(got), len(want), size)
			}
		}
		for i := range want {
			if got[i] != want[i].ID() {
				t.Fatalf("pages of %d: event %d is %s, want %s", size, i, got[i], want[i].ID())
			}
		}
	}
}

func testFields(t *testing.T, s Store, o *oracle) {
	q := all("event.dataset: netflow.flow")
	q.Limit = 100
	got, err := s.Fields(t.Context(), q)
	if err != nil {
		t.Fatalf("Fields: %v", err)
	}
	want := map[string]uint64{}
	flows := o.find(access.Everything(), kql.MustParse("event.dataset: netflow.flow"), time.Time{}, time.Time{})
	for _, e := range flows[:100] {
		for id := range e.Fields() {
			want[id.Name()]++
		}
		want["@timestamp"]++
		if e.Created() != 0 {
			want["event.created"]++
		}
		if e.Ingested() != 0 {
			want["event.ingested"]++
		}
	}
	for _, f := range got {
		if want[f.Name] != f.Count {
			t.Errorf("field %s: %d events, want %d", f.Name, f.Count, want[f.Name])
		}
		if f.Name == "source.bytes" && f.Type != "int" || f.Name == "host.ip" && f.Type != "ip" {
			t.Errorf("field %s: type %s", f.Name, f.Type)
		}
		delete(want, f.Name)
	}
	for name := range want {
		t.Errorf("field %s is missing", name)
	}
}

func testRefusals(t *testing.T, s Store) {
	for _, err := range s.Events(t.Context(), store.Query{}) {
		if !errors.Is(err, store.ErrNoScope) {
			t.Errorf("Events of the zero Query: %v, want ErrNoScope", err)
		}
	}
	for _, err := range s.Stats(t.Context(), store.Query{}) {
		if !errors.Is(err, store.ErrNoScope) {
			t.Errorf("Stats of the zero Query: %v, want ErrNoScope", err)
		}
	}
	if _, err := s.Fields(t.Context(), store.Query{}); !errors.Is(err, store.ErrNoScope) {
		t.Errorf("Fields of the zero Query: %v, want ErrNoScope", err)
	}
	q := all("*")
	q.After = "nonsense"
	fails(t, "after=nonsense", s, t.Context(), q, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fails(t, "cancelled", s, ctx, all("*"), context.Canceled)
	for _, err := range s.Stats(ctx, all("*"), store.Top("user.name", 3)) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Stats, cancelled: %v", err)
		}
	}
	for _, err := range s.Stats(t.Context(), all("*"), store.Bucket{}) {
		if err == nil {
			t.Error("Stats of the zero Bucket: no error")
		}
	}
}

func fails(t *testing.T, name string, s Store, ctx context.Context, q store.Query, want error) {
	t.Helper()
	n := 0
	for _, err := range s.Events(ctx, q) {
		n++
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, want the error %v", name, err, want)
			return
		}
	}
	if n != 1 {
		t.Errorf("%s: %d errors, want 1", name, n)
	}
}

// testConcurrent appends and syncs while four queries run: each finds at least what was there before it.
func testConcurrent(t *testing.T, s Store, g Generator) {
	const more = 4
	before := newOracle(g.Records(1, records))
	e := kql.MustParse("failed root")
	want := len(before.find(access.Everything(), e, time.Time{}, time.Time{}))
	done := make(chan error)
	for range 4 {
		go func() {
			n := 0
			for _, err := range s.Events(t.Context(), all("failed root")) {
				if err != nil {
					done <- err
					return
				}
				n++
			}
			if n < want {
				done <- fmt.Errorf("%d events, want at least %d", n, want)
				return
			}
			done <- nil
		}()
	}
	for seq := uint64(records + 1); seq <= records+more; seq++ {
		if err := s.Append(t.Context(), g.Record(seq)); err != nil {
			t.Errorf("Append: %v", err)
		}
		if _, err := s.Sync(t.Context()); err != nil {
			t.Errorf("Sync: %v", err)
		}
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	exactly(t, s, newOracle(g.Records(1, records+more)))
}
