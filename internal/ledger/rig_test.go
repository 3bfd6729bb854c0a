// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// rig is a pipeline in miniature: a collector, decoders, a stream with two readers, a store; each can be told to lose.
type rig struct {
	tb  testing.TB
	dir string
	rnd *rand.Rand
	now time.Time

	l      *Ledger
	intake event.Writer
	stream *stream
	store  *storage
	book   *appender
	lines  map[string]*feed

	loseDecode int // events that the decoders swallow next
}

// feed is a source with the numbers of its collector.
type feed struct {
	epoch, next uint64
	received    uint64
	accepted    uint64
	dropped     uint64
	prev        *event.Batch
}

func newRig(tb testing.TB, seed uint64) *rig {
	r := &rig{tb: tb, dir: tb.TempDir(), rnd: rand.New(rand.NewPCG(seed, 7)),
		now: time.Date(2026, 9, 2, 2, 10, 0, 0, time.UTC), lines: map[string]*feed{}}
	r.stream = &stream{rig: r, known: map[string]mark{}}
	r.store = &storage{}
	r.open()
	return r
}

// open opens the ledger, as a process does that begins where the stages' own places say.
func (r *rig) open() {
	r.tb.Helper()
	l, err := Open(Config{Dir: r.dir, End: r.stream.end, Known: r.stream.acks(), StreamFrom: cursor(r.stream.read),
		StoreFrom: cursor(r.stream.stored), Listeners: r.listeners, Now: func() time.Time { return r.now }})
	if err != nil {
		r.tb.Fatal(err)
	}
	r.l = l
	r.intake = l.Intake(decoder{r, l.Tap(r.stream)})
	r.book = l.Appender(r.store, r.store.counts).(*appender)
}

func cursor(seq uint64) spool.Cursor { return spool.NewCursor(spool.Mark{Incarnation: "x", Seq: seq}) }

func (r *rig) listeners() (list []Listener) {
	for name, f := range r.lines {
		list = append(list, Listener{Source: name, Kind: "syslog", Counts: map[string]uint64{"received": f.received,
			"accepted": f.accepted, "dropped.queue": f.dropped, "dropped.kernel": 3}})
	}
	return list
}

func (r *rig) feed(name string) *feed {
	f := r.lines[name]
	if f == nil {
		f = &feed{epoch: 1, next: uint64(r.rnd.IntN(3)) * 100}
		r.lines[name] = f
	}
	return f
}

// batch makes the units [first, last) of a source.
func (r *rig) batch(name string, epoch, first, last uint64) *event.Batch {
	b := event.NewBuilder(name, epoch)
	for u := first; u < last; u++ {
		b.Begin(u, 0)
		b.Time(event.EventCreated, r.now.UnixNano())
		b.Time(event.Timestamp, r.now.Add(-2*time.Second).UnixNano())
		b.Str(event.HaidangOrigin, fmt.Sprintf("10.0.0.%d", u%5))
		b.Str(event.HaidangDecoder, []string{"sshd", "syslog", "asa"}[u%3])
		b.End()
	}
	return b.Batch(first, last)
}

// send sends n new events of a source.
func (r *rig) send(name string, n int) {
	r.tb.Helper()
	f := r.feed(name)
	b := r.batch(name, f.epoch, f.next, f.next+uint64(n))
	f.received += uint64(n)
	if err := r.intake.Write(r.tb.Context(), b); err != nil {
		r.tb.Fatalf("%s: %v", name, err)
	}
	f.accepted += uint64(n)
	f.next += uint64(n)
	f.prev = b
}

// readOne gives the next record to the ledger as the correlator's loop does.
func (r *rig) readOne() bool {
	if r.stream.read >= uint64(len(r.stream.records)) {
		return false
	}
	rec := r.stream.records[r.stream.read]
	r.stream.read++
	r.l.Streamed(&rec)
	return true
}

// storeOne gives the next record to the store.
func (r *rig) storeOne() bool {
	if r.stream.stored >= uint64(len(r.stream.records)) {
		return false
	}
	rec := r.stream.records[r.stream.stored]
	r.stream.stored++
	for _, b := range rec.Batches {
		for e := range b.Events() {
			if r.store.expireNext > 0 {
				r.store.expireNext--
				r.store.toExpire = append(r.store.toExpire, e)
			}
		}
	}
	r.store.l = r.l
	if err := r.book.Append(r.tb.Context(), &rec); err != nil {
		r.tb.Fatal(err)
	}
	return true
}

// settle lets the readers catch up and time pass.
func (r *rig) settle() {
	for r.readOne() {
	}
	for r.storeOne() {
	}
	for range 100 {
		r.now = r.now.Add(time.Second)
		r.l.Evaluate()
	}
}

