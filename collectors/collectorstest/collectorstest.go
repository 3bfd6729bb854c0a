// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package collectorstest checks what every collectors.Collector promises. A collector's package calls Run with a way
// to make one and to send to it.
//
// The checks look only at the batches that come out; what a message becomes is the collector's own test.
package collectorstest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/collectors"
	"github.com/haidang-soc/haidang/internal/event"
)

// hang is how long a check waits for what must happen; it only matters where it does not.
const hang = 30 * time.Second

// Subject is a collector under test.
type Subject struct {
	Collector collectors.Collector
	// Ready reports whether Run is far enough for Send.
	Ready func() bool
	// Send makes n events come in, over a connection of its own. It does not wait for them.
	Send func(t *testing.T, n int)
}

// Run runs every check on subjects made by make, each on a new one; dir is the same for subjects that are the same
// collector after a restart of the process.
func Run(t *testing.T, make func(t *testing.T, dir string) Subject) {
	t.Run("contiguous ranges", func(t *testing.T) {
		s, out := make(t, t.TempDir()), newWriter()
		stop := s.start(t, out)
		for i := range 5 {
			s.Send(t, 20)
			out.wait(t, 20*(i+1))
		}
		if err := stop(); err != nil {
			t.Errorf("Run returned %v after a stop, want nil", err)
		}
		out.check(t)
	})
	t.Run("a refused batch comes again", func(t *testing.T) {
		s, out := make(t, t.TempDir()), newWriter()
		refusals := 0
		out.refuse = func(*event.Batch) error {
			if refusals++; refusals%3 != 0 {
				return errors.New("not now")
			}
			return nil
		}
		stop := s.start(t, out)
		for i := range 3 {
			s.Send(t, 10)
			out.wait(t, 10*(i+1))
		}
		if err := stop(); err != nil {
			t.Errorf("Run returned %v after a stop, want nil", err)
		}
		out.check(t)
	})
	t.Run("a stop writes what was read", func(t *testing.T) {
		s, out := make(t, t.TempDir()), newWriter()
		entered := out.blockNext()
		stop := s.start(t, out)
		s.Send(t, 50)
		within(t, "the first batch", entered)
		stopped := async(stop)
		out.unblock()
		if err := stopped(t); err != nil {
			t.Errorf("Run returned %v after a stop, want nil", err)
		}
		out.check(t)
		if out.count() == 0 {
			t.Error("nothing was written")
		}
	})
	t.Run("a blocked Writer does not hold up the stop for ever", func(t *testing.T) {
		s, out := make(t, t.TempDir()), newWriter()
		entered := out.blockNext()
		stop := s.start(t, out)
		s.Send(t, 50)
		within(t, "the first batch", entered)
		if err := stop(); err == nil {
			t.Error("Run lost what it had read and returned nil")
		}
	})
	t.Run("a later run has a later epoch", func(t *testing.T) {
		dir, out := t.TempDir(), newWriter()
		for i := range 3 {
			s := make(t, dir)
			for j := range 2 { // in one process, and after a restart of it
				stop := s.start(t, out)
				s.Send(t, 10)
				out.wait(t, 10*(2*i+j+1))
				if err := stop(); err != nil {
					t.Errorf("Run returned %v after a stop, want nil", err)
				}
			}
		}
		out.check(t)
		if n := len(out.epochs()); n != 6 {
			t.Errorf("6 runs had %d epochs", n)
		}
	})
}

// start runs the collector and returns what stops it and gives Run's error.
func (s Subject) start(t *testing.T, out event.Writer) func() error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- collectors.Guard(func() error { return s.Collector.Run(ctx, out) }) }()
	stop := sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(hang):
			return errors.New("Run did not return: " + context.DeadlineExceeded.Error())
		}
	})
	t.Cleanup(func() { _ = stop() })
	for end := time.Now().Add(hang); !s.Ready(); time.Sleep(time.Millisecond) {
		select {
		case err := <-done:
			done <- err
			t.Fatalf("Run returned %v before it was stopped", err)
		default:
		}
		if time.Now().After(end) {
			t.Fatal("the collector did not become ready")
		}
	}
	return stop
}

