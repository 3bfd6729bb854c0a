// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
	"github.com/haidang-soc/haidang/internal/store/storetest"
)

// classes spreads the generator's events over three retention classes.
func classes(e event.Event) int { return []int{7, 90, 365}[e.ID()[13]%3] }

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(Config{Dir: dir, Class: classes, Memory: 128 << 20})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, t.TempDir()) })
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	storetest.Reopen(t, func(t *testing.T) storetest.Reopened { return open(t, dir) })
}

func TestKillStore(t *testing.T) {
	dir := os.Getenv(storetest.ChildDir)
	if dir == "" {
		dir = t.TempDir()
	}
	storetest.Kill(t, dir, func(t *testing.T) storetest.Reopened { return open(t, dir) })
}

// TestUnclean opens what a crash leaves between the barrier and the cursor: a copy of the directory at that moment.
func TestUnclean(t *testing.T) {
	s := open(t, t.TempDir())
	g := storetest.Generator{Base: storetest.Base(), PerRecord: 40}
	for _, r := range g.Records(1, 3) {
		if err := s.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range g.Records(4, 6) {
		if err := s.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	s.flush()
	for _, c := range s.classes[1:] { // some rows are on the disk, some are not
		if err := c.barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir() + "/copy"
	if err := os.CopyFS(dir, os.DirFS(s.cfg.Dir)); err != nil {
		t.Fatal(err)
	}
	// By now events are kept for another time: what is stored is found in whatever class it is.
	left, err := Open(Config{Dir: dir, Class: func(event.Event) int { return 400 }})
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	if got := left.Cursor().Seq(0); got != 3 {
		t.Errorf("cursor at %d, want 3", got)
	}
	for _, r := range g.Records(4, 7) {
		if err := left.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	c := left.Counts()
	if c.Skipped == 0 || c.Skipped >= 120 || c.Skipped+c.Stored != 160 {
		t.Errorf("counts %+v: want some of 120 skipped, the others of 160 stored", c)
	}
	seen := map[event.ID]bool{}
	err = left.Export(t.Context(), func(e event.Event) bool {
		if seen[e.ID()] {
			t.Errorf("event %s is double", e.ID())
		}
		seen[e.ID()] = true
		return true
	})
	if err != nil || len(seen) != 7*40 {
		t.Errorf("%d events, %v; want %d", len(seen), err, 7*40)
	}
}

func TestWordCode(t *testing.T) {
	w := newWordCode(wordSymbols, wordSingles, wordSeconds)
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		src := make([]byte, n)
		for i := range src {
			src[i] = byte(rnd.Uint32())
		}
		word := string(w.encode(nil, src))
		if strings.Trim(word, wordSymbols) != "" {
			t.Fatalf("%q is not one word", word)
		}
		back, err := w.decode(nil, word)
		if err != nil || !bytes.Equal(back, src) {
			t.Fatalf("%q reads back as %q, %v", src, back, err)
		}
	}
	for _, bad := range []string{"_", "a_", "_!", "é", "Z_Z"} {
		if _, err := w.decode(nil, bad); err == nil {
			t.Errorf("decode(%q): no error", bad)
		}
	}
}

func TestRegularText(t *testing.T) {
	f := func(s string, want bool) {
		t.Helper()
		if got := regularText(s); got != want {
			t.Errorf("regularText(%q) = %v", s, got)
		}
	}
	for _, s := range []string{"root", "12", "0", "-12", "10.1.2.3", "dc01", "đường", "00:1a:2b", "-", "_x", "192.168.0.1:80x"} {
		f(s, s != "-")
	}
	for _, s := range []string{"", "007", "-0", "1_000", "1.50", "01.2.3.4", "+5", "2026-11-29T02:10:30.000Z", "_",
		"e\u0301", "99999999999999999999"} {
		f(s, false)
	}
}

// one appends a record of one event and returns it as it is found.
func one(t *testing.T, s *Store, seq uint64, fill func(*event.Builder)) []event.Event {
	t.Helper()
	b := event.NewBuilder("x", 1)
	b.Begin(seq, 0)
	fill(b)
	b.End()
	r := &spool.Record{At: spool.Position{Seq: seq}, Incarnation: "A", Kind: spool.KindBatches,
		Batches: []*event.Batch{b.Batch(seq, seq+1)}}
	if err := s.Append(t.Context(), r); err != nil {
		t.Fatalf("Append: %v", err)
	}
	q := store.NewQuery(access.Everything(), kql.Equals("_id", event.MakeID("x", 1, seq, 0).String()),
		time.Time{}, time.Time{})
	var list []event.Event
	for e, err := range s.Events(t.Context(), q) {
		if err != nil {
			t.Fatalf("Events: %v", err)
		}
		list = append(list, e)
	}
	return list
}

func TestAppendChecks(t *testing.T) {
	s := open(t, t.TempDir())
	now := time.Now()

	future := now.Add(48 * time.Hour).UnixNano()
	got := one(t, s, 1, func(b *event.Builder) {
		b.Time(event.Timestamp, future)
		b.Time(event.EventIngested, now.UnixNano())
	})
	if len(got) != 1 || got[0].Time() != now.UnixNano() {
		t.Fatalf("an event of the future: %v, want it at its ingestion", got)
	}
	if v, _ := got[0].Get(event.HaidangTimeClaimed); v.Time() != future {
		t.Errorf("haidang.time_claimed = %v, want %v", v, future)
	}
	if got := one(t, s, 2, func(b *event.Builder) { b.Str(event.UserName, "x") }); len(got) != 1 {
		t.Errorf("an event without a time: %d found, want 1", len(got))
	}
	old := now.Add(-800 * 24 * time.Hour).UnixNano()
	if got := one(t, s, 3, func(b *event.Builder) { b.Time(event.Timestamp, old) }); len(got) != 0 {
		t.Errorf("an event beyond retention: %d found, want 0", len(got))
	}
	large := strings.Repeat("x y ", 1<<20)
	got = one(t, s, 4, func(b *event.Builder) {
		b.Time(event.Timestamp, now.UnixNano())
		b.Str(event.EventOriginal, large)
	})
	if len(got) != 1 || len(got[0].Text(event.EventOriginal)) != maxText || !got[0].Has(event.HaidangTruncated) {
		t.Errorf("a large event is not there, cut and marked")
	}
	// Too large with its full text, but not without: complete, and found by its text all the same.
	words := strings.Repeat("đường ", 90_000)
	got = one(t, s, 5, func(b *event.Builder) {
		b.Time(event.Timestamp, now.UnixNano())
		b.Str(event.EventOriginal, words+"cuối")
	})
	if len(got) != 1 || got[0].Text(event.EventOriginal) != words+"cuối" {
		t.Errorf("an event of %d bytes is not complete", len(words))
	}
	q := store.NewQuery(access.Everything(), kql.MustParse("cuoi"), time.Time{}, time.Time{})
	n := 0
	for range s.Events(t.Context(), q) {
		n++
	}
	if n != 1 {
		t.Errorf("%d events with the word, want 1", n)
	}
	c := s.Counts()
	if c.Clamped != 2 || c.Expired != 1 || c.Cut != 1 || c.Stored != 4 {
		t.Errorf("counts %+v", c)
	}
	for _, r := range []*spool.Record{
		{At: spool.Position{Seq: 9}, Incarnation: "B"},
		{At: spool.Position{Shard: 1, Seq: 9}, Incarnation: "A"},
		{At: spool.Position{Seq: 1 << 50}, Incarnation: "A"},
	} {
		if err := s.Append(t.Context(), r); err == nil {
			t.Errorf("record %v of %s: no error", r.At, r.Incarnation)
		}
	}
}

func TestFull(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	one(t, s, 1, func(b *event.Builder) { b.Str(event.UserName, "x") })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Config{Dir: dir, Reserve: 1 << 60})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := storetest.Generator{Base: storetest.Base(), PerRecord: 2}.Record(2)
	r.Incarnation = "A"
	if err := s.Append(t.Context(), r); !errors.Is(err, ErrFull) {
		t.Errorf("Append: %v, want ErrFull", err)
	}
	if err := s.Append(t.Context(), &spool.Record{At: r.At, Incarnation: "A", Kind: spool.KindTick}); err != nil {
		t.Errorf("Append of a tick: %v", err)
	}
}

// FuzzRest: what a damaged disk gives must be an error, never more memory than the bytes are worth, never a panic.
func FuzzRest(f *testing.F) {
	enc := newEncoder()
	for e := range (storetest.Generator{Base: storetest.Base(), PerRecord: 40}).Record(1).Batches[0].Events() {
		fields, _, _ := enc.row(e, 1)
		for _, x := range fields {
			if x.Name == colRest {
				f.Add(x.Value)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return
		}
		enc := newEncoder()
		dec := newDecoder(&enc)
		r := found{time: 1, vals: make([]string, len(dec.names))}
		r.vals[len(r.vals)-1] = text
		b := event.NewBuilder("x", 1)
		if err := dec.add(b, &r); err != nil {
			if b.Len() != 0 {
				t.Fatalf("%q: an event and %v", text, err)
			}
			return
		}
		e := b.Batch(0, 1).At(0)
		for range e.Fields() {
			continue
		}
		enc.row(e, 2)
	})
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("Open of an open store: %v", err)
	}
	one(t, s, 1, func(b *event.Builder) { b.Str(event.UserName, "x") })
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
	if err := s.Append(t.Context(), &spool.Record{At: spool.Position{Seq: 5}, Incarnation: "A"}); err == nil {
		t.Error("Append after Close: no error")
	}
	data, err := os.ReadFile(dir + "/cursor")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/cursor", bytes.Replace(data, []byte(":1\n"), []byte(":2\n"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("Open with a damaged cursor: %v", err)
	}
}

