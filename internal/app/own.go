// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"os"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
)

// The sources of what the program says of itself: events of the system soc.
const (
	sourceAudit  = "audit"
	sourceServer = "server"
)

const systemSOC = "soc"

// ofSOC fills in what every event of our own says; the inventory may know the system that we are.
func (a *App) ofSOC(b *event.Builder) {
	b.Time(event.EventIngested, time.Now().UnixNano())
	b.Str(event.EventModule, "haidang")
	b.Str(event.HaidangOrigin, "haidang")
	if host, err := os.Hostname(); err == nil {
		b.Str(event.HostName, host)
	}
	inv := a.inventory.Get()
	b.Str(event.HaidangInventoryVersion, inv.Version())
	b.Str(event.HaidangSystemID, systemSOC)
	if s, ok := inv.System(systemSOC); ok {
		b.Str(event.HaidangSystemName, s.Name)
		b.Int(event.HaidangLevel, int64(s.Effective))
		b.Str(event.HaidangLevelStatus, string(s.Status))
		b.Strs(event.HaidangUnitID, s.Units()...)
	}
}

// tellStoreDown puts into the stream that this process runs without the store, so that a rule tells people.
func (a *App) tellStoreDown(ctx context.Context) error {
	epoch := uint64(time.Now().UnixNano())
	if known, ok := a.spool.Known(sourceServer); ok {
		epoch = max(epoch, known.Epoch+1)
	}
	b := event.NewBuilder(sourceServer, epoch)
	b.Begin(0, 0)
	now := a.wall()
	b.Time(event.Timestamp, now)
	b.Time(event.EventCreated, now)
	b.Str(event.EventKind, "event")
	b.Str(event.EventDataset, "haidang.server")
	b.Str(event.EventAction, "store_down")
	b.Strs(event.EventCategory, "process")
	b.Strs(event.EventType, "error")
	b.Str(event.EventOutcome, "failure")
	b.Str(event.Message, "Máy chủ haidang dừng nhiều lần: chạy không có kho tìm kiếm, sự kiện vẫn được thu và đối chiếu")
	a.ofSOC(b)
	b.End()
	return a.insist(ctx, "the spool", func() error { return a.spool.Write(ctx, b.Batch(0, 1)) })
}

// auditTail takes the audit's new entries without holding up whoever is audited. What does not fit is read from the
// file later: nothing is dropped.
type auditTail struct {
	news chan access.Entry
	more chan struct{} // says that entries did not fit
}

func newAuditTail() *auditTail {
	return &auditTail{make(chan access.Entry, 256), make(chan struct{}, 1)}
}

// tell is what the audit calls.
func (t *auditTail) tell(e access.Entry) {
	select {
	case t.news <- e:
	default:
		select {
		case t.more <- struct{}{}:
		default:
		}
	}
}

// auditEvents writes the audit's entries to the spool, each once: the spool knows the last one. Entry n is the range
// [n, n+1); the epoch is the time of the file's first entry.
func (a *App) auditEvents(ctx context.Context) error {
	w := &auditWriter{a: a}
	if known, ok := a.spool.Known(sourceAudit); ok {
		w.epoch, w.last = known.Epoch, known.Last-1
	}
	for {
		if err := w.catchUp(ctx); err != nil {
			return err
		}
		if w.off {
			<-ctx.Done()
			return nil
		}
		if err := w.follow(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

type auditWriter struct {
	a     *App
	epoch uint64
	last  uint64 // entry that the spool has
	off   bool   // the file is not what it was
}

// catchUp writes what is in the file and not in the spool.
func (w *auditWriter) catchUp(ctx context.Context) error {
	for e, err := range w.a.audit.Entries() {
		if err != nil {
			w.a.log.Error("the audit cannot be read: its entries are no events from here on", "error", err)
			w.off = true
			return nil
		}
		if at := uint64(e.At.UnixNano()); e.Seq == 1 && at != w.epoch {
			if at < w.epoch {
				w.a.log.Error("the audit is older than the one whose entries are events: it goes without them")
				w.off = true
				return nil
			}
			w.epoch, w.last = at, 0
		}
		if err := w.write(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// follow writes what comes, until entries did not fit.
func (w *auditWriter) follow(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.a.tail.more:
			return nil
		case e := <-w.a.tail.news:
			if w.epoch == 0 || e.Seq > w.last+1 {
				return nil // the file has it, and those before it
			}
			if err := w.write(ctx, e); err != nil {
				return err
			}
		}
	}
}

func (w *auditWriter) write(ctx context.Context, e access.Entry) error {
	if e.Seq <= w.last {
		return nil
	}
	b := event.NewBuilder(sourceAudit, w.epoch)
	b.Begin(e.Seq, 0)
	e.Fill(b)
	w.a.ofSOC(b)
	b.End()
	err := w.a.insist(ctx, "the spool", func() error { return w.a.spool.Write(ctx, b.Batch(e.Seq, e.Seq+1)) })
	if err != nil {
		if ctx.Err() != nil {
			return nil // the next process goes on here
		}
		return err
	}
	w.last = e.Seq
	return nil
}
