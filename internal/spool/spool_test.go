// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

const guard = 60 * time.Second // only against hanging for ever

func testServer(t testing.TB, cfg ServerConfig) *Server {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	if cfg.Reserve == 0 {
		cfg.Reserve = -1
	}
	cfg.Log = testLog(t)
	srv, err := OpenServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// testLog passes warnings to the test's output while it runs.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func testSpool(t testing.TB, srv *Server, cfg Config) *Spool {
	t.Helper()
	if cfg.Tick == 0 {
		cfg.Tick = -1
	}
	cfg.Log = testLog(t)
	s, err := Open(context.Background(), srv, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// batch has one event per unit of [first, last).
func batch(source string, epoch, first, last uint64) *event.Batch {
	b := event.NewBuilder(source, epoch)
	for u := first; u < last; u++ {
		b.Begin(u, 0)
		b.Time(event.Timestamp, int64(u))
		b.Str(event.EventOriginal, fmt.Sprintf("Lỗi đăng nhập số %d của cán bộ", u))
		b.End()
	}
	return b.Batch(first, last)
}

func write(t testing.TB, s *Spool, bs ...*event.Batch) {
	t.Helper()
	for _, b := range bs {
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

// readAll returns the records after from up to the end.
func readAll(t testing.TB, s *Spool, from Cursor) []Record {
	t.Helper()
	var out []Record
	end := s.End().Seq(0)
	if from.Seq(0) >= end {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	for r, err := range s.Read(ctx, from) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
		if r.At.Seq == end {
			return out
		}
	}
	t.Fatal("reading ended before the end")
	return nil
}

// units collects the units of a source's events in the order of the records.
func units(rs []Record, source string) (out []uint64) {
	for _, r := range rs {
		for _, b := range r.Batches {
			if b.Source() == source {
				for e := range b.Events() {
					out = append(out, e.ID().Unit())
				}
			}
		}
	}
	return out
}

func contiguous(t *testing.T, got []uint64, first, last uint64) {
	t.Helper()
	if uint64(len(got)) != last-first {
		t.Fatalf("%d events, want %d", len(got), last-first)
	}
	for i, u := range got {
		if u != first+uint64(i) {
			t.Fatalf("event %d is unit %d, want %d", i, u, first+uint64(i))
		}
	}
}

func TestWriteRead(t *testing.T) {
	s := testSpool(t, testServer(t, ServerConfig{}), Config{})
	write(t, s, batch("listener/a", 1, 0, 10), batch("agent/x/journald", 7, 100, 130), batch("listener/a", 1, 10, 20))
	at, err := s.Control(t.Context(), map[string]string{"rules": "bộ luật mới"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	rs := readAll(t, s, Cursor{})
	contiguous(t, units(rs, "listener/a"), 0, 20)
	contiguous(t, units(rs, "agent/x/journald"), 100, 130)
	if got := rs[at.Seq-1]; got.Kind != KindControl || got.At != at ||
		fmt.Sprintf("%s", got.Control) != `{"rules":"bộ luật mới"}` {
		t.Fatalf("control record: %+v", got)
	}
	if last := rs[len(rs)-1]; last.Kind != KindTick {
		t.Fatalf("last record is a %v", last.Kind)
	}
	for i, r := range rs {
		if r.At.Seq != uint64(i+1) || i > 0 && r.Clock < rs[i-1].Clock || r.Incarnation != s.Incarnation() {
			t.Fatalf("record %d: %+v", i, r)
		}
	}
	// from a cursor in the middle
	c := Cursor{}.Advance(&rs[1])
	if again := readAll(t, s, c); len(again) != len(rs)-2 || again[0].At != rs[2].At {
		t.Fatalf("%d records after %v", len(again), c)
	}
}

func TestReadWaits(t *testing.T) {
	s := testSpool(t, testServer(t, ServerConfig{}), Config{Tick: 20 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	var ticks, events int
	go func() {
		for i := uint64(0); i < 50 && ctx.Err() == nil; i++ {
			if err := s.Write(ctx, batch("listener/a", 1, i*10, i*10+10)); err != nil {
				t.Error(err)
			}
		}
	}()
	next := uint64(1)
	for r, err := range s.Read(ctx, Cursor{}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.At.Seq != next {
			t.Fatalf("record %d, want %d", r.At.Seq, next)
		}
		next++
		if r.Kind == KindTick {
			ticks++
		}
		for _, b := range r.Batches {
			events += b.Len()
		}
		if events == 500 && ticks >= 3 {
			break
		}
	}
	if ctx.Err() != nil {
		t.Fatalf("%d events, %d ticks", events, ticks)
	}
	cancel()
	for range s.Read(ctx, Cursor{}) {
		t.Fatal("a record after ctx is done")
	}
}

func TestGroupCommit(t *testing.T) {
	s := testSpool(t, testServer(t, ServerConfig{}), Config{})
	const sources, batches, size = 24, 30, 5
	var wg sync.WaitGroup
	for w := range sources {
		wg.Go(func() {
			for i := range uint64(batches) {
				b := batch(fmt.Sprintf("listener/%d", w), 1, i*size, i*size+size)
				if err := s.Write(t.Context(), b); err != nil {
					t.Error(err)
				}
				if i%7 == 0 { // once more, as after a lost answer
					if err := s.Write(t.Context(), b); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	rs := readAll(t, s, Cursor{})
	for w := range sources {
		contiguous(t, units(rs, fmt.Sprintf("listener/%d", w)), 0, batches*size)
	}
	st := s.Stats()
	if st.Batches != sources*batches || st.Events != sources*batches*size || st.Known == 0 {
		t.Errorf("stats: %+v", st)
	}
	if st.Records >= st.Batches {
		t.Errorf("%d records for %d batches: nothing was gathered", st.Records, st.Batches)
	}
}

// TestSameBatchAtOnce writes the same batches from many goroutines: each is stored once, and every writer hears of it
// only when it is stored.
func TestSameBatchAtOnce(t *testing.T) {
	s := testSpool(t, testServer(t, ServerConfig{}), Config{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range uint64(20) {
				if err := s.Write(t.Context(), batch("agent/a", 3, i*3, i*3+3)); err != nil {
					t.Error(err)
				}
				if a, _ := s.Known("agent/a"); a.Last < i*3+3 {
					t.Errorf("acknowledged %d, known up to %d", i*3+3, a.Last)
				}
			}
		})
	}
	wg.Wait()
	contiguous(t, units(readAll(t, s, Cursor{}), "agent/a"), 0, 60)
}

func TestOverlapHoleDrop(t *testing.T) {
	s := testSpool(t, testServer(t, ServerConfig{}), Config{})
	write(t, s, batch("a", 1, 0, 10), batch("a", 1, 5, 15))
	var hole *ErrHole
	if err := s.Write(t.Context(), batch("a", 1, 20, 30)); !errors.As(err, &hole) || hole.Last != 15 || hole.First != 20 {
		t.Fatalf("got %v", err)
	}
	if err := s.WriteDrop(t.Context(), Drop{"a", 1, 12, 20, "đĩa đầy"}); err != nil {
		t.Fatal(err)
	}
	write(t, s, batch("a", 1, 20, 30))
	rs := readAll(t, s, Cursor{})
	got := units(rs, "a")
	if len(got) != 25 || got[14] != 14 || got[15] != 20 {
		t.Fatalf("units %v", got)
	}
	var drops []Drop
	for _, r := range rs {
		drops = append(drops, r.Drops...)
	}
	if len(drops) != 1 || drops[0] != (Drop{"a", 1, 15, 20, "đĩa đầy"}) {
		t.Fatalf("drops %v", drops)
	}
	if st := s.Stats(); st.Cut != 5 || st.Holes != 1 || st.Drops != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestReopenRebuildsRanges(t *testing.T) {
	for _, withCheckpoint := range []bool{true, false} {
		t.Run(fmt.Sprint(withCheckpoint), func(t *testing.T) {
			dir := t.TempDir()
			srv := testServer(t, ServerConfig{Dir: dir})
			s := testSpool(t, srv, Config{})
			write(t, s, batch("a", 1, 0, 10), batch("b", 5, 0, 10))
			if err := s.writeCheckpoint(); err != nil {
				t.Fatal(err)
			}
			write(t, s, batch("a", 2, 0, 4))
			last := s.End()
			if withCheckpoint {
				_ = s.Close()
			} else {
				s.cfg.Log = slog.New(slog.DiscardHandler)
				_ = s.Close()
				if err := writeSealed(s.path(".ranges"), checkpoint{}); err != nil {
					t.Fatal(err)
				}
			}
			_ = srv.Close()
			s = testSpool(t, testServer(t, ServerConfig{Dir: dir}), Config{})
			if !s.End().Equal(last) {
				t.Fatalf("end %v, was %v", s.End(), last)
			}
			write(t, s, batch("a", 1, 0, 10), batch("a", 2, 2, 8), batch("b", 5, 5, 10))
			var hole *ErrHole
			if err := s.Write(t.Context(), batch("b", 5, 11, 12)); !errors.As(err, &hole) {
				t.Fatalf("got %v", err)
			}
			got := units(readAll(t, s, Cursor{}), "a")
			contiguous(t, got[:10], 0, 10)
			contiguous(t, got[10:], 0, 8)
		})
	}
}

func TestFenceAgainstSecondWriter(t *testing.T) {
	srv := testServer(t, ServerConfig{})
	one := testSpool(t, srv, Config{})
	write(t, one, batch("a", 1, 0, 10))
	two := testSpool(t, srv, Config{})
	write(t, two, batch("a", 1, 10, 20))
	if err := one.Write(t.Context(), batch("a", 1, 10, 30)); !errors.Is(err, ErrFenced) {
		t.Fatalf("got %v", err)
	}
	if err := one.Write(t.Context(), batch("b", 1, 0, 1)); !errors.Is(err, ErrFenced) {
		t.Fatalf("got %v", err)
	}
	write(t, two, batch("a", 1, 10, 30))
	contiguous(t, units(readAll(t, two, Cursor{}), "a"), 0, 30)
}

func TestFullHeals(t *testing.T) {
	var free atomic.Int64
	free.Store(1 << 40)
	srv := testServer(t, ServerConfig{Space: func(string) (int64, int64, error) { return free.Load(), 1 << 41, nil },
		Reserve: 1 << 30})
	s := testSpool(t, srv, Config{})
	write(t, s, batch("a", 1, 0, 10))
	free.Store(1<<30 - 1)
	if err := s.Write(t.Context(), batch("a", 1, 10, 20)); !errors.Is(err, ErrFull) {
		t.Fatalf("got %v", err)
	}
	write(t, s, batch("a", 1, 0, 10)) // known, so it needs no room
	if err := srv.Room(0.5); err != nil {
		t.Fatalf("the alert log has no room: %v", err)
	}
	if _, err := s.Tick(t.Context()); err != nil {
		t.Fatalf("time stands still: %v", err)
	}
	free.Store(1<<29 - 1)
	if _, err := s.Control(t.Context(), 1); !errors.Is(err, ErrFull) {
		t.Fatalf("got %v", err)
	}
	if !s.Stats().Full {
		t.Error("stats do not say full")
	}
	free.Store(1 << 31)
	write(t, s, batch("a", 1, 10, 20))
	contiguous(t, units(readAll(t, s, Cursor{}), "a"), 0, 20)
}

func TestMaxBytesIsFull(t *testing.T) {
	s := testSpool(t, testServer(t, ServerConfig{}), Config{MaxBytes: 20_000, Readers: []string{"store"}})
	var n uint64
	var err error
	for err == nil && n < 10_000 {
		if err = s.Write(t.Context(), batch("a", 1, n, n+10)); err == nil {
			n += 10
		}
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("got %v after %d", err, n)
	}
	rs := readAll(t, s, Cursor{})
	if err := s.Trim("store", Cursor{}.Advance(&rs[len(rs)-1])); err != nil {
		t.Fatal(err)
	}
	write(t, s, batch("a", 1, n, n+10))
	if got := units(readAll(t, s, s.Trimmed("store")), "a"); len(got) != 10 || got[0] != n {
		t.Fatalf("units %v", got)
	}
}
