// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/haidang-soc/haidang/internal/event"
)

var _ event.Writer = (*Spool)(nil)

// maxDecoded bounds a batch in memory: Decode refuses more.
const maxDecoded = 15 << 20

// Write implements event.Writer: it returns nil once the batch is on disk, or was known already. It blocks while the
// records before it are written, and as long as the disk does not answer. Its errors besides ctx's: *ErrHole,
// *ErrEpoch, ErrFull, ErrFenced, ErrClosed, or a batch that no record can carry. When ctx ends first the outcome is
// unknown, and writing the same batch again is right.
func (s *Spool) Write(ctx context.Context, b *event.Batch) error {
	if b.First() == b.Last() && b.Len() == 0 {
		return nil
	}
	if b.First() >= b.Last() || b.Source() == "" || len(b.Source()) > maxSource {
		return fmt.Errorf("spool: writing %q: impossible batch: source of %d bytes, range [%d, %d), %d events",
			clip(b.Source(), 100), len(b.Source()), b.First(), b.Last(), b.Len())
	}
	if b.Size() > maxDecoded {
		return fmt.Errorf("spool: writing %s: batch of %d bytes is over %d: write smaller batches", b.Source(),
			b.Size(), maxDecoded)
	}
	buf, _ := s.encodings.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer s.encodings.Put(buf)
	part := b // what of b is new
	encode := func(from uint64) (*entry, error) {
		part = b.Cut(from)
		*buf = event.Encode((*buf)[:0], part)
		if len(*buf)+headBytes+entrySlack > maxRecord {
			return nil, fmt.Errorf("spool: writing %s: batch of %d bytes encoded does not fit a record of %d: "+
				"write smaller batches", b.Source(), len(*buf), maxRecord)
		}
		return &entry{kind: entryBatch, source: b.Source(), span: span{b.Epoch(), from, b.Last()},
			events: uint64(part.Len()), payload: *buf}, nil
	}
	return s.put(ctx, offer{b.Source(), span{b.Epoch(), b.First(), b.Last()}, encode, func(st *Stats) {
		st.Batches++
		st.Events += uint64(part.Len())
		st.Cut += uint64(b.Len() - part.Len())
	}})
}

// WriteDrop declares that a source's units will never come, so that it may go on behind them: what is known of the
// range is left out. Errors are those of Write.
func (s *Spool) WriteDrop(ctx context.Context, d Drop) error {
	if d.First >= d.Last || d.Source == "" || len(d.Source) > maxSource {
		return fmt.Errorf("spool: declaring a drop of %q: impossible range [%d, %d)", clip(d.Source, 100), d.First,
			d.Last)
	}
	reason := []byte(clip(d.Reason, maxReason))
	encode := func(from uint64) (*entry, error) {
		return &entry{kind: entryDrop, source: d.Source, span: span{d.Epoch, from, d.Last}, payload: reason}, nil
	}
	return s.put(ctx, offer{d.Source, span{d.Epoch, d.First, d.Last}, encode, func(st *Stats) { st.Drops++ }})
}

// offer is what a caller wants stored: encode makes the entry from a given unit on; it is called without the lock,
// again whenever that unit changes meanwhile. count adds to the counts of the group that takes it.
type offer struct {
	source string
	span   span
	encode func(from uint64) (*entry, error)
	count  func(*Stats)
}

// put gathers one entry and waits for its group.
func (s *Spool) put(ctx context.Context, o offer) error {
	var e *entry
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.mu.Lock()
		if s.err != nil {
			defer s.mu.Unlock()
			return s.err
		}
		src := s.table[o.source]
		if src == nil {
			src = &source{name: o.source} // in the table once it has a group
		}
		v, from, after, err := src.current().admit(o.source, o.span)
		switch {
		case v == refused:
			s.stats.Holes++
			s.mu.Unlock()
			return err
		case v == known:
			s.stats.Known++
			g := src.last
			s.mu.Unlock()
			if g == nil {
				return nil
			}
			return s.wait(ctx, g) // known once that is stored
		}
		if err := s.srv.Room(1); err != nil {
			s.stats.Refused++
			s.mu.Unlock()
			return err
		}
		if e == nil || e.span.Start != from {
			s.mu.Unlock()
			if e, err = o.encode(from); err != nil {
				return err
			}
			continue
		}
		g := s.gather(len(e.payload) + entrySlack)
		if g == nil {
			room := s.room
			s.mu.Unlock()
			select {
			case <-room:
			case <-ctx.Done():
			}
			continue
		}
		g.rec = appendEntry(g.rec, e)
		g.marks = append(g.marks, groupMark{src, after})
		src.next, src.last = after, g
		s.table[o.source] = src
		o.count(&g.stats)
		s.mu.Unlock()
		s.poke()
		return s.wait(ctx, g)
	}
}

// Control appends a record that carries v as JSON, at most 1 MiB of it, and returns its position: readers switch
// there. Its errors are those of Write, but half of the reserve is enough for it.
func (s *Spool) Control(ctx context.Context, v any) (Position, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Position{}, fmt.Errorf("spool: encoding a control record: %w", err)
	}
	if len(body) > 1<<20 {
		return Position{}, errors.New("spool: control record is over 1 MiB")
	}
	return s.append(ctx, KindControl, body)
}

// Tick appends a tick record and returns its position, for who drives time by hand; see Config.Tick.
func (s *Spool) Tick(ctx context.Context) (Position, error) { return s.append(ctx, KindTick, nil) }

// append queues a record of its own and waits for it.
func (s *Spool) append(ctx context.Context, kind Kind, body []byte) (Position, error) {
	s.mu.Lock()
	err := s.err
	if err == nil {
		err = s.srv.Room(0.5)
	}
	if err != nil {
		s.mu.Unlock()
		return Position{}, err
	}
	g := s.newGroup(kind)
	g.rec = append(g.rec, body...)
	s.queue = append(s.queue, g)
	s.mu.Unlock()
	s.poke()
	if err := s.wait(ctx, g); err != nil {
		return Position{}, err
	}
	return g.at, nil
}

// wait returns the group's outcome.
func (s *Spool) wait(ctx context.Context, g *group) error {
	select {
	case <-g.done:
		return g.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// poke wakes the committer.
func (s *Spool) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// clip cuts a text to at most n bytes, at a rune.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n])
}