// async calls f in a goroutine; what it returns waits for the result.
func async(f func() error) func(*testing.T) error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return func(t *testing.T) error {
		t.Helper()
		select {
		case err := <-c:
			return err
		case <-time.After(2 * hang):
			t.Fatal("the collector did not stop")
			return nil
		}
	}
}

func within(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(hang):
		t.Fatalf("%s did not come", what)
	}
}

// writer is an event.Writer that keeps what it took and what it refused.
type writer struct {
	mu      sync.Mutex
	refuse  func(*event.Batch) error
	gate    chan struct{} // while not nil, Write waits for it
	entered chan struct{} // closed by the first Write that waits
	order   []written
	changed chan struct{}
}

// written is one call of Write.
type written struct {
	batch *event.Batch
	image []byte // as it was then
	taken bool
}

func newWriter() *writer { return &writer{changed: make(chan struct{})} }

// blockNext makes Write wait, and returns what is closed when it does.
func (w *writer) blockNext() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gate, w.entered = make(chan struct{}), make(chan struct{})
	return w.entered
}

func (w *writer) unblock() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.gate)
	w.gate = nil
}

// Write implements event.Writer.
func (w *writer) Write(ctx context.Context, b *event.Batch) error {
	w.mu.Lock()
	gate := w.gate
	if gate != nil && w.entered != nil {
		close(w.entered)
		w.entered = nil
	}
	w.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var err error
	if w.refuse != nil {
		err = w.refuse(b)
	}
	w.order = append(w.order, written{batch: b, image: event.Encode(nil, b), taken: err == nil})
	close(w.changed)
	w.changed = make(chan struct{})
	return err
}

// count is the number of events taken.
func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, o := range w.order {
		if o.taken {
			n += o.batch.Len()
		}
	}
	return n
}

// epochs are the epochs seen, in order.
func (w *writer) epochs() []uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []uint64
	for _, o := range w.order {
		if e := o.batch.Epoch(); len(list) == 0 || list[len(list)-1] != e {
			list = append(list, e)
		}
	}
	return list
}

// wait waits until n events were taken.
func (w *writer) wait(t *testing.T, n int) {
	t.Helper()
	end := time.After(hang)
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if w.count() >= n {
			return
		}
		select {
		case <-changed:
		case <-end:
			t.Fatalf("%d of %d events came", w.count(), n)
		}
	}
}

// check checks the order, the ranges, the repetitions and the identity of the batches.
func (w *writer) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	type run struct {
		source string
		epoch  uint64
	}
	next, last := map[run]uint64{}, map[string]uint64{}
	started := map[run]bool{}
	ids := map[event.ID]bool{}
	var refused *written
	for i, o := range w.order {
		b := o.batch
		r := run{b.Source(), b.Epoch()}
		if b.Source() == "" || b.Len() == 0 || b.Last() <= b.First() {
			t.Errorf("batch %d: source %q, range [%d, %d), %d events", i, b.Source(), b.First(), b.Last(), b.Len())
		}
		if b.Epoch() < last[b.Source()] {
			t.Errorf("batch %d: epoch %d after %d", i, b.Epoch(), last[b.Source()])
		}
		last[b.Source()] = b.Epoch()
		if started[r] && b.First() != next[r] {
			t.Errorf("batch %d of %s: begins at %d, the last ended at %d", i, b.Source(), b.First(), next[r])
		}
		started[r] = true
		if !bytes.Equal(o.image, event.Encode(nil, b)) {
			t.Errorf("batch %d was changed after it was written", i)
		}
		if refused != nil && refused.batch.Source() == b.Source() && !bytes.Equal(refused.image, o.image) {
			t.Errorf("batch %d: [%d, %d) was refused, and [%d, %d) came next", i, refused.batch.First(),
				refused.batch.Last(), b.First(), b.Last())
		}
		if refused = nil; !o.taken {
			refused = &w.order[i]
			next[r] = b.First()
			continue
		}
		next[r] = b.Last()
		for e := range b.Events() {
			if ids[e.ID()] {
				t.Errorf("batch %d: the event %v came twice", i, e.ID())
			}
			ids[e.ID()] = true
		}
	}
}
