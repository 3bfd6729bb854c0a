// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/haidang-soc/haidang/correlator/sigma"
)

// atomKind says how an atom is decided.
type atomKind uint8

const (
	atomLiteral  atomKind = iota + 1 // eager: fires during the walk
	atomPresent                      // eager: the field is there
	atomAbsent                       // the field is not there
	atomWildcard                     // lazy, as are those below: decided when a rule asks
	atomRegexp
	atomNumber
	atomCIDR
	atomFieldRef
)

// place says where in a value a literal stands.
type place uint8

const (
	placeExact place = iota
	placePrefix
	placeSuffix
	placeContains
)

// atom is one comparison of one logical field.
type atom struct {
	kind  atomKind
	place place
	cased bool
	part  sigma.RefPart
	op    sigma.Operator
	field int32  // logical field, or keywordField
	other int32  // logical field of a reference
	pre   int32  // the eager atom without which a lazy one is false; -1 for none
	text  string // folded literal
	num   float64
	wild  *wildcard
	re    *regexp.Regexp
	net   netip.Prefix
}

// matchText decides an atom for one value. folded is the folded text, plain the same in NFC.
func (a *atom) matchText(plain, folded string) bool {
	switch a.kind {
	case atomLiteral:
		switch a.place {
		case placePrefix:
			return strings.HasPrefix(folded, a.text)
		case placeSuffix:
			return strings.HasSuffix(folded, a.text)
		case placeContains:
			return strings.Contains(folded, a.text)
		}
		return folded == a.text
	case atomWildcard:
		if a.cased {
			return a.wild.match(plain)
		}
		return a.wild.match(folded)
	case atomRegexp:
		return a.re.MatchString(plain)
	}
	return false
}

// matchRef decides a field reference for one pair of folded values.
func (a *atom) matchRef(value, other string) bool {
	switch a.part {
	case sigma.RefContains:
		return strings.Contains(value, other)
	case sigma.RefStartsWith:
		return strings.HasPrefix(value, other)
	case sigma.RefEndsWith:
		return strings.HasSuffix(value, other)
	}
	return value == other
}
