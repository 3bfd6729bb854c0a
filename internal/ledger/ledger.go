// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps the books of the pipeline: per source and per origin, what came in, what became of it at every
// hop, and up to which position, so that in = out + explained can be asked at any time.
//
// Three rules a reader would otherwise break. A stage counts a thing once, by its position: what is written or read
// again is known, not new. Counts of two stages are compared only where both stand at the same position, so that a
// reader that lags is never called a loss. And the book is saved before a reader's own place is: after a crash the
// records behind it are read, and counted, again.
package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// Source is the source under which the ledger's own findings are numbered.
const Source = "ledger"

// Other is the row of everything that found no row of its own.
const Other = "other"

// Several is the source that a loss is booked under when its record held several sources.
const Several = "(several)"

// The hops of the pipeline, as findings and the balance name them.
const (
	HopListener = "listener" // received = accepted + dropped + waiting
	HopDecode   = "decode"   // accepted = decoded + undecoded + errors
	HopSpool    = "spool"    // written = read back from the stream
	HopStore    = "store"    // handed over = stored + expired + dead letters
)

// Defaults of Config.
const (
	maxOrigins = 65536
	maxSources = 65536
)

// Listener is what a collector counts about itself since its process began.
type Listener struct {
	Source string            // listener/<name>
	Kind   string            // syslog, netflow, ...
	Counts map[string]uint64 // received, accepted, dropped.<reason>, undecoded.<reason>, lost, ...
}

// Config says what the ledger looks at.
type Config struct {
	Dir string       // keeps book.json; must exist
	End func() Place // the stream's last acknowledged record; must be set
	// StreamFrom and StoreFrom are where the reader of the stream and the store go on: a book that is behind one of them
	// is closed and begun anew. The zero cursor is none.
	StreamFrom, StoreFrom spool.Cursor
	// Known is how far the stream has each source at the start.
	Known []spool.Ack
	// Listeners are asked at every evaluation; nil asks none.
	Listeners func() []Listener
	Log       *slog.Logger  // nil: discard
	Settle    time.Duration // for which something must be out of balance before it is told; 0: 30 s
	Origins   int           // at most so many rows, the rest under Other; 0: 65,536
	Now       func() time.Time
}

// Place is a position of a stream.
type Place struct {
	Incarnation spool.Incarnation `json:"incarnation"`
	Seq         uint64            `json:"seq"`
}

// Ledger is an open book. Its methods are safe for concurrent use; none blocks but Save, which writes a file.
type Ledger struct {
	cfg  Config
	path string

	mu        sync.Mutex
	book      book
	start     Place     // the stream's end when the ledger was opened
	tick      int64     // stream time of the last record read
	storeTick int64     // and of the last one handed to the store
	began     int64     // stream time of the first record read by this process
	expire    []expired // of the record that the store is being given
	busy      map[string]int
	found     []Finding // that wait to be told
	snap      uint64    // the stream's end when the origins' comparison under way began, 0 for none

	saving sync.Mutex
	rows   []row // of the Save before, to be used again
}

// Open reads the book of an earlier process, or begins one. A book that cannot be read, is of another stream, or is
// behind a reader is moved aside and begun anew from the stream's end: the reason stands in View.Reason.
func Open(c Config) (*Ledger, error) {
	if c.End == nil || c.Dir == "" {
		return nil, fmt.Errorf("ledger: Config without Dir or End")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Settle == 0 {
		c.Settle = 30 * time.Second
	}
	if c.Origins == 0 {
		c.Origins = maxOrigins
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	l := &Ledger{cfg: c, path: filepath.Join(c.Dir, "book.json"), start: c.End(), busy: map[string]int{}}
	reason, err := l.load()
	if err != nil {
		return nil, err
	}
	if reason != "" {
		if reason != reasonNew {
			c.Log.Warn("the ledger begins anew", "reason", reason)
		}
		l.begin(reason)
	}
	return l, nil
}

// begin starts a book at the stream's end.
func (l *Ledger) begin(reason string) {
	l.book = book{Since: l.cfg.Now().UTC(), Reason: reason, From: l.start, Stream: l.start, Store: l.start,
		Sources: map[string]*source{}, Origins: map[string]*origin{}}
	for _, a := range l.cfg.Known {
		s := l.source(a.Source)
		for _, c := range []*covered{&s.In, &s.Out} {
			c.Floor = a.Epoch
			c.cover(a.Epoch, 0, a.Last)
		}
		s.Stream = mark{a.Epoch, a.Last}
	}
}

// source returns a source's row. l.mu is held.
func (l *Ledger) source(name string) *source {
	s := l.book.Sources[name]
	if s == nil {
		if len(l.book.Sources) >= maxSources {
			name = Other
			if s = l.book.Sources[name]; s != nil {
				return s
			}
		}
		s = &source{}
		l.book.Sources[strings.Clone(name)] = s
	}
	return s
}

// origin returns the row of who speaks in an event. l.mu is held.
func (l *Ledger) origin(e event.Event) *origin {
	name := e.Text(event.HaidangOrigin)
	o := l.book.Origins[name]
	if o == nil {
		o = l.newOrigin(name)
	}
	return o
}

func (l *Ledger) newOrigin(name string) *origin {
	if len(l.book.Origins) >= l.cfg.Origins {
		l.book.Surplus++
		name = Other
		if o := l.book.Origins[name]; o != nil {
			return o
		}
	}
	o := &origin{First: l.cfg.Now().UnixNano()}
	l.book.Origins[strings.Clone(name)] = o
	return o
}

// Run evaluates every second and hands findings to out until ctx is done; then it returns nil. What out refuses is
// tried again with the next evaluation. Known tells how far the stream has the source Source.
func (l *Ledger) Run(ctx context.Context, out event.Writer, known func() (spool.Ack, bool)) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		l.Evaluate()
		if err := l.tell(ctx, out, known); err != nil && ctx.Err() == nil {
			l.cfg.Log.Warn("a finding of the ledger could not be written yet", "error", err)
		}
	}
}
