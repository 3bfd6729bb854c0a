// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"sync/atomic"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store"
)

// fallback is the decoder of what no other decoder took.
const fallback = "syslog"

// tallyKey carries, from Intake to Tap, how many events of one write came out of the decoders.
type tallyKey struct{}

// Intake counts what collectors hand over and the pipeline acknowledges: it stands before the decoders.
func (l *Ledger) Intake(next event.Writer) event.Writer { return &intake{l, next} }

type intake struct {
	l    *Ledger
	next event.Writer
}

// Write writes on, and counts the batch once it is safe.
func (w *intake) Write(ctx context.Context, b *event.Batch) error {
	l := w.l
	l.mu.Lock()
	l.busy[b.Source()]++
	l.source(b.Source()).Tapped = true
	l.mu.Unlock()
	var out atomic.Uint64
	err := w.next.Write(context.WithValue(ctx, tallyKey{}, &out), b)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[b.Source()]--; l.busy[b.Source()] == 0 {
		delete(l.busy, b.Source())
	}
	if err == nil {
		l.taken(b, int64(b.Len())-int64(out.Load()))
	}
	return err
}

// taken books an acknowledged batch, of which the decoders did not pass on so many. l.mu is held.
func (l *Ledger) taken(b *event.Batch, lost int64) {
	s := l.source(b.Source())
	events, units, own := s.accept(b)
	s.life += b.Last() - b.First() // the collector counts what is known as well
	s.own += own
	switch rest := uint64(b.Len()) - events; {
	case units == 0:
		s.Known += rest
	default:
		s.Cut += rest
		s.DecodeLost += lost
	}
	s.LastSeen = l.cfg.Now().UnixNano()
}

// accept books what is new of a batch, and returns how much that is; own is what a listener says of itself.
func (s *source) accept(b *event.Batch) (events, units, own uint64) {
	events, units = s.In.take(b, func(e event.Event) {
		if isReport(e) {
			own++
		}
	})
	s.InEvents += events
	s.InUnits += units
	s.Reports += own
	return events, units, own
}

// isReport reports whether a listener says the event of itself: no sender sent it.
func isReport(e event.Event) bool { return e.Text(event.EventDataset) == "haidang.listener" }

// Tap counts what the decoders hand to the spool and the spool acknowledges: it stands between the two.
func (l *Ledger) Tap(next event.Writer) event.Writer { return &tap{l, next} }

type tap struct {
	l    *Ledger
	next event.Writer
}

// Write writes on, and counts the batch once it is safe.
func (w *tap) Write(ctx context.Context, b *event.Batch) error {
	if err := w.next.Write(ctx, b); err != nil {
		return err
	}
	if out, ok := ctx.Value(tallyKey{}).(*atomic.Uint64); ok {
		out.Add(uint64(b.Len()))
	}
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	w.l.written(b)
	return nil
}

// written books what the spool has. l.mu is held.
func (l *Ledger) written(b *event.Batch) {
	s := l.source(b.Source())
	now := l.cfg.Now().UnixNano()
	events, _ := s.Out.take(b, func(e event.Event) {
		o := l.origin(e)
		o.Accepted++
		o.know(e)
		at := e.Created()
		if at == 0 {
			at = now
		}
		o.heard(at, e.Time())
		switch decoder := e.Text(event.HaidangDecoder); {
		case isReport(e):
		case e.Text(event.EventKind) == "pipeline_error":
			s.Errors++
			o.Errors++
		case decoder == fallback:
			s.Undecoded++
			o.Undecoded++
		default:
			o.decoder(decoder, e)
		}
	})
	s.OutEvents += events
}

// Streamed counts a record that was read from the stream. A record counted before is skipped.
func (l *Ledger) Streamed(r *spool.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick = max(l.tick, r.Clock)
	if l.began == 0 {
		l.began = r.Clock
	}
	if !l.book.Stream.next(r, &l.book.Unread) {
		return
	}
	early := r.At.Seq <= l.start.Seq // of an earlier process: its last acknowledgements may not be in the book
	for _, d := range r.Drops {
		s := l.source(d.Source)
		s.DropUnits += d.Last - d.First
		s.DropReason = d.Reason
		s.advance(d.Epoch, d.First, d.Last)
		s.In.cover(d.Epoch, d.First, d.Last)
		s.Out.cover(d.Epoch, d.First, d.Last)
	}
	for _, b := range r.Batches {
		s := l.source(b.Source())
		if early || !s.Tapped { // or the program's own, past Intake and Tap
			l.recover(b, s)
		}
		s.advance(b.Epoch(), b.First(), b.Last())
		s.Streamed += uint64(b.Len())
		for e := range b.Events() {
			l.origin(e).Streamed++
		}
		s.compare()
	}
}

