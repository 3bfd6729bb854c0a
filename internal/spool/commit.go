// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// errForeign means that the sequence we published at holds a record of someone else.
var errForeign = errors.New("foreign record")

// commitLoop publishes the queue's groups one after another, and ticks, until the Spool is closed.
func (s *Spool) commitLoop() {
	defer close(s.committed)
	var ticks <-chan time.Time
	if s.cfg.Tick > 0 {
		t := time.NewTicker(s.cfg.Tick)
		defer t.Stop()
		ticks = t.C
	}
	for {
		if !s.commit() {
			select {
			case <-s.closing:
				return
			case <-ticks:
				s.tick()
			case <-s.wake:
			}
			continue
		}
		select {
		case <-ticks: // a queue that never empties must not stop the clock
			s.tick()
		default:
		}
	}
}

// commit publishes the oldest group; it reports false when there is none.
func (s *Spool) commit() bool {
	s.committing.Lock() // Pause may hold it
	defer s.committing.Unlock()
	g := s.pop()
	if g == nil {
		return false
	}
	s.finish(g, s.publish(g))
	return true
}

// tick puts a tick before everything that waits. Time goes on while the spool is full: a tick is small.
func (s *Spool) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && s.srv.Room(0.5) == nil {
		s.queue = slices.Insert(s.queue, 0, s.newGroup(KindTick))
	}
}

// pop takes the oldest group; there is room for another from now on.
func (s *Spool) pop() *group {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 || s.err != nil {
		return nil
	}
	g := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	s.flight, s.flightSince = g, s.cfg.Clock.Mono()
	close(s.room)
	s.room = make(chan struct{})
	return g
}

// publish stores a group as the record after the last one, and returns only when the outcome is certain: nil, ErrFull,
// ErrFenced, or ErrClosed when the Spool is closed before it is known.
//
// Every attempt carries the expected last sequence and the same nonce, so of several at most one is stored, and the
// record found at that sequence tells which. After an attempt that nobody answered the server may hold a record in
// memory that it could not write: so it is reopened before anything is read.
func (s *Spool) publish(g *group) error {
	t, skew := s.clock.now()
	s.noteSkew(skew)
	g.clock, g.nonce = t, rand.Uint64()
	seal(g.rec, g.kind, t, g.nonce)
	g.at = Position{s.shard, s.last + 1}
	for attempt := 1; ; attempt++ {
		life := s.srv.number()
		err := s.attempt(g)
		if err == nil || errors.Is(err, ErrFull) {
			return err
		}
		fenced := isFence(err)
		if !fenced {
			s.cfg.Log.Warn("spool: append without an answer", "stream", s.cfg.Name, "attempt", attempt, "err", err)
			s.count(func(st *Stats) { st.Retries++ })
			s.setStuck(true)
			err := s.heal(life, attempt)
			s.setStuck(false)
			if err != nil {
				return err
			}
		}
		stored, err := s.find(g)
		switch {
		case err != nil:
			return err
		case stored:
			return nil
		case fenced:
			return ErrFenced // the stream's last record is not the one we wrote
		}
	}
}

// attempt publishes once. A refusal that is certain comes back as ErrFull; every other error leaves it open whether
// the record is stored.
func (s *Spool) attempt(g *group) error {
	ctx, cancel := s.srv.bound(s.quit, s.cfg.Deadline)
	defer cancel()
	msg := &nats.Msg{Subject: s.subject, Data: g.rec}
	ack, err := s.send(ctx, msg, jetstream.WithExpectLastSequence(s.last),
		jetstream.WithRetryAttempts(0))
	if err == nil {
		if ack.Sequence != g.at.Seq {
			return errForeign
		}
		return nil
	}
	var api *jetstream.APIError
	if errors.As(err, &api) {
		switch {
		case api.ErrorCode == codeNoResources || api.ErrorCode == codeNoStorage,
			api.ErrorCode == codeStoreFailed && api.Description == maximumBytes:
			return ErrFull
		}
	}
	return err
}

