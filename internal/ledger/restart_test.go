// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// saved is what a process leaves behind.
type saved struct{ read, stored uint64 }

// save saves the book and then the readers' own places.
func (r *rig) save() saved {
	if err := r.l.Save(); err != nil {
		r.tb.Fatal(err)
	}
	return saved{r.stream.read, r.stream.stored}
}

// crash ends the process and starts the next: the readers go on where they saved, the collectors begin to count anew.
func (r *rig) crash(s saved) {
	r.tb.Helper()
	r.stream.read, r.stream.stored = s.read, s.stored
	r.store.did = StoreCounts{}
	for _, f := range r.lines {
		f.received, f.accepted, f.dropped = 0, 0, 0
		if r.rnd.IntN(2) == 0 { // a listener; else it is an agent, which goes on
			f.epoch++
			f.next, f.prev = 0, nil
		}
	}
	r.open()
}

// TestExactAfterKills ends the process at any moment, with a book that is older than what was acknowledged.
func TestExactAfterKills(t *testing.T) {
	for seed := range uint64(16) {
		r := newRig(t, seed)
		at := r.save()
		for range 8 {
			r.traffic(1 + r.rnd.IntN(60))
			if r.rnd.IntN(2) == 0 {
				at = r.save()
			}
			r.traffic(r.rnd.IntN(30))
			r.want()
			r.crash(at)
			r.want()
		}
		r.traffic(30)
		r.settle()
		r.want()
		truth := map[string]uint64{}
		for _, rec := range r.stream.records {
			for _, b := range rec.Batches {
				truth[b.Source()] += uint64(b.Len())
			}
		}
		v := r.l.View()
		for _, row := range v.Sources {
			n := truth[row.Source]
			if row.Accepted != n || row.Written != n || row.Read != n || row.Given != n || row.Stored+row.Expired != n {
				t.Errorf("seed %d: %s: %d in the stream, %+v", seed, row.Source, n, row)
			}
		}
		if v.Reason != reasonNew || len(v.Sources) != len(truth) {
			t.Errorf("seed %d: %q, %d rows of %d", seed, v.Reason, len(v.Sources), len(truth))
		}
		for _, o := range r.l.Origins() {
			if o.Accepted != o.Read || o.Read != o.Stored+o.Expired || o.Lost != 0 {
				t.Errorf("seed %d: %+v", seed, o)
			}
		}
	}
}

// TestTroublesOutliveTheProcess keeps what is missing, and does not tell it again.
func TestTroublesOutliveTheProcess(t *testing.T) {
	r := newRig(t, 3)
	r.traffic(40)
	r.loseDecode = 2
	r.send("listener/1", 5)
	r.stream.loseEvents = 1
	r.send("listener/1", 5)
	r.feed("listener/1").received += 4
	r.settle()
	list := []string{"listener/1 listener 4", "listener/1 decode 2", "listener/1 spool 1"}
	r.want(list...)
	r.crash(r.save())
	r.traffic(40)
	r.settle()
	r.want(list...)
	if len(r.l.found) > 0 {
		t.Errorf("told again: %+v", r.l.found)
	}
}

func TestDamagedOrForeignBooks(t *testing.T) {
	for name, x := range map[string]struct {
		spoil func(r *rig, path string)
		want  string
	}{
		"a flipped byte": {func(_ *rig, path string) {
			data, _ := os.ReadFile(path)
			data[len(data)/2] ^= 1
			_ = os.WriteFile(path, data, 0o600)
		}, "checksum"},
		"empty":           {func(_ *rig, path string) { _ = os.WriteFile(path, nil, 0o600) }, "no book"},
		"another version": {func(_ *rig, path string) { _ = os.WriteFile(path, []byte("haidang ledger 9 00000000\n{}"), 0o600) }, "version 9"},
		"behind its readers": {func(r *rig, _ string) {
			r.send("listener/0", 2)
			r.settle()
		}, "but"},
		"beyond the stream": {func(r *rig, _ string) { r.stream.records = r.stream.records[:2] }, "beyond the stream"},
	} {
		r := newRig(t, 5)
		r.traffic(80)
		r.settle()
		r.save()
		x.spoil(r, filepath.Join(r.dir, "book.json"))
		at := saved{min(r.stream.read, uint64(len(r.stream.records))), min(r.stream.stored, uint64(len(r.stream.records)))}
		r.stream.known = map[string]mark{}
		for name, f := range r.lines {
			f.epoch++
			f.next, f.prev = 0, nil
			r.stream.known[name] = mark{f.epoch - 1, 0}
		}
		r.crash(at)
		if v := r.l.View(); !strings.Contains(v.Reason, x.want) {
			t.Errorf("%s: reason %q, want %q", name, v.Reason, x.want)
		}
		if _, err := os.Stat(filepath.Join(r.dir, "book.json.old")); err != nil {
			t.Errorf("%s: the old book was not kept: %v", name, err)
		}
		r.traffic(80)
		r.settle()
		r.want()
	}
}

