// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import "slices"

// literal is a folded text that an automaton looks for, and what fires when it is found.
type literal struct {
	text string
	atom int32
}

// automaton is a machine over the bytes of a text. Upper-case ASCII letters are read as lower-case ones, so ASCII text
// need not be folded first. Built with links (Aho-Corasick) it finds its literals anywhere; without, as a trie, those
// at the place where reading starts. States near the start and those with many ways on have a row of a table; the
// others, nearly all, are a few bytes. It is immutable.
type automaton struct {
	class  [256]uint8 // 0: a byte in no literal
	width  uint32
	rows   []uint32 // of the states below dense: by state*width + class, the next state
	dense  uint32
	sparse []sparseState // of the states from dense on
	edges  []sparseEdge
	start  uint32
	// States with output are those from denseLoud to dense and from sparseLoud on; out lists them in that order.
	denseLoud, sparseLoud uint32
	out                   [][]int32
}

// sparseState has its first way on in itself, and n-1 more from edges[first] on.
type sparseState struct {
	to, first, fail uint32
	class, n        uint8
}

type sparseEdge struct {
	to    uint32
	class uint8
}

// dead is where a trie ends.
const dead = ^uint32(0)

// step returns the state after a byte of that class.
func (a *automaton) step(at uint32, class uint8) uint32 {
	for {
		if at < a.dense {
			return a.rows[at*a.width+uint32(class)]
		}
		s := &a.sparse[at-a.dense]
		if s.class == class && s.n > 0 {
			return s.to
		}
		if s.n > 1 {
			for _, e := range a.edges[s.first : s.first+uint32(s.n)-1] {
				if e.class == class {
					return e.to
				}
			}
		}
		if at = s.fail; at == dead {
			return dead
		}
	}
}

// loud reports whether a state has output.
func (a *automaton) loud(at uint32) bool {
	return at >= a.sparseLoud || at >= a.denseLoud && at < a.dense
}

// output returns the atoms of a state that is loud.
func (a *automaton) output(at uint32) []int32 {
	if at < a.dense {
		return a.out[at-a.denseLoud]
	}
	return a.out[at-a.sparseLoud+a.dense-a.denseLoud]
}

// size returns the bytes that the machine takes, roughly.
func (a *automaton) size() int {
	return 4*len(a.rows) + 16*len(a.sparse) + 8*len(a.edges) + 28*len(a.out)
}

// build makes the table; reverse reads literals from their end. Nil when there is nothing to find.
func build(literals []literal, links, reverse bool) *automaton {
	if len(literals) == 0 {
		return nil
	}
	t := newTrie(literals, reverse)
	t.link(links)
	return t.machine(links)
}

type trieState struct {
	kids  []trieEdge // sorted by byte
	out   []int32
	fail  int32
	depth int32
}

type trieEdge struct {
	c  byte
	to int32
}

type trie struct {
	states []trieState
	order  []int32 // breadth first
}

func newTrie(literals []literal, reverse bool) *trie {
	t := &trie{states: make([]trieState, 1)}
	for _, l := range literals {
		at := int32(0)
		for i := range len(l.text) {
			c := l.text[i]
			if reverse {
				c = l.text[len(l.text)-1-i]
			}
			at = t.step(at, c)
		}
		t.states[at].out = append(t.states[at].out, l.atom)
	}
	return t
}

func (t *trie) kid(at int32, c byte) (int32, int, bool) {
	kids := t.states[at].kids
	i, ok := slices.BinarySearchFunc(kids, c, func(e trieEdge, c byte) int { return int(e.c) - int(c) })
	if !ok {
		return 0, i, false
	}
	return kids[i].to, i, true
}

func (t *trie) step(at int32, c byte) int32 {
	to, i, ok := t.kid(at, c)
	if !ok {
		to = int32(len(t.states))
		t.states = append(t.states, trieState{depth: t.states[at].depth + 1})
		t.states[at].kids = slices.Insert(t.states[at].kids, i, trieEdge{c, to})
	}
	return to
}

// link orders the states breadth first, and with links computes where a state goes on when a byte fails, and joins the
// outputs along these.
func (t *trie) link(links bool) {
	t.order = []int32{0}
	for i := 0; i < len(t.order); i++ {
		at := t.order[i]
		for _, e := range t.states[at].kids {
			t.order = append(t.order, e.to)
			if !links || at == 0 {
				continue
			}
			fail := t.states[at].fail
			for {
				to, _, ok := t.kid(fail, e.c)
				if ok {
					t.states[e.to].fail = to
					break
				}
				if fail == 0 {
					break
				}
				fail = t.states[fail].fail
			}
			t.states[e.to].out = append(t.states[e.to].out, t.states[t.states[e.to].fail].out...)
		}
	}
}

// isDense reports whether a state is worth a row.
func (s *trieState) isDense(links bool) bool {
	return s.depth == 0 || links && s.depth == 1 || len(s.kids) > 4
}

// machine numbers the states (dense before sparse, silent before loud) and fills them in breadth first.
func (t *trie) machine(links bool) *automaton {
	a := &automaton{width: 1}
	for i := range t.states {
		for _, e := range t.states[i].kids {
			if a.class[e.c] == 0 {
				a.class[e.c] = uint8(a.width)
				a.width++
			}
		}
	}
	for c := byte('A'); c <= 'Z'; c++ {
		a.class[c] = a.class[lower(c)]
	}
	number := make([]uint32, len(t.states))
	n := uint32(0)
	for _, dense := range [...]bool{true, false} {
		for _, loud := range [...]bool{false, true} {
			switch {
			case dense && loud:
				a.denseLoud = n
			case loud:
				a.sparseLoud = n
			}
			for i := range t.states {
				s := &t.states[i]
				if s.isDense(links) == dense && (len(s.out) > 0) == loud {
					number[i] = n
					n++
					if loud {
						a.out = append(a.out, slices.Clip(s.out))
					}
				}
			}
		}
		if dense {
			a.dense = n
		}
	}
	a.rows = make([]uint32, a.dense*a.width)
	a.sparse = make([]sparseState, n-a.dense)
	a.start = number[0]
	for _, i := range t.order {
		t.fill(a, number, i, links)
	}
	return a
}

// fill writes the ways on from a state; those it falls back to are filled already.
func (t *trie) fill(a *automaton, number []uint32, i int32, links bool) {
	s, at := &t.states[i], number[i]
	fail := uint32(dead)
	if links && i != 0 {
		fail = number[s.fail]
	}
	if at < a.dense {
		row := a.rows[at*a.width : (at+1)*a.width]
		for c := range row {
			switch {
			case fail != dead:
				row[c] = a.step(fail, uint8(c))
			case links:
				row[c] = at // the start
			default:
				row[c] = dead
			}
		}
		for _, e := range s.kids {
			row[a.class[e.c]] = number[e.to]
		}
		return
	}
	x := &a.sparse[at-a.dense]
	*x = sparseState{fail: fail, first: uint32(len(a.edges)), n: uint8(len(s.kids))}
	for k, e := range s.kids {
		if k == 0 {
			x.class, x.to = a.class[e.c], number[e.to]
		} else {
			a.edges = append(a.edges, sparseEdge{number[e.to], a.class[e.c]})
		}
	}
}
