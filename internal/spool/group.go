// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

// group is one record being gathered, then published: everything in it is acknowledged, or refused, together.
type group struct {
	kind  Kind
	rec   []byte // headBytes of room, then the body
	clock int64
	nonce uint64
	marks []groupMark
	stats Stats         // what it adds once stored
	done  chan struct{} // closed when the outcome is known; what follows may be read then
	at    Position
	err   error
}

// groupMark is what a group does to a source's ranges.
type groupMark struct {
	src   *source
	after ranges
}

// newGroup returns a group with room for a record, taken from a finished one where there is one.
func (s *Spool) newGroup(kind Kind) *group {
	g := &group{kind: kind, done: make(chan struct{})}
	if n := len(s.free); n > 0 && kind == KindBatches {
		g.rec, s.free = s.free[n-1], s.free[:n-1]
	}
	g.rec = append(g.rec[:0], make([]byte, headBytes)...)
	return g
}

// gather returns the group that takes an entry of size bytes, or nil when there is no room: one group is in flight,
// and of those waiting at most two carry batches. The caller holds mu.
func (s *Spool) gather(size int) *group {
	if n := len(s.queue); n > 0 {
		if g := s.queue[n-1]; g.kind == KindBatches && len(g.rec)+size <= maxRecord {
			return g
		}
	}
	waiting := 0
	for _, g := range s.queue {
		if g.kind == KindBatches {
			waiting++
		}
	}
	if waiting >= 2 {
		return nil
	}
	g := s.newGroup(KindBatches)
	s.queue = append(s.queue, g)
	return g
}

// recycle keeps a finished record's memory for the next. The caller holds mu.
func (s *Spool) recycle(g *group) {
	if g.kind == KindBatches && len(s.free) < 3 {
		s.free = append(s.free, g.rec)
	}
	g.rec = nil
}