// What the server says when it refuses for certain (nats-server, errors.json); of failed stores it answers only those
// that a limit refused.
const (
	codeNoResources jetstream.ErrorCode = 10023
	codeNoStorage   jetstream.ErrorCode = 10047
	codeStoreFailed jetstream.ErrorCode = 10077
	maximumBytes                        = "maximum bytes exceeded"
)

// isFence reports whether an attempt failed because the stream has another last sequence.
func isFence(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, errForeign) || errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
			api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// heal waits until there is room on the disk and makes the server answer again: it reopens it, unless someone did
// since the attempt began. The wait grows with the attempts.
func (s *Spool) heal(life uint64, attempt int) error {
	wait := time.Duration(0)
	if attempt > 1 {
		wait = min(50*time.Millisecond<<min(attempt, 10), 5*time.Second)
	}
	for {
		select {
		case <-s.quit.Done():
			return ErrClosed
		case <-time.After(wait):
		}
		wait = min(max(2*wait, 50*time.Millisecond), 5*time.Second)
		if s.srv.Room(1) != nil {
			continue
		}
		if s.srv.number() != life {
			return nil
		}
		err := s.srv.Reopen()
		if err == nil {
			s.count(func(st *Stats) { st.Reopened++ })
			return nil
		}
		s.cfg.Log.Error("spool: reopening the server", "err", err)
	}
}

func (s *Spool) setStuck(v bool) {
	s.mu.Lock()
	s.stuck = v
	s.mu.Unlock()
}

// find reads the record at the group's position until it knows: stored by us (true), not there (false), or stored by
// another (ErrFenced).
func (s *Spool) find(g *group) (stored bool, err error) {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		msgs, err := s.fetch(s.quit, g.at.Seq, 1)
		switch {
		case s.quit.Err() != nil:
			return false, ErrClosed
		case err == nil && len(msgs) == 0:
			return false, nil
		case err == nil:
			f, err := parseFrame(msgs[0].data)
			if err == nil && msgs[0].seq == g.at.Seq && f.nonce == g.nonce {
				return true, nil
			}
			return false, ErrFenced
		}
		s.cfg.Log.Warn("spool: reading the last record", "stream", s.cfg.Name, "err", err)
		select {
		case <-s.quit.Done():
		case <-time.After(wait):
		}
	}
}

// finish gives a group its outcome. What was gathered behind a group that failed may build on it, so it fails alike.
func (s *Spool) finish(g *group, err error) {
	s.mu.Lock()
	s.flight = nil
	failed := []*group{g}
	if err == nil {
		s.apply(g)
		failed = nil
	} else {
		failed = append(failed, s.queue...)
		s.queue = nil
		if !errors.Is(err, ErrFull) && s.err == nil {
			s.err = err
			s.stats.Fenced = errors.Is(err, ErrFenced)
		}
		s.stats.Refused += uint64(len(failed))
	}
	for _, f := range failed {
		f.err = err
		for _, m := range f.marks {
			m.src.last = nil
			if !m.src.done.some {
				delete(s.table, m.src.name)
			}
		}
		s.recycle(f)
	}
	close(s.grown) // readers look again, also at err
	s.grown = make(chan struct{})
	s.mu.Unlock()
	if err == nil {
		close(g.done)
	}
	for _, f := range failed {
		close(f.done)
	}
}

// apply takes a stored group into the table. The caller holds mu.
func (s *Spool) apply(g *group) {
	for _, m := range g.marks {
		m.after.Seen = g.clock
		m.src.done = m.after
		if m.src.last == g {
			m.src.last = nil
		}
	}
	s.last, s.lastClock = g.at.Seq, g.clock
	s.stats.Records++
	s.stats.Batches += g.stats.Batches
	s.stats.Events += g.stats.Events
	s.stats.Cut += g.stats.Cut
	s.stats.Drops += g.stats.Drops
	s.stats.Bytes += uint64(len(g.rec))
	s.sinceCheckpoint += int64(len(g.rec))
	s.recycle(g)
}
