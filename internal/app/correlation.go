// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"time"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// correlation is what metrics and /readyz say of the correlator.
type correlation struct {
	stats correlator.Stats
	seq   uint64
	clock int64 // of the stream there
}

// correlate reads the spool through the engine until ctx is done. What a record causes is safe (alerts in the log,
// derived events in the spool) before the next one is taken, and the state is saved only behind that: after a crash the
// same records cause the same alerts and events, which log and spool know already.
func (a *App) correlate(ctx context.Context) error {
	save := func() error {
		if err := a.ledger.Save(); err != nil { // first: the book is never behind its readers
			a.log.Error("the ledger could not be saved", "error", err)
		}
		c, err := a.saver.Save(a.engine)
		if err != nil {
			return err
		}
		return a.spool.Trim(readerCorrelator, c)
	}
	for r, err := range a.spool.Read(ctx, a.engine.Cursor()) {
		if err != nil {
			return err
		}
		a.ledger.Streamed(&r)
		out, err := a.engine.Process(&r)
		if err != nil {
			return err
		}
		if err := a.tell(ctx, out); err != nil {
			return err // only when ctx is done: the record is processed again by the next process
		}
		if r.Kind == spool.KindTick {
			a.correlated.Store(&correlation{a.engine.Stats(), r.At.Seq, r.Clock})
		}
		if a.saver.Due(time.Now()) {
			if err := save(); err != nil {
				a.log.Error("the correlator's state could not be saved; the spool keeps what it needs", "error", err)
			}
		}
	}
	return save()
}

// tell makes what a record caused safe, however long that takes.
func (a *App) tell(ctx context.Context, out correlator.Output) error {
	if len(out.Alerts) > 0 {
		err := a.insist(ctx, "the alert log", func() error {
			_, err := a.alerts.Emit(ctx, out.Alerts...)
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, b := range out.Derived {
		err := a.insist(ctx, "the spool", func() error {
			// Ticks that implied no event have no unit: they are no hole.
			if known, ok := a.spool.Known(b.Source()); ok && known.Epoch == b.Epoch() {
				b = b.Widen(known.Last)
			}
			return a.spool.Write(ctx, b)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// insist repeats f until it succeeds or ctx is done.
func (a *App) insist(ctx context.Context, where string, f func() error) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		err := f()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.log.Error("what the correlator says waits for "+where, "error", err, "again_in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// signals writes every entry of the alert log to the spool, so that the stores keep alerts beside events.
func (a *App) signals(ctx context.Context) error {
	w := insister{a, ctx}
	var last uint64
	if known, ok := a.spool.Known(alert.Source); ok && known.Last > 0 {
		last = known.Last - 1 // entry n is the range [n, n+1)
	}
	return a.alerts.Signals(ctx, w, 0, last)
}

// insister is the spool for a writer that must not lose anything and can wait.
type insister struct {
	a   *App
	ctx context.Context
}

// Write writes until the spool takes the batch.
func (w insister) Write(ctx context.Context, b *event.Batch) error {
	return w.a.insist(ctx, "the spool", func() error { return w.a.spool.Write(ctx, b) })
}
