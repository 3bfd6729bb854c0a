// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "net/netip"

// Detection is a named search: it matches when any of its groups does.
type Detection struct {
	Name string
	Any  []Group
	Pos  Pos
}

// Group matches when all of its items do.
type Group struct {
	All []Item
	Pos Pos
}

// Item compares one field, or the whole message, with values.
type Item struct {
	// Field is the name as written, Sigma or ECS; empty is a keyword, looked for anywhere in the event.
	Field string
	// Modifiers are the names as written, in order.
	Modifiers []string
	// All asks for every value, else one is enough.
	All bool
	// Negate turns the result of the item around (modifier neq).
	Negate bool
	// Values are what the modifiers made of the values in the file, in order.
	Values []Value
	Pos    Pos
}

// Value is one value of an item: it matches when any of its atoms does (windash and base64offset make several of one).
type Value struct {
	// Raw is the text in the file.
	Raw   string
	Atoms []Atom
}

// AtomKind says what an Atom compares.
type AtomKind uint8

// The kinds of atoms, and the members of Atom they use.
const (
	AtomText     AtomKind = iota + 1 // Pattern, Cased: the whole value matches the pattern
	AtomNumber                       // Op, Number: compares numerically; EQ also accepts the equal text
	AtomRegexp                       // Regexp: unanchored RE2, case-sensitive unless flagged
	AtomCIDR                         // Prefix: the value is an address in it
	AtomExists                       // Want: the field is there (true) or is not (false), whatever its value
	AtomNull                         // the field is absent or null
	AtomFieldRef                     // Ref, Pattern, Cased: the value equals that of another field, or contains ... it
)

// Atom is one comparison.
type Atom struct {
	Kind    AtomKind
	Pattern Pattern
	Cased   bool
	Op      Operator
	Number  float64
	Regexp  string
	Prefix  netip.Prefix
	Want    bool
	Ref     FieldRef
}

// FieldRef is the other field of AtomFieldRef, and which part of this field's value must equal its value.
type FieldRef struct {
	Field string
	Part  RefPart
}

// RefPart says which part of a value a field reference compares.
type RefPart uint8

// The parts: the whole value, any part of it, its start, its end.
const (
	RefWhole RefPart = iota
	RefContains
	RefStartsWith
	RefEndsWith
)
