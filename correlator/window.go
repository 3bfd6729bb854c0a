// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"math"

	"github.com/haidang-soc/haidang/internal/event"
)

// fact is what the engine keeps of an event that matched: shared by every window that holds it, never changed.
type fact struct {
	time     int64 // event time, unix ns, not above stream time + 5 s
	id       event.ID
	level    uint8
	origin   string
	systems  []string // ids of the information systems at both ends
	units    []string // that own or operate them
	original string   // at most 1 KiB
	fields   []pair   // sorted by name
}

type pair struct{ name, value string }

func (f *fact) ms() int64 { return floorMs(f.time) }

func floorMs(ns int64) int64 {
	ms := ns / 1e6
	if ns%1e6 < 0 {
		ms--
	}
	return ms
}

// entry is one matching event in the window of a group.
type entry struct {
	f    *fact
	refs uint64 // bit i: the i-th rule of the correlation matched
	val  string // value_count: the value; length-prefixed when it is a tuple
	num  float64
	full bool // f has its text and fields; counted against Limits.Evidence
}

// group is the state of one correlation for one combination of group-by values, or of one detection's episodes.
type group struct {
	key        string // the values, length-prefixed
	last       int64  // event time of the last event in ms; of a detection stream time
	level      uint8  // highest so far
	entries    []entry
	head       int // entries before it are gone
	distinct   map[string]uint32
	sum        float64
	seen       []uint32 // temporal: how many entries each rule has
	best       []int64  // temporal_ordered: latest start of a chain through rule i, in ms
	ep         *episode
	prev, next *group
}

func (g *group) window() []entry { return g.entries[g.head:] }

// push adds an entry behind those there are. Where limit is reached the oldest entry makes room: in a sum it is merged
// into the one after it, which keeps the sum whole a little longer than it should; elsewhere it is forgotten.
func (g *group) push(c *correlation, x entry, limit int) (dropped *entry) {
	if w := g.window(); len(w) >= limit {
		old := w[0]
		if c.kind == valueSum && len(w) > 1 {
			w[1].num += old.num
			g.sum += old.num // taken off again by shift
		}
		g.shift(c)
		dropped = &old
	}
	g.entries = append(g.entries, x)
	switch c.kind {
	case valueCount:
		if g.distinct == nil {
			g.distinct = make(map[string]uint32)
		}
		g.distinct[x.val]++
	case valueSum:
		g.sum += x.num
	case temporal:
		g.seen = grow(g.seen, len(c.refs))
		for i := range c.refs {
			if x.refs&(1<<i) != 0 {
				g.seen[i]++
			}
		}
	case temporalOrdered:
		g.chain(c, x)
	}
	return dropped
}

func grow(s []uint32, n int) []uint32 {
	if s == nil {
		s = make([]uint32, n)
	}
	return s
}

// chain extends the chains that end in each rule by x. Of all chains through rule i only the one that started latest
// can matter later. Rules are taken from the last to the first, so that one event is not two links unless it may be.
func (g *group) chain(c *correlation, x entry) {
	if g.best == nil {
		g.best = make([]int64, len(c.refs))
		for i := range g.best {
			g.best[i] = math.MinInt64
		}
	}
	for n := range c.refs {
		i := len(c.refs) - 1 - n
		if c.sigma.Haidang.AllowSameEvent {
			i = n
		}
		if x.refs&(1<<i) == 0 {
			continue
		}
		start := x.f.ms()
		if i > 0 {
			start = g.best[i-1]
		}
		g.best[i] = max(g.best[i], start)
	}
}

// shift forgets the oldest entry.
func (g *group) shift(c *correlation) entry {
	x := g.entries[g.head]
	g.entries[g.head] = entry{}
	g.head++
	switch c.kind {
	case valueCount:
		if g.distinct[x.val]--; g.distinct[x.val] == 0 {
			delete(g.distinct, x.val)
		}
	case valueSum:
		g.sum -= x.num
	case temporal:
		for i := range c.refs {
			if x.refs&(1<<i) != 0 {
				g.seen[i]--
			}
		}
	}
	switch n := len(g.entries) - g.head; {
	case n == 0:
		g.entries, g.head, g.sum = g.entries[:0], 0, 0
	case g.head > 32 && g.head > n:
		m := copy(g.entries, g.entries[g.head:])
		clear(g.entries[m:])
		g.entries, g.head = g.entries[:m], 0
	}
	return x
}

// expire forgets the entries at or before cut (ms) and calls gone for each.
func (g *group) expire(c *correlation, cut int64, gone func(entry)) {
	for w := g.window(); len(w) > 0 && w[0].f.ms() <= cut; w = g.window() {
		gone(g.shift(c))
	}
	if len(g.window()) == 0 {
		g.level = 0
	}
}

// value is what the condition is compared with, of the window (now - span, now].
func (g *group) value(c *correlation, now int64) (v float64) {
	switch c.kind {
	case eventCount:
		v = float64(len(g.window()))
	case valueCount:
		v = float64(len(g.distinct))
	case valueSum:
		v = g.sum
	case temporal:
		for _, n := range g.seen {
			if n > 0 {
				v++
			}
		}
	case temporalOrdered:
		if g.best != nil && g.best[len(c.refs)-1] > now-c.span {
			v = float64(len(c.refs))
		}
	}
	return v
}

// table holds the groups of one rule: by key, and in the order of their last event.
type table struct {
	groups      map[string]*group
	first, tail *group
}

// get returns the group of a key, moved behind all others, and whether it is new.
func (t *table) get(key []byte) (*group, bool) {
	if g, ok := t.groups[string(key)]; ok {
		t.unlink(g)
		t.link(g)
		return g, false
	}
	if t.groups == nil {
		t.groups = make(map[string]*group)
	}
	g := &group{key: string(key)}
	t.groups[g.key] = g
	t.link(g)
	return g, true
}

func (t *table) link(g *group) {
	g.prev, g.next = t.tail, nil
	if t.tail != nil {
		t.tail.next = g
	} else {
		t.first = g
	}
	t.tail = g
}

func (t *table) unlink(g *group) {
	if g.prev != nil {
		g.prev.next = g.next
	} else {
		t.first = g.next
	}
	if g.next != nil {
		g.next.prev = g.prev
	} else {
		t.tail = g.prev
	}
	g.prev, g.next = nil, nil
}

func (t *table) remove(g *group) {
	t.unlink(g)
	delete(t.groups, g.key)
}