// troubles are what the balance says, "source hop count".
func (r *rig) troubles() (list []string) {
	for _, row := range r.l.View().Sources {
		for _, t := range row.Troubles {
			list = append(list, fmt.Sprintf("%s %s %d", row.Source, t.Hop, t.Count))
		}
	}
	return list
}

func (r *rig) want(list ...string) {
	r.tb.Helper()
	if got := r.troubles(); !slices.Equal(got, list) {
		r.tb.Errorf("troubles %q, want %q", got, list)
	}
}

// decoder passes on all events but those it is told to lose.
type decoder struct {
	rig  *rig
	next event.Writer
}

func (d decoder) Write(ctx context.Context, in *event.Batch) error {
	b := event.NewBuilder(in.Source(), in.Epoch())
	lost := 0
	for e := range in.Events() {
		if lost < d.rig.loseDecode {
			lost++
			continue
		}
		b.Begin(0, 0)
		b.Copy(e)
		b.End()
	}
	d.rig.loseDecode = 0
	return d.next.Write(ctx, b.Batch(in.First(), in.Last()))
}

// stream takes ranges as the spool does.
type stream struct {
	rig          *rig
	records      []spool.Record
	known        map[string]mark
	read, stored uint64 // how far the readers are
	loseEvents   int    // that the next batch has less when it is read
	loseBatch    bool   // the next batch is acknowledged and gone
	double       bool   // the next batch's first event comes twice
	refuse       error
}

func (s *stream) end() Place { return Place{"x", uint64(len(s.records))} }

func (s *stream) acks() (list []spool.Ack) {
	for name, m := range s.known {
		list = append(list, spool.Ack{Source: name, Epoch: m.Epoch, Last: m.Last})
	}
	return list
}

func (s *stream) Write(_ context.Context, b *event.Batch) error {
	if s.refuse != nil {
		return s.refuse
	}
	k, ok := s.known[b.Source()]
	switch {
	case !ok || b.Epoch() > k.Epoch:
	case b.Epoch() < k.Epoch || b.Last() <= k.Last:
		return nil
	case b.First() > k.Last:
		return errors.New("hole")
	default:
		b = b.Cut(k.Last)
	}
	s.known[b.Source()] = mark{b.Epoch(), b.Last()}
	if s.loseBatch {
		s.loseBatch = false
		s.append(spool.Record{Kind: spool.KindTick})
		return nil
	}
	if s.loseEvents > 0 || s.double {
		n := event.NewBuilder(b.Source(), b.Epoch())
		for i := range b.Len() {
			for range 1 + map[bool]int{true: 1}[s.double && i == 0] {
				if i < s.loseEvents {
					continue
				}
				n.Begin(0, 0)
				n.Copy(b.At(i))
				n.End()
			}
		}
		b, s.loseEvents, s.double = n.Batch(b.First(), b.Last()), 0, false
	}
	s.append(spool.Record{Kind: spool.KindBatches, Batches: []*event.Batch{b}})
	return nil
}

// drop declares the next n units of a source lost.
func (s *stream) drop(name string, epoch, n uint64) {
	k := s.known[name]
	s.known[name] = mark{epoch, k.Last + n}
	s.append(spool.Record{Kind: spool.KindBatches, Drops: []spool.Drop{{Source: name, Epoch: epoch, First: k.Last,
		Last: k.Last + n, Reason: "đầy đĩa"}}})
}

func (s *stream) append(r spool.Record) {
	r.At.Seq, r.Incarnation, r.Clock = uint64(len(s.records))+1, "x", s.rig.now.UnixNano()
	s.records = append(s.records, r)
}

// join makes the last n records one record.
func (s *stream) join(n int) {
	first := &s.records[len(s.records)-n]
	for _, r := range s.records[len(s.records)-n+1:] {
		first.Batches = append(first.Batches, r.Batches...)
	}
	s.records = s.records[:len(s.records)-n+1]
}

// storage counts as the local store does.
type storage struct {
	l          *Ledger
	did        StoreCounts
	lose       int // events it swallows next
	dead       int
	expireNext int
	toExpire   []event.Event
}

func (s *storage) counts() StoreCounts { return s.did }

func (s *storage) Append(_ context.Context, r *spool.Record) error {
	n := uint64(0)
	for _, b := range r.Batches {
		n += uint64(b.Len())
	}
	for _, e := range s.toExpire {
		s.l.Expired(e)
	}
	s.did.Expired += uint64(len(s.toExpire))
	n -= uint64(len(s.toExpire))
	s.toExpire = nil
	lost := min(n, uint64(s.lose))
	s.lose -= int(lost)
	dead := min(n-lost, uint64(s.dead))
	s.dead -= int(dead)
	s.did.Dead += dead
	s.did.Kept += n - lost - dead
	return nil
}

func (s *storage) Sync(context.Context) (spool.Cursor, error) { return spool.Cursor{}, nil }
