// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
)

// Source is where deliveries come from: the alert log.
type Source interface {
	Subscribe(ctx context.Context, after uint64) iter.Seq2[*alert.Entry, error]
	Head() (uint64, alert.Hash)
}

// Target is one configured sink.
type Target struct {
	Name    string // letters, digits, dot, dash, underscore: it names the outbox file and stands in idempotency keys
	Sink    Sink
	Route   Route
	Workers int           // deliveries under way at once, of different alerts; 0 is 1
	Timeout time.Duration // of one try; 0 is 30 s
}

// Config says what a Set is made of.
type Config struct {
	Dir       string // folder of the outboxes
	Targets   []Target
	Source    Source
	PublicURL string        // of the console, for links
	GiveUp    time.Duration // a letter that could not be sent for so long becomes a dead one; 0 is 7 days
	Log       *slog.Logger  // nil is slog.Default
}

// UndoTime is how long a person's action waits before sinks outside the house hear of it.
const UndoTime = 15 * time.Second

// Set runs sinks: it reads the alert log, keeps an outbox for each and sends, with retries. Safe for concurrent use.
type Set struct {
	cfg  Config
	head uint64 // of the log when the Set was made: where a new sink begins
	runs map[string]*run
}

// New checks the configuration and opens nothing. A sink that has no outbox yet begins with what the log is given from
// now on, so New comes before anything raises alerts.
func New(cfg Config) (*Set, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	cfg.GiveUp = cmp.Or(cfg.GiveUp, 7*24*time.Hour)
	if cfg.Source == nil {
		return nil, errors.New("sinks: without the alert log")
	}
	name := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	s := &Set{cfg: cfg, runs: make(map[string]*run, len(cfg.Targets))}
	s.head, _ = cfg.Source.Head()
	for _, t := range cfg.Targets {
		t.Workers = cmp.Or(t.Workers, 1)
		t.Timeout = cmp.Or(t.Timeout, 30*time.Second)
		var err error
		t.Route.Disclosure, err = ParseDisclosure(string(t.Route.Disclosure))
		switch {
		case err != nil:
			return nil, fmt.Errorf("sink %s: %w", t.Name, err)
		case !name.MatchString(t.Name):
			return nil, fmt.Errorf("sink %.70q: the name needs 1 to 63 letters, digits, dots, dashes or underscores", t.Name)
		case s.runs[t.Name] != nil:
			return nil, fmt.Errorf("sink %s: there are two of that name", t.Name)
		case t.Sink == nil:
			return nil, fmt.Errorf("sink %s: without a driver", t.Name)
		}
		s.runs[t.Name] = &run{set: s, target: t, log: cfg.Log.With("sink", t.Name)}
	}
	return s, nil
}

// Run opens the outboxes and works until ctx is done, then returns nil. It fails only where an outbox cannot be opened.
func (s *Set) Run(ctx context.Context) error {
	var opened []*run
	defer func() {
		for _, r := range opened {
			if err := r.shut(); err != nil {
				r.log.Warn("closing the outbox", "error", err)
			}
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(s.runs)) {
		r := s.runs[name]
		box, err := openOutbox(filepath.Join(s.cfg.Dir, name+".ndjson"), s.head)
		if err != nil {
			return fmt.Errorf("sink %s: %w", name, err)
		}
		r.mu.Lock()
		r.box = box
		r.mu.Unlock()
		opened = append(opened, r)
		if box.damaged > 0 {
			r.log.Error("the outbox has damaged lines; what they held is lost", "lines", box.damaged)
		}
		if head, _ := s.cfg.Source.Head(); box.position() > head {
			r.log.Warn("the outbox is ahead of the alert log, as after a restore", "outbox", box.position(), "log", head)
			if err := box.rewind(head); err != nil {
				return fmt.Errorf("sink %s: %w", name, err)
			}
		}
	}
	var all sync.WaitGroup
	for _, r := range opened {
		all.Go(func() { r.feed(ctx) })
		for range r.target.Workers {
			all.Go(func() { r.work(ctx) })
		}
	}
	all.Wait()
	<-ctx.Done() // also where there is no sink
	return nil
}

// Status is how one sink fares. The counts are since the start of the program, except Waiting and Dead.
type Status struct {
	Name      string    `json:"name"`
	Cursor    uint64    `json:"cursor"` // entries of the alert log up to here are dealt with
	Waiting   int       `json:"waiting"`
	Dead      int       `json:"dead"`
	Sent      uint64    `json:"sent"`
	Failed    uint64    `json:"failed"`  // tries that failed
	Damaged   int       `json:"damaged"` // lines of the outbox that could not be read
	LastSent  time.Time `json:"last_sent,omitzero"`
	LastError string    `json:"last_error,omitempty"`
}

// Status tells how each sink fares, by name.
func (s *Set) Status() []Status {
	out := make([]Status, 0, len(s.runs))
	for _, name := range slices.Sorted(maps.Keys(s.runs)) {
		out = append(out, s.runs[name].status())
	}
	return out
}

// DeadLetter is a delivery that is kept but not tried any more.
type DeadLetter struct {
	Seq    uint64     `json:"seq"`
	Alert  alert.ID   `json:"alert"`
	Update uint32     `json:"update"`
	Change alert.Kind `json:"change"`
	Tries  int        `json:"tries"`
	At     time.Time  `json:"at"`
	Error  string     `json:"error"`
}

// Dead lists the dead letters of a sink, oldest first.
func (s *Set) Dead(name string) ([]DeadLetter, error) {
	box, err := s.box(name)
	if err != nil {
		return nil, err
	}
	box.mu.Lock()
	defer box.mu.Unlock()
	out := make([]DeadLetter, 0, len(box.dead))
	for _, seq := range slices.Sorted(maps.Keys(box.dead)) {
		it := box.dead[seq]
		out = append(out, DeadLetter{
			Seq: seq, Alert: it.letter.Alert, Update: it.letter.Update, Change: it.letter.Change,
			Tries: it.tries, At: time.Unix(0, it.deadAt), Error: it.err,
		})
	}
	return out, nil
}

// Retry has dead letters of a sink tried again: the given ones, or all of them. It returns how many.
func (s *Set) Retry(name string, seqs ...uint64) (int, error) {
	box, err := s.box(name)
	if err != nil {
		return 0, err
	}
	n, err := box.revive(seqs)
	if err != nil {
		return n, fmt.Errorf("sink %s: %w", name, err)
	}
	return n, nil
}

var errNotRunning = errors.New("it does not run")

func (s *Set) box(name string) (*outbox, error) {
	r := s.runs[name]
	if r == nil {
		return nil, fmt.Errorf("sink %.70q: there is none of that name", name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.box == nil {
		return nil, fmt.Errorf("sink %s: %w", name, errNotRunning)
	}
	return r.box, nil
}
