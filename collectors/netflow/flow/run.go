// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import "slices"

const (
	maxGaps = 256     // kept open at a time; the oldest becomes a loss
	nearby  = 1 << 16 // units between datagrams of a run that is not established
)

// run is a series of datagrams that go on from each other.
type run struct {
	n        int // datagrams
	first    uint32
	began    int64
	at       int64  // when the last one came that went on
	last     uint32 // number of the last one that went on
	expected uint32 // of the next one
	doubt    doubt  // where it is not counted, expected is a lower bound
	gaps     []gap
	gone     uint64 // of gaps decided by other than settle, while it is not established
}

// gap is [from, to), seen open at a time. A pending one holds, besides losses, what waits to be counted.
type gap struct {
	from, to uint32
	at       int64
	pending  bool
}

func begin(h *head, units uint32, d doubt) run {
	return run{n: 1, first: h.sequence, began: h.received, at: h.received, last: h.sequence,
		expected: h.sequence + units, doubt: d}
}

// ahead takes a datagram at or after what is expected, and returns what is lost for want of room for gaps.
func (r *run) ahead(h *head, units uint32, d doubt) (lost uint64) {
	if h.sequence != r.expected && r.doubt != hopeless {
		lost = r.open(gap{r.expected, h.sequence, h.received, r.doubt == awaited})
	}
	r.n++
	r.at, r.last, r.expected, r.doubt = h.received, h.sequence, h.sequence+units, d
	return lost
}

// open adds a gap behind the others.
func (r *run) open(g gap) (lost uint64) {
	if n := len(r.gaps); n > 0 && g.pending && r.gaps[n-1].pending && r.gaps[n-1].to == g.from {
		r.gaps[n-1].to = g.to
		return 0
	}
	if len(r.gaps) == maxGaps {
		lost = r.decide(1)
	}
	r.gaps = append(r.gaps, g)
	return lost
}

// take takes a datagram into a run that is not established, if it belongs there.
func (r *run) take(h *head, units uint32, d doubt) bool {
	switch ahead, back := int32(h.sequence-r.expected), int32(r.first-h.sequence); {
	case ahead >= 0 && ahead <= nearby:
		r.gone += r.ahead(h, units, d)
	case back > 0 && back <= nearby && h.received-r.began <= int64(reorderWindow): // the one before the first came late
		if end := h.sequence + units; end != r.first && d != hopeless {
			r.gaps = slices.Insert(r.gaps, 0, gap{end, r.first, h.received, d == awaited})
		}
		r.first = h.sequence
		r.n++
	case r.fill(h.sequence, units):
		r.n++
	case ahead < 0 && back <= 0: // a duplicate
	default:
		return false
	}
	return true
}

// fill takes [at, at+units) out of the gap that holds it.
func (r *run) fill(at, units uint32) bool {
	for i := range r.gaps {
		g := &r.gaps[i]
		if at-g.from >= g.to-g.from {
			continue
		}
		end := g.to
		if units < g.to-at {
			end = at + units
		}
		switch {
		case at == g.from && end == g.to:
			r.gaps = slices.Delete(r.gaps, i, i+1)
		case at == g.from:
			g.from = end
		case end == g.to:
			g.to = at
		case len(r.gaps) < maxGaps:
			rest := *g
			g.to, rest.from = at, end
			r.gaps = slices.Insert(r.gaps, i+1, rest)
		default: // no room for two gaps: the older part is lost
			if !g.pending {
				r.gone += uint64(at - g.from)
			}
			g.from = end
		}
		return true
	}
	return false
}

// decide makes losses of the oldest n gaps, but for what waits to be counted.
func (r *run) decide(n int) (lost uint64) {
	for _, g := range r.gaps[:n] {
		if !g.pending {
			lost += uint64(g.to - g.from)
		}
	}
	r.gaps = append(r.gaps[:0], r.gaps[n:]...)
	return lost
}

// expired makes losses of the gaps that no late datagram can fill any more.
func (r *run) expired(now int64) (lost uint64) {
	lost, r.gone = r.gone, 0
	r.gaps = slices.DeleteFunc(r.gaps, func(g gap) bool {
		old := !g.pending && now-g.at > int64(reorderWindow)
		if old {
			lost += uint64(g.to - g.from)
		}
		return old
	})
	return lost
}

// explain says that units of the datagram with a sequence number were counted late.
func (r *run) explain(seq, units uint32) bool {
	for i := range r.gaps {
		g := &r.gaps[i]
		if inside := seq-g.from < g.to-g.from; g.pending && (inside || g.from-seq < nearby) {
			if !inside {
				seq = g.from
			}
			return r.fill(seq, units)
		}
	}
	if r.doubt == awaited && seq == r.last {
		r.expected += units
		return true
	}
	return false
}

// resolve ends the waiting of pending gaps: what is left of them is a loss if all of it was counted, else unknown.
func (r *run) resolve(known bool) {
	if !known {
		r.gaps = slices.DeleteFunc(r.gaps, func(g gap) bool { return g.pending })
	}
	for i := range r.gaps {
		r.gaps[i].pending = false
	}
	if r.doubt == awaited {
		if r.doubt = counted; !known {
			r.doubt = hopeless
		}
	}
}
