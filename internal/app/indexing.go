// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"time"

	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// index reads the spool into the store until ctx is done, and lets the spool forget what the store has safe. A store
// that fails is tried again from its last sync: it skips by itself what it has.
func (a *App) index(ctx context.Context) error {
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		start := time.Now()
		err := a.indexFrom(ctx, a.store.Cursor())
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				a.log.Warn("the last sync of the store did not succeed; it reads on from the one before", "error", err)
			}
			return nil
		}
		if time.Since(start) > time.Minute {
			pause = time.Second
		}
		if errors.Is(err, local.ErrFull) {
			pause = time.Second // looking costs nothing
		}
		text := err.Error()
		if before := a.indexStopped.Swap(&text); before == nil || *before != text {
			a.log.Error("indexing stopped; nothing is lost while the spool has room", "error", err, "again_in", pause)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

func (a *App) indexFrom(ctx context.Context, from spool.Cursor) error {
	next := time.Now().Add(a.cfg.Store.Sync)
	for r, err := range a.spool.Read(ctx, from) {
		if err != nil {
			return err
		}
		if err := a.booked.Append(ctx, &r); err != nil {
			if errors.Is(err, local.ErrFull) { // what was taken is made safe with what is left
				err = errors.Join(err, a.syncStore(ctx))
			}
			return err
		}
		if len(r.Batches) > 0 && a.indexStopped.Swap(nil) != nil {
			a.log.Info("indexing goes on")
		}
		a.reached.Store(r.Clock)
		if time.Now().Before(next) {
			continue
		}
		if err := a.syncStore(ctx); err != nil {
			return err
		}
		next = time.Now().Add(a.cfg.Store.Sync)
	}
	if ctx.Err() == nil {
		return nil
	}
	return a.syncStore(context.WithoutCancel(ctx))
}

func (a *App) syncStore(ctx context.Context) error {
	c, err := a.booked.Sync(ctx)
	if err != nil {
		return err
	}
	a.indexed.Store(c.Seq(0))
	return a.spool.Trim(readerStore, c)
}
