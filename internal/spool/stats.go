// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"slices"
	"strings"
	"time"
)

// Stats counts since Open. Bytes are of records as stored.
type Stats struct {
	Records, Batches, Events, Bytes uint64        // stored
	Known                           uint64        // batches acknowledged without storing, being known
	Cut                             uint64        // events dropped from batches that overlapped what was known
	Holes                           uint64        // batches refused for a hole or an old epoch
	Refused                         uint64        // calls answered with ErrFull
	Retries                         uint64        // appends whose outcome had to be found out
	Reopened                        uint64        // times the embedded server was reopened
	Drops                           uint64        // declared
	Damaged                         uint64        // records that the disk has damaged, which readers passed over
	Sources                         int           // in the table of ranges
	Last                            uint64        // acknowledged sequence
	Full                            bool          // right now
	Fenced                          bool          // for good
	InFlight                        time.Duration // age of the publish under way, 0 when none
	Skew                            time.Duration // stream time minus wall clock when last read
}

// Stats returns the counts so far.
func (s *Spool) Stats() Stats {
	full := s.srv.Room(1) != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Sources, st.Last, st.Full, st.Skew = len(s.table), s.last, full, s.skew
	if s.flight != nil {
		st.InFlight = s.cfg.Clock.Mono() - s.flightSince
	}
	return st
}

// Known returns how far a source is acknowledged.
func (s *Spool) Known(source string) (Ack, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src := s.table[source]
	if src == nil || !src.done.some {
		return Ack{}, false
	}
	return Ack{source, src.done.Epoch, src.done.Last}, true
}

// Sources returns how far each source is acknowledged, ordered by name.
func (s *Spool) Sources() []Ack {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Ack, 0, len(s.table))
	for name, src := range s.table {
		if src.done.some {
			out = append(out, Ack{name, src.done.Epoch, src.done.Last})
		}
	}
	slices.SortFunc(out, func(a, b Ack) int { return strings.Compare(a.Source, b.Source) })
	return out
}

// End returns the cursor after the last acknowledged record.
func (s *Spool) End() Cursor { return NewCursor(Mark{s.shard, s.incarnation, s.lastSeq()}) }

// Incarnation names the stream's life.
func (s *Spool) Incarnation() Incarnation { return s.incarnation }

// count changes the counts.
func (s *Spool) count(f func(*Stats)) {
	s.mu.Lock()
	f(&s.stats)
	s.mu.Unlock()
}

// noteSkew keeps the difference between stream time and wall clock, and tells when it becomes a large one.
func (s *Spool) noteSkew(d time.Duration) {
	large := d.Abs() > skewLimit
	s.mu.Lock()
	tell := large && s.skew.Abs() <= skewLimit
	s.skew = d
	s.mu.Unlock()
	if tell && s.cfg.OnSkew != nil {
		s.cfg.OnSkew(d)
	}
}
