// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import "github.com/haidang-soc/haidang/correlator/sigma"

// Set is a compiled rule set. It is immutable and safe for concurrent use, each goroutine with its own Scratch.
type Set struct {
	rules    []*sigma.Rule
	roots    []int32 // by rule: its node, or -1 when it was refused
	sources  []int32 // by rule: its log source in the router
	always   []int32 // rules that must be evaluated for every event of their log source
	nodes    []node
	children []int32
	atoms    []atom
	triggers [][]int32 // by atom: the rules to evaluate when it fires
	logical  []logical
	static   [][]int32 // by static field id: the logical fields that it carries
	dynamic  [][]int32 // by dynamic field id
	matchers []matcher // by logical field
	keywords *matcher  // run over every text of an event; nil when no rule has keywords
	headers  []FieldID // of the times that Fields does not yield, those that rules ask for
	router   router
	folder   *folder
}

// logical is a field as rules name it, and the fields of events that carry it.
type logical struct {
	name string
	ids  []FieldID
}

// matcher is what runs over the values of a logical field.
type matcher struct {
	present  []int32    // atoms that fire because the field is there
	prefix   *automaton // texts at the start
	suffix   *automaton // texts at the end
	contains *automaton
	texts    bool // whether any of the three is there
}

// nodeOp is an operation of a compiled rule.
type nodeOp uint8

const (
	opAtom nodeOp = iota + 1
	opNot
	opAnd
	opOr
)

// node is an atom (arg), or an operation over children[arg : arg+n].
type node struct {
	op     nodeOp
	arg, n int32
}

const keywordField = -1

// Len returns the number of rules that Compile was given.
func (s *Set) Len() int { return len(s.rules) }

// Rule returns rule i, as Compile was given it.
func (s *Set) Rule(i int) *sigma.Rule { return s.rules[i] }

// Hit is a rule that an event matches. It is valid until the next Match with the same Scratch.
type Hit struct {
	Rule    int // index into the rules that Compile was given
	Matched []Matched
}

// Matched is one comparison that made a rule match: the value that satisfied it.
type Matched struct {
	Field FieldID // 0 where it is not one field of the event (null, exists: false)
	Name  string  // the field as the rule names it, "" for a keyword
	Value string  // the value as text; aliases the event's memory where it can
}

const firstDynamic = 1 << 15

// fieldsOf returns the logical fields that a field of events carries.
func (s *Set) fieldsOf(id FieldID) []int32 {
	table, i := s.static, int(id)
	if id >= firstDynamic {
		table, i = s.dynamic, i-firstDynamic
	}
	if i >= len(table) {
		return nil
	}
	return table[i]
}
