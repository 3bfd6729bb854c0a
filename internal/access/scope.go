// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import "slices"

// Scope is what a person may see: everything, or the events and alerts of a set of units and the systems they own or
// operate. The zero Scope sees nothing. Values are immutable and safe for concurrent use.
type Scope struct {
	all   bool
	units []string
}

// Everything is the scope of people who answer for the whole province.
func Everything() Scope { return Scope{all: true} }

// Units is the scope of people who see only the named units (inventory unit ids). No unit: nothing is seen.
func Units(ids ...string) Scope {
	u := slices.Clone(ids)
	slices.Sort(u)
	return Scope{units: slices.Compact(u)}
}

// All reports whether the scope is everything.
func (s Scope) All() bool { return s.all }

// Units returns the unit ids of a bounded scope, sorted; the caller must not change them.
func (s Scope) Units() []string { return s.units }

// Allows reports whether something that belongs to the given units may be seen: one of them is enough.
func (s Scope) Allows(units ...string) bool {
	if s.all {
		return true
	}
	for _, u := range units {
		if _, ok := slices.BinarySearch(s.units, u); ok {
			return true
		}
	}
	return false
}