// benchRecords makes records of realistic events, n in all.
func benchRecords(n int) []*spool.Record {
	base := storetest.Base()
	var list []*spool.Record
	for seq := uint64(1); n > 0; seq++ {
		r := storetest.Generator{Base: base, PerRecord: 1000, Regular: true}.Record(seq)
		list = append(list, r)
		n -= 1000
	}
	return list
}

// BenchmarkAppend appends and syncs 100,000 events; ns/event and bytes/row on the disk are what counts.
func BenchmarkAppend(b *testing.B) {
	const n = 100_000
	list := benchRecords(n)
	for b.Loop() {
		dir := b.TempDir()
		s, err := Open(Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		var before, after syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
		for _, r := range list {
			if err := s.Append(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
		appended := time.Since(start)
		if _, err := s.Sync(b.Context()); err != nil {
			b.Fatal(err)
		}
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
		b.ReportMetric(float64(appended.Nanoseconds())/n, "ns/event")
		b.ReportMetric(float64((time.Since(start) - appended).Milliseconds()), "ms/sync")
		b.ReportMetric(float64(cpu)/n, "cpu-ns/event")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(size(b, dir))/n, "bytes/row")
	}
}

func size(b *testing.B, dir string) (n int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		i, err := d.Info()
		n += i.Size()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func BenchmarkEncodeRow(b *testing.B) {
	list := benchRecords(1000)[0].Batches[0]
	enc := newEncoder()
	i := 0
	for b.Loop() {
		enc.row(list.At(i%list.Len()), 1)
		i++
	}
}

// BenchmarkSearch searches 200,000 events.
func BenchmarkSearch(b *testing.B) {
	s := open(b, b.TempDir())
	for _, r := range benchRecords(200_000) {
		if err := s.Append(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := s.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	q := func(text string) store.Query {
		q := store.NewQuery(access.Everything(), kql.MustParse(text), time.Time{}, time.Time{})
		q.Limit = 100
		return q
	}
	for _, text := range []string{"failed root", "nosuchword", "source.ip: 10.1.0.7 and destination.port: 3389",
		"url.path: *passwd"} {
		b.Run("Events/"+text, func(b *testing.B) {
			for b.Loop() {
				for _, err := range s.Events(b.Context(), q(text)) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	b.Run("Stats/top", func(b *testing.B) {
		for b.Loop() {
			for _, err := range s.Stats(b.Context(), q("event.dataset: *"), store.Top("source.ip", 10)) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
