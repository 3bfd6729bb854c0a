// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import "container/heap"

// use puts a rule set in place. Rules whose id and meaning stayed the same keep their windows and alerts; the alerts of
// the others end here.
func (e *Engine) use(rs *RuleSet) {
	old, tables, dirty := e.rules, e.tables, e.dirty
	type name struct{ id, hash string }
	at := map[name]int{}
	fresh := make([]table, len(rs.detections)+len(rs.correlations))
	for i := range fresh {
		m := rs.meta(i)
		at[name{m.rule.ID, m.hash}] = i
	}
	moved := make([]int, len(tables))
	for i := range tables {
		m := old.meta(i)
		n, ok := at[name{m.rule.ID, m.hash}]
		if ok && (i < len(old.detections)) == (n < len(rs.detections)) {
			moved[i], fresh[n] = n, tables[i]
			continue
		}
		moved[i] = -1
		for t := &tables[i]; t.first != nil; {
			e.drop(t, t.first)
		}
	}
	e.rules, e.tables, e.dirty = rs, fresh, nil
	for i, n := range moved {
		if n < 0 {
			continue
		}
		for g := tables[i].first; g != nil; g = g.next {
			if g.ep != nil {
				g.ep.table, g.ep.a.Rule = n, rs.meta(n).rule
			}
		}
	}
	for _, c := range dirty {
		if c.ep.g.ep == c.ep {
			e.dirty = append(e.dirty, c)
		}
	}
	e.repoint(moved, len(rs.detections), old)
}

// repoint gives the waiting matches the new numbers of their correlations; those of rules that are gone are forgotten.
func (e *Engine) repoint(moved []int, detections int, old *RuleSet) {
	if old == nil {
		return
	}
	shift := func(c int) int {
		if n := moved[len(old.detections)+c]; n >= 0 {
			return n - detections
		}
		return -1
	}
	waiting := e.lanes
	for l := range e.lanes {
		e.lanes[l].pending = nil
	}
	for l := range waiting {
		for _, p := range waiting[l].pending {
			var hits [lanes][]hit
			for _, h := range p.hits {
				if h.correlation = shift(h.correlation); h.correlation < 0 {
					continue
				}
				if h.inner >= 0 {
					if h.inner = shift(h.inner); h.inner < 0 {
						continue
					}
				}
				to := e.rules.correlations[h.correlation].lane
				hits[to] = append(hits[to], h)
			}
			for to := range hits {
				if len(hits[to]) > 0 {
					heap.Push(&e.lanes[to].pending, pendingEvent{p.f, hits[to]})
				}
			}
		}
	}
}

func (rs *RuleSet) meta(i int) *meta {
	if n := len(rs.detections); i >= n {
		return &rs.correlations[i-n].meta
	}
	return &rs.detections[i].meta
}
