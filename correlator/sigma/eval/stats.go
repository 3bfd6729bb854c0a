// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

// Stats describes a compiled set, for the people who tune rules.
type Stats struct {
	Rules  int // compiled
	Always int // of these, evaluated for every event of their log source: nothing wakes them
	Atoms  int // different comparisons
	Fields int // different fields
	Bytes  int // of the automata, roughly
}

// Stats returns the figures of the set.
func (s *Set) Stats() Stats {
	st := Stats{Always: len(s.always), Atoms: len(s.atoms), Fields: len(s.logical)}
	for _, root := range s.roots {
		if root >= 0 {
			st.Rules++
		}
	}
	add := func(m *matcher) {
		for _, a := range []*automaton{m.prefix, m.suffix, m.contains} {
			if a != nil {
				st.Bytes += a.size()
			}
		}
	}
	for i := range s.matchers {
		add(&s.matchers[i])
	}
	if s.keywords != nil {
		add(s.keywords)
	}
	return st
}