// TestBoundedOrigins counts every event though only some origins have rows.
func TestBoundedOrigins(t *testing.T) {
	r := newRig(t, 1)
	r.l.cfg.Origins = 100
	b := event.NewBuilder("listener/x", 1)
	const n = 5000
	for u := range uint64(n) {
		b.Begin(u, 0)
		b.Str(event.HaidangOrigin, fmt.Sprint("192.0.2.", u%1000))
		b.End()
	}
	if err := r.intake.Write(t.Context(), b.Batch(0, n)); err != nil {
		t.Fatal(err)
	}
	r.settle()
	r.want()
	list := r.l.Origins()
	if len(list) != 101 || list[0].Name != Other || list[0].Accepted != n-500 || list[0].Read != n-500 {
		t.Fatalf("%d rows, the first %+v", len(list), list[0])
	}
	if v := r.l.View(); v.Surplus == 0 {
		t.Errorf("%+v", v)
	}
	r.crash(r.save())
	if again := r.l.Origins(); len(again) != 101 || again[0].Accepted != n-500 {
		t.Fatalf("after a restart %d rows", len(again))
	}
}

// TestSilenceAgainstOwnRhythm: who speaks each minute is missed after a quarter of an hour, who speaks each hour is not.
func TestSilenceAgainstOwnRhythm(t *testing.T) {
	r := newRig(t, 1)
	say := func(source, origin string, unit uint64) {
		b := event.NewBuilder(source, 1)
		b.Begin(unit, 0)
		b.Time(event.EventCreated, r.now.UnixNano())
		b.Str(event.HaidangOrigin, origin)
		b.End()
		if err := r.intake.Write(t.Context(), b.Batch(unit, unit+1)); err != nil {
			t.Fatal(err)
		}
		for r.readOne() {
		}
		r.l.Evaluate()
	}
	for m := range uint64(120 * 60) {
		r.now = r.now.Add(time.Minute)
		if m < 119*60 {
			say("listener/a", "10.0.0.1", m)
		}
		if m%60 == 0 {
			say("listener/b", "10.0.0.2", m/60)
		}
		r.stream.append(spool.Record{Kind: spool.KindTick})
		for r.readOne() {
		}
		r.l.Evaluate()
	}
	if len(r.l.found) != 1 || r.l.found[0].Origin != "10.0.0.1" || r.l.found[0].Seconds < 900 || r.l.found[0].Seconds > 961 {
		t.Fatalf("%+v", r.l.found)
	}
}

func FuzzBook(f *testing.F) {
	r := newRig(f, 9)
	r.traffic(60)
	r.loseDecode = 1
	r.send("listener/1", 3)
	r.settle()
	r.save()
	data, err := os.ReadFile(filepath.Join(r.dir, "book.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("haidang ledger 1 00000000\n{}"))
	f.Add([]byte("haidang ledger 2 00000000\n"))
	f.Add([]byte(`haidang ledger 1 x` + "\n" + `{"sources":{"a":null},"origins":{"ồ":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = decodeBook(data)
		b, err := parseBook(data) // behind the checksum
		if err != nil {
			return
		}
		for _, s := range b.Sources {
			s.In.cover(1, 5, 9)
			if !s.In.valid() || !s.Out.valid() {
				t.Fatalf("%+v", s.In)
			}
			_ = s.row("x")
		}
		var rows []row
		for name, o := range b.Origins {
			rows = append(rows, row{name, *o})
		}
		again, err := encode(b, rows)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeBook(again)
		if err != nil {
			t.Fatalf("it does not read what it wrote: %v\n%s", err, again)
		}
		for _, r := range rows {
			if !utf8.ValidString(r.name) { // JSON has no other
				continue
			}
			if got := back.Origins[r.name]; got == nil || got.Accepted != r.Accepted || got.Skew != r.Skew ||
				got.Site != r.Site || got.LastSeen != r.LastSeen || got.Silent != r.Silent {
				t.Fatalf("%q: %+v, want %+v", r.name, got, r.origin)
			}
		}
	})
}

// FuzzCovered holds the spans to a plain set.
func FuzzCovered(f *testing.F) {
	f.Add([]byte{0, 5, 5, 9, 2, 7, 20, 30, 9, 20})
	f.Fuzz(func(t *testing.T, data []byte) {
		var c covered
		set := map[uint64]bool{}
		for i := 0; i+1 < min(len(data), 120); i += 2 {
			first, last := uint64(data[i]), uint64(data[i+1])
			want := uint64(0)
			for u := first; u < last; u++ {
				if !set[u] {
					want++
				}
				set[u] = true
			}
			if got := c.cover(0, first, last); got != want {
				t.Fatalf("[%d, %d): %d new, want %d: %v", first, last, got, want, c.Spans)
			}
			if !c.valid() {
				t.Fatalf("%v", c.Spans)
			}
			for u := range uint64(256) {
				if c.has(u) != set[u] {
					t.Fatalf("unit %d: %v", u, c.Spans)
				}
			}
		}
	})
}

// TestAdoptedAgain: a listener writes what an earlier process was killed with, though the stream has it: known, no loss.
func TestAdoptedAgain(t *testing.T) {
	r := newRig(t, 1)
	r.send("listener/0", 5)
	f := r.feed("listener/0")
	old, epoch := f.prev, f.epoch
	at := r.save()
	r.crash(at)
	f.epoch, f.next = epoch+1, 0
	f.received += 5 // the new process takes them up again
	if err := r.intake.Write(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	f.accepted += 5
	r.send("listener/0", 3)
	r.settle()
	r.want()
	if row := r.l.View().Sources[0]; row.Accepted != 8 || row.Known != 5 || row.Stored != 8 {
		t.Errorf("%+v", row)
	}
}
