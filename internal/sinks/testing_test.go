// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinks_test

import (
	"context"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/sinks/sinktest"
)

// memlog is an alert log in memory, so that tests can run in fake time.
type memlog struct {
	mu      sync.Mutex
	entries []*alert.Entry
	proj    *alert.Projection
	changed chan struct{}
}

func newLog(t *testing.T) *memlog {
	t.Helper()
	p, err := alert.NewProjection()
	if err != nil {
		t.Fatal(err)
	}
	return &memlog{proj: p, changed: make(chan struct{})}
}

func (l *memlog) Head() (uint64, alert.Hash) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.entries)), alert.Hash{}
}

func (l *memlog) Subscribe(ctx context.Context, after uint64) iter.Seq2[*alert.Entry, error] {
	return func(yield func(*alert.Entry, error) bool) {
		for {
			l.mu.Lock()
			entries, changed := l.entries, l.changed
			l.mu.Unlock()
			if after < uint64(len(entries)) {
				if !yield(entries[after], nil) {
					return
				}
				after++
				continue
			}
			select {
			case <-changed:
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
		}
	}
}

func (l *memlog) add(t *testing.T, e *alert.Entry) uint64 {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	e.N, e.At = uint64(len(l.entries))+1, time.Now().UnixNano()
	if e.Action != nil {
		e.Action.At, e.Action.Kind = e.At, e.Kind
	}
	if err := l.proj.Apply(e); err != nil {
		t.Fatal(err)
	}
	l.entries = append(slices.Clip(l.entries), e)
	close(l.changed)
	l.changed = make(chan struct{})
	return e.N
}

// raise adds update 1 of an alert, or a later one.
func (l *memlog) raise(t *testing.T, n byte, update uint32) uint64 {
	t.Helper()
	a := *sinktest.State(n).Alert
	a.Update, a.Since = update, time.Now().UnixNano()
	kind := alert.Raised
	if update > 1 {
		kind = alert.Updated
	}
	return l.add(t, &alert.Entry{Kind: kind, Alert: &a})
}

func (l *memlog) act(t *testing.T, n byte, a alert.Action) uint64 {
	t.Helper()
	a.Alert, a.Actor = alert.ID{n}, "lan"
	return l.add(t, &alert.Entry{Kind: a.Kind, Action: &a})
}

// giveUp is after how long a letter becomes a dead one in these tests.
const giveUp = 6 * time.Hour

// running is a Set at work.
type running struct {
	*sinks.Set
	stop func()
}

func start(t *testing.T, dir string, log sinks.Source, targets ...sinks.Target) *running {
	t.Helper()
	set, err := sinks.New(sinks.Config{
		Dir: dir, Targets: targets, Source: log, PublicURL: "https://soc.example/", Log: slog.New(slog.DiscardHandler),
		GiveUp: giveUp,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := set.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	stop := sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return &running{set, stop}
}

// recorder is a sink that keeps what it was sent and answers as told.
type recorder struct {
	mu     sync.Mutex
	got    []sinks.Delivery
	answer func(n int, d *sinks.Delivery) (sinks.Receipt, error) // n counts from 1
}

func (r *recorder) Send(_ context.Context, d *sinks.Delivery) (sinks.Receipt, error) {
	r.mu.Lock()
	r.got = append(r.got, *d)
	n := len(r.got)
	r.mu.Unlock()
	if r.answer != nil {
		return r.answer(n, d)
	}
	return sinks.Receipt{Ref: "ref", State: sinks.Done}, nil
}

func (r *recorder) all() []sinks.Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// copyDir takes a picture of the outboxes, as a crash would leave them.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	files, err := filepath.Glob(filepath.Join(from, "*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(f)), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}