// recover books for the stages before the stream what the stream has beyond them. l.mu is held.
func (l *Ledger) recover(b *event.Batch, s *source) {
	_, units, own := s.accept(b)
	l.written(b)
	if s.Ended != nil { // the listener that counted them has ended without saying so
		s.Ended["received"] += units - min(units, own)
		s.Ended["accepted"] += units - min(units, own)
	}
}

// advance moves the source's place in the stream, and counts the units between that nobody explained.
func (s *source) advance(epoch, first, last uint64) {
	if s.Stream.Epoch == epoch && s.Stream.Last != 0 && first > s.Stream.Last {
		s.HoleUnits += first - s.Stream.Last
	}
	if epoch > s.Stream.Epoch || epoch == s.Stream.Epoch && last > s.Stream.Last {
		if p := s.pending; p != nil && epoch > p.at.Epoch && s.Stream != p.at {
			s.SpoolLost = int64(p.count) - int64(s.Streamed)
			s.pending = nil
		}
		s.Stream = mark{epoch, last}
	}
}

// next reports whether the record is new to a stage, moves the stage's place, and counts records in between that it
// did not see.
func (p *Place) next(r *spool.Record, unread *uint64) bool {
	if p.Incarnation != r.Incarnation {
		p.Incarnation, p.Seq = r.Incarnation, r.At.Seq-1
	}
	if r.At.Seq <= p.Seq {
		return false
	}
	*unread += r.At.Seq - p.Seq - 1
	p.Seq = r.At.Seq
	return true
}

// expired is an event that the store did not keep.
type expired struct {
	source string
	origin string
}

// StoreCounts is what a store says it did, in all since its process began.
type StoreCounts struct{ Kept, Expired, Dead uint64 }

// Appender counts what is handed to the store and what the store says became of it. counts is read before and after;
// Append is called by one goroutine.
func (l *Ledger) Appender(next store.Appender, counts func() StoreCounts) store.Appender {
	return &appender{l, next, counts}
}

type appender struct {
	l      *Ledger
	next   store.Appender
	counts func() StoreCounts
}

// Sync syncs the store, after the book was saved: the store's place is never beyond the book's.
func (a *appender) Sync(ctx context.Context) (spool.Cursor, error) {
	if err := a.l.Save(); err != nil {
		a.l.cfg.Log.Warn("the ledger could not be saved", "error", err)
	}
	return a.next.Sync(ctx)
}

// Append appends and counts.
func (a *appender) Append(ctx context.Context, r *spool.Record) error {
	a.l.mu.Lock()
	a.l.expire = a.l.expire[:0]
	a.l.mu.Unlock()
	before := a.counts()
	if err := a.next.Append(ctx, r); err != nil {
		return err
	}
	after := a.counts()
	a.l.stored(r, StoreCounts{after.Kept - before.Kept, after.Expired - before.Expired, after.Dead - before.Dead})
	return nil
}

// Expired notes an event of the record under way that the store did not keep since its retention is over.
func (l *Ledger) Expired(e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire = append(l.expire, expired{e.Batch().Source(), e.Text(event.HaidangOrigin)})
}

// stored books what became of a record. Where the store gave no account of some events, they are missing: of the
// record's source when it has one only, else of Several.
func (l *Ledger) stored(r *spool.Record, did StoreCounts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.storeTick = max(l.storeTick, r.Clock)
	if !l.book.Store.next(r, &l.book.Unstored) || len(r.Batches) == 0 {
		return
	}
	given, one := uint64(0), r.Batches[0].Source()
	for _, b := range r.Batches {
		s := l.source(b.Source())
		n := uint64(b.Len())
		given += n
		s.Given += n
		s.Stored += n
		s.StoreEpoch, s.StoreLast = b.Epoch(), b.Last()
		for e := range b.Events() {
			o := l.origin(e)
			o.Given++
			o.Stored++
		}
		if b.Source() != one {
			one = Several
		}
	}
	for _, x := range l.expire {
		s := l.source(x.source)
		s.Stored--
		s.Expired++
		if o := l.book.Origins[x.origin]; o != nil {
			o.Stored--
			o.Expired++
		}
	}
	missing := int64(given) - int64(did.Kept+did.Expired+did.Dead)
	if missing == 0 && did.Dead == 0 {
		return
	}
	s := l.source(one)
	if one == Several { // on top of those that each source was booked for
		s.Given += uint64(max(int64(did.Dead)+missing, 0))
		s.Dead += did.Dead
		return
	}
	s.Stored = uint64(int64(s.Stored) - missing - int64(did.Dead))
	s.Dead += did.Dead
}
