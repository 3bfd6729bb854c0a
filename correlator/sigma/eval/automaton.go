// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import "slices"

// literal is a folded text that an automaton looks for, and what fires when it is found.
type literal struct {
	text string
	atom int32
}

// automaton is a table of states over the bytes of a text. Upper-case ASCII letters are read as lower-case ones, so
// ASCII text need not be folded first. Built with links (Aho-Corasick) it finds its literals anywhere; without, as a
// trie, those at the place where reading starts, and state 0 is the end. It is immutable.
type automaton struct {
	class [256]uint8 // 0: a byte in no literal
	width uint32
	next  []uint32 // by state*width + class: the next state times width
	// States at or above loud have output; out is by (state - loud) / width.
	loud  uint32
	out   [][]int32
	start uint32
}

// build makes the table; reverse reads literals from their end. Nil when there is nothing to find.
func build(literals []literal, links, reverse bool) *automaton {
	if len(literals) == 0 {
		return nil
	}
	t := newTrie(literals, reverse)
	if links {
		t.link()
	}
	return t.table(links)
}

type trieState struct {
	kids []trieEdge // sorted by byte
	fail int32
	out  []int32
}

type trieEdge struct {
	c  byte
	to int32
}

type trie struct {
	states []trieState
	order  []int32 // breadth first, filled by link
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
		t.states = append(t.states, trieState{})
		t.states[at].kids = slices.Insert(t.states[at].kids, i, trieEdge{c, to})
	}
	return to
}

// link computes the failure links breadth first, and joins the outputs along them.
func (t *trie) link() {
	t.order = []int32{0}
	for i := 0; i < len(t.order); i++ {
		at := t.order[i]
		for _, e := range t.states[at].kids {
			t.order = append(t.order, e.to)
			if at == 0 {
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

// table numbers the states, silent ones first, and fills the rows. Without links a missing edge leads to the dead
// state 0, which is not the root.
func (t *trie) table(links bool) *automaton {
	a := &automaton{width: 1}
	for _, s := range t.states {
		for _, e := range s.kids {
			if a.class[e.c] == 0 {
				a.class[e.c] = uint8(min(a.width, 255))
				a.width++
			}
		}
	}
	for c := byte('A'); c <= 'Z'; c++ {
		a.class[c] = a.class[lower(c)]
	}
	number := make([]uint32, len(t.states))
	n := uint32(0)
	if !links {
		n = a.width // the dead state
	}
	for _, loud := range [...]bool{false, true} {
		if loud {
			a.loud = n
		}
		for i := range t.states {
			if (len(t.states[i].out) > 0) == loud {
				number[i] = n
				n += a.width
				if loud {
					a.out = append(a.out, t.states[i].out)
				}
			}
		}
	}
	a.start = number[0]
	a.next = make([]uint32, n)
	if !links {
		for i := range t.states {
			t.edges(a, number, int32(i))
		}
		return a
	}
	for _, i := range t.order {
		if i != 0 {
			fail := number[t.states[i].fail]
			copy(a.next[number[i]:number[i]+a.width], a.next[fail:fail+a.width])
		} else {
			for c := range a.width {
				a.next[number[0]+c] = number[0]
			}
		}
		t.edges(a, number, i)
	}
	return a
}

func (t *trie) edges(a *automaton, number []uint32, i int32) {
	for _, e := range t.states[i].kids {
		a.next[number[i]+uint32(a.class[e.c])] = number[e.to]
	}
}
