// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"math"
	"slices"

	"github.com/haidang-soc/haidang/internal/event"
)

// need is a set of eager atoms of which one must fire for a node to be true, and how selective it seems.
type need struct {
	atoms []int32
	score float64
}

// maxNeed bounds the atoms that wake one rule.
const maxNeed = 4096

// index finds for every rule the atoms that wake it; a rule without any is always evaluated.
func (c *compiler) index() {
	s := c.set
	uses := c.uses()
	s.triggers = make([][]int32, len(s.atoms))
	for i, root := range s.roots {
		if root < 0 {
			continue
		}
		n, ok := c.need(root, uses)
		if !ok {
			s.always = append(s.always, int32(i))
			continue
		}
		slices.Sort(n.atoms)
		for _, a := range slices.Compact(n.atoms) {
			s.triggers[a] = append(s.triggers[a], int32(i))
		}
	}
}

// uses counts how often each atom stands in a rule: what stands in many is seldom selective.
func (c *compiler) uses() []int {
	uses := make([]int, len(c.set.atoms))
	for _, n := range c.set.nodes {
		if n.op == opAtom {
			uses[n.arg]++
		}
	}
	return uses
}

func (c *compiler) need(x int32, uses []int) (need, bool) {
	n := c.set.nodes[x]
	switch n.op {
	case opAtom:
		return c.needAtom(n.arg, uses)
	case opAnd:
		best, found := need{}, false
		for _, child := range c.set.children[n.arg : n.arg+n.n] {
			if m, ok := c.need(child, uses); ok && (!found || m.score > best.score) {
				best, found = m, true
			}
		}
		return best, found
	case opOr:
		all := need{score: math.Inf(1)}
		for _, child := range c.set.children[n.arg : n.arg+n.n] {
			m, ok := c.need(child, uses)
			if !ok || len(all.atoms)+len(m.atoms) > maxNeed {
				return need{}, false
			}
			all.atoms = append(all.atoms, m.atoms...)
			all.score = min(all.score, m.score)
		}
		return all, true
	default:
		return need{}, false
	}
}

func (c *compiler) needAtom(x int32, uses []int) (need, bool) {
	a := &c.set.atoms[x]
	use := uses[x]
	if a.pre >= 0 {
		use = max(use, uses[a.pre])
		x, a = a.pre, &c.set.atoms[a.pre]
	}
	switch a.kind {
	case atomLiteral:
		return need{[]int32{x}, float64(min(len(a.text), 16)) / (1 + float64(use)/4)}, true
	case atomPresent:
		return need{[]int32{x}, 0.01}, true
	default:
		return need{}, false
	}
}

// isHeader reports whether a field is one of the times that are not among an event's fields.
func isHeader(id FieldID) bool {
	return id == event.Timestamp || id == event.EventCreated || id == event.EventIngested
}

// tables builds the matcher of every logical field, and lists for every field of events the matchers to run.
func (c *compiler) tables() {
	s := c.set
	eager := map[int32][]int32{}
	for x := range s.atoms {
		if k := s.atoms[x].kind; k == atomLiteral || k == atomPresent {
			eager[s.atoms[x].field] = append(eager[s.atoms[x].field], int32(x))
		}
	}
	members := map[FieldID][]int32{}
	for f := range s.logical {
		s.matchers = append(s.matchers, c.matcher(eager[int32(f)]))
		for _, id := range s.logical[f].ids {
			members[id] = append(members[id], int32(f))
			if isHeader(id) && !slices.Contains(s.headers, id) {
				s.headers = append(s.headers, id)
			}
		}
	}
	for id, fields := range members {
		s.assign(id, fields)
	}
	slices.Sort(s.headers)
	if len(eager[keywordField]) > 0 || c.keywordAtoms() {
		m := c.matcher(eager[keywordField])
		s.keywords = &m
	}
}

func (c *compiler) keywordAtoms() bool {
	return slices.ContainsFunc(c.set.atoms, func(a atom) bool { return a.field == keywordField })
}

func (s *Set) assign(id FieldID, fields []int32) {
	table, i := &s.static, int(id)
	if id >= firstDynamic {
		table, i = &s.dynamic, i-firstDynamic
	}
	if i >= len(*table) {
		*table = append(*table, make([][]int32, i+1-len(*table))...)
	}
	(*table)[i] = fields
}

func (c *compiler) matcher(eager []int32) matcher {
	m := matcher{}
	var prefix, suffix, contains []literal
	for _, x := range eager {
		a := &c.set.atoms[x]
		switch l := (literal{a.text, x}); {
		case a.kind == atomPresent:
			m.present = append(m.present, x)
		case a.place == placeContains:
			contains = append(contains, l)
		case a.place == placeSuffix:
			suffix = append(suffix, l)
		default:
			prefix = append(prefix, l)
		}
	}
	m.prefix, m.suffix = build(prefix, false, false), build(suffix, false, true)
	m.contains = build(contains, true, false)
	m.texts = m.prefix != nil || m.suffix != nil || m.contains != nil
	return m
}
