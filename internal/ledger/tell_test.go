// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// refusing refuses the first write.
type refusing struct {
	next    event.Writer
	refused bool
	events  []event.Event
}

func (w *refusing) Write(ctx context.Context, b *event.Batch) error {
	if !w.refused {
		w.refused = true
		return errors.New("full")
	}
	for e := range b.Events() {
		w.events = append(w.events, e)
	}
	return w.next.Write(ctx, b)
}

// TestTold writes a finding until it is taken, once, through the same books.
func TestTold(t *testing.T) {
	r := newRig(t, 1)
	r.send("listener/0", 4)
	r.loseDecode = 1
	r.send("listener/0", 4)
	r.settle()
	out := &refusing{next: r.intake}
	known := func() (spool.Ack, bool) {
		m, ok := r.stream.known[Source]
		return spool.Ack{Source: Source, Epoch: m.Epoch, Last: m.Last}, ok
	}
	if err := r.l.tell(t.Context(), out, known); err == nil {
		t.Fatal("a refusal went unnoticed")
	}
	for range 3 {
		if err := r.l.tell(t.Context(), out, known); err != nil {
			t.Fatal(err)
		}
	}
	if len(out.events) != 1 {
		t.Fatalf("%d events", len(out.events))
	}
	e := out.events[0]
	for id, want := range map[event.FieldID]string{event.EventDataset: "haidang.ledger",
		event.EventAction: ActionUnbalanced, event.HaidangLedgerHop: HopDecode, event.HaidangLedgerSource: "listener/0"} {
		if got := e.Text(id); got != want {
			t.Errorf("%s is %q, want %q", id.Name(), got, want)
		}
	}
	if v, ok := e.Get(event.HaidangDropCount); !ok || v.Int() != 1 {
		t.Errorf("count %v", v)
	}
	r.loseDecode = 2
	r.send("listener/0", 4)
	r.settle()
	if err := r.l.tell(t.Context(), out, known); err != nil {
		t.Fatal(err)
	}
	r.settle()
	r.want("listener/0 decode 3")
	if len(out.events) != 2 || out.events[1].ID() == e.ID() {
		t.Fatalf("%d events", len(out.events))
	}
	if v, _ := out.events[1].Get(event.HaidangDropCount); v.Int() != 2 {
		t.Errorf("the second finding counts %d, want what is new", v.Int())
	}
}

// locked is the rig's stream for many writers.
type locked struct {
	mu sync.Mutex
	s  *stream
}

func (w *locked) Write(ctx context.Context, b *event.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.s.Write(ctx, b)
}

// TestManyWriters writes from many goroutines while the readers read and the balance is looked at.
func TestManyWriters(t *testing.T) {
	r := newRig(t, 1)
	out := &locked{s: r.stream}
	r.l.cfg.End = func() Place {
		out.mu.Lock()
		defer out.mu.Unlock()
		return r.stream.end()
	}
	tap := r.l.Intake(r.l.Tap(out))
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	const each = 200
	names := []string{"a", "b", "c", "d"}
	for _, name := range names {
		writers.Go(func() {
			for i := range uint64(each) {
				if err := tap.Write(t.Context(), r.batch(name, 1, i*3, i*3+3)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			out.mu.Lock()
			ok := r.readOne()
			out.mu.Unlock()
			if i%7 == 0 {
				r.l.Evaluate()
				if v := r.l.View(); !v.Balanced {
					t.Errorf("%+v", v.Sources)
				}
			}
			if !ok && i%50 == 0 {
				if err := r.l.Save(); err != nil {
					t.Error(err)
				}
			}
		}
	})
	writers.Wait()
	close(stop)
	readers.Wait()
	r.settle()
	r.want()
	for _, row := range r.l.View().Sources {
		if row.Accepted != each*3 || row.Stored != each*3 {
			t.Errorf("%+v", row)
		}
	}
}
