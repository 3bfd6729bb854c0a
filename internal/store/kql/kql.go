// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package kql is the query language of analysts: KQL as Kibana users type it, parsed once into a tree. [Match] defines
// what a query means; a store may translate the tree to whatever is fast, but its answer must equal Match on every
// event. The rule a reader would otherwise break: text is folded by [AppendText] and nothing else, on both sides of a
// comparison, or a query without diacritics stops finding what was written with them.
//
// Two deviations from Kibana, both narrowing: several bare words must all occur (Kibana: any of them), and a word
// written with diacritics must occur with them.
package kql

import (
	"slices"
	"strings"
)

// Op is the kind of a node.
type Op uint8

// The kinds of nodes.
const (
	All       Op = iota // every event
	And                 // all of Args
	Or                  // one of Args at least
	Not                 // not Args[0]
	Text                // full text: Value in any value of the event
	Is                  // a value of Field equals, matches or lies in Value
	Exists              // Field has a value
	Less                // a value of Field < Value
	LessEq              // <=
	Greater             // >
	GreaterEq           // >=
)

// Expr is a node of a parsed query: immutable, safe for concurrent use.
type Expr struct {
	Op    Op
	Args  []*Expr // And, Or: two or more; Not: one
	Field Pattern // Is, Exists and the comparisons
	Value Value   // Text, Is and the comparisons
}

// Everything matches every event.
func Everything() *Expr { return &Expr{Op: All} }

// Nothing matches no event.
func Nothing() *Expr { return Negate(Everything()) }

// AllOf is the conjunction of its arguments; of none, [Everything].
func AllOf(args ...*Expr) *Expr {
	flat := flatten(And, args)
	flat = slices.DeleteFunc(flat, func(e *Expr) bool { return e.Op == All })
	switch len(flat) {
	case 0:
		return Everything()
	case 1:
		return flat[0]
	}
	return &Expr{Op: And, Args: flat}
}

// AnyOf is the disjunction of its arguments; of none, [Nothing].
func AnyOf(args ...*Expr) *Expr {
	flat := flatten(Or, args)
	switch len(flat) {
	case 0:
		return Nothing()
	case 1:
		return flat[0]
	}
	return &Expr{Op: Or, Args: flat}
}

func flatten(op Op, args []*Expr) []*Expr {
	flat := make([]*Expr, 0, len(args))
	for _, a := range args {
		if a.Op == op {
			flat = append(flat, a.Args...)
		} else {
			flat = append(flat, a)
		}
	}
	return flat
}

// Negate is the negation of e.
func Negate(e *Expr) *Expr {
	if e.Op == Not {
		return e.Args[0]
	}
	return &Expr{Op: Not, Args: []*Expr{e}}
}

// Equals is `field: "value"`: the exact value, nothing in it is special.
func Equals(field, value string) *Expr {
	return &Expr{Op: Is, Field: literalPattern(field), Value: quotedValue(value)}
}

// HasField is `field: *`.
func HasField(field string) *Expr {
	return &Expr{Op: Exists, Field: literalPattern(field)}
}

// Compare is `field op "value"` for one of the four comparisons.
func Compare(op Op, field, value string) *Expr {
	return &Expr{Op: op, Field: literalPattern(field), Value: quotedValue(value)}
}

// Walk calls fn for e and every node below it, until fn returns false.
func (e *Expr) Walk(fn func(*Expr) bool) bool {
	if !fn(e) {
		return false
	}
	for _, a := range e.Args {
		if !a.Walk(fn) {
			return false
		}
	}
	return true
}

// String is the canonical form: Parse reads it back to an equal tree.
func (e *Expr) String() string {
	var b strings.Builder
	e.print(&b, 0)
	return b.String()
}

// print writes e; prec is the binding strength of what surrounds it: 0 or, 1 and, 2 not.
func (e *Expr) print(b *strings.Builder, prec int) {
	switch e.Op {
	case All:
		b.WriteByte('*')
	case And, Or:
		own, word := 0, " or "
		if e.Op == And {
			own, word = 1, " and "
		}
		if own < prec {
			b.WriteByte('(')
		}
		for i, a := range e.Args {
			if i > 0 {
				b.WriteString(word)
			}
			a.print(b, own+1)
		}
		if own < prec {
			b.WriteByte(')')
		}
	case Not:
		b.WriteString("not ")
		e.Args[0].print(b, 2)
	case Text:
		e.Value.print(b)
	case Exists:
		e.Field.print(b)
		b.WriteString(": *")
	case Is:
		e.Field.print(b)
		b.WriteString(": ")
		e.Value.print(b)
	default:
		e.Field.print(b)
		b.WriteString(map[Op]string{Less: " < ", LessEq: " <= ", Greater: " > ", GreaterEq: " >= "}[e.Op])
		e.Value.print(b)
	}
}
