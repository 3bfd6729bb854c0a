// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import "time"

const (
	reorderWindow = 3 * time.Second // within which a late datagram still fills its gap
	maxGaps       = 64              // gaps kept open at a time; the oldest becomes a loss
	restartGap    = 1 << 20         // a jump beyond this is a restart, not a loss
)

// sequence watches the sequence numbers of one exporter's domain. The number counts flow records in v5, datagrams in
// v9 and data records in IPFIX, modulo 2^32.
type sequence struct {
	known    bool
	expected uint32
	uptime   uint32
	gaps     []gap
	fallback uint32 // where a run that fell back goes on, if it is a restart
	falling  bool
	lost     uint64 // decided but not reported yet
}

// gap is [from, to), seen open at a time.
type gap struct {
	from, to uint32
	at       int64
}

// verdict is what a sequence number says.
type verdict uint8

const (
	inOrder verdict = iota
	ahead           // datagrams are missing before it
	late            // it fills a gap, or is a duplicate
	restart         // the exporter counts anew
)

// see takes note of a datagram that holds units units. Where known is false it holds more than could be counted, and
// the count starts anew after it.
func (s *sequence) see(h *head, units uint32, known bool) verdict {
	if !s.known {
		s.start(h, units, known)
		return inOrder
	}
	diff := int32(h.sequence - s.expected)
	// The exporter started anew: its clock fell back by more than reordering explains.
	booted := h.version != 10 && int32(h.uptime-s.uptime) < -10_000
	switch {
	case booted || diff > restartGap || diff < -restartGap:
		s.decide(len(s.gaps))
		s.start(h, units, known)
		return restart
	case diff == 0:
		s.start(h, units, known)
		return inOrder
	case diff > 0:
		if len(s.gaps) == maxGaps {
			s.decide(1)
		}
		s.gaps = append(s.gaps, gap{s.expected, h.sequence, h.received})
		s.start(h, units, known)
		return ahead
	}
	if s.fill(h.sequence, units) {
		s.falling = false
		return late
	}
	// It fills no gap: a duplicate, or the first of a run that began anew. Two in a row tell.
	if s.falling && h.sequence == s.fallback {
		s.decide(len(s.gaps))
		s.start(h, units, known)
		return restart
	}
	s.falling, s.fallback = true, h.sequence+units
	return late
}

func (s *sequence) start(h *head, units uint32, known bool) {
	s.known, s.expected, s.uptime, s.falling = known, h.sequence+units, h.uptime, false
}

// fill takes [at, at+units) out of the gap that holds it.
func (s *sequence) fill(at, units uint32) bool {
	for i, g := range s.gaps {
		if at-g.from >= g.to-g.from {
			continue
		}
		end := g.to
		if units < g.to-at {
			end = at + units
		}
		rest := make([]gap, 0, len(s.gaps)+1)
		rest = append(rest, s.gaps[:i]...)
		if at != g.from {
			rest = append(rest, gap{g.from, at, g.at})
		}
		if end != g.to {
			rest = append(rest, gap{end, g.to, g.at})
		}
		s.gaps = append(rest, s.gaps[i+1:]...)
		return true
	}
	return false
}

// decide makes losses of the oldest n gaps.
func (s *sequence) decide(n int) {
	for _, g := range s.gaps[:n] {
		s.lost += uint64(g.to - g.from)
	}
	s.gaps = append(s.gaps[:0], s.gaps[n:]...)
}

// settle decides the gaps that no late datagram can fill any more, and returns the losses not reported before.
func (s *sequence) settle(now int64) uint64 {
	n := 0
	for n < len(s.gaps) && now-s.gaps[n].at > int64(reorderWindow) {
		n++
	}
	s.decide(n)
	lost := s.lost
	s.lost = 0
	return lost
}
