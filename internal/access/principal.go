// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"
	"strings"
)

// Principal is who makes a request, found from what it showed. The zero Principal may do nothing.
type Principal struct {
	Actor   string   // for the audit: person id, token:<id> or unix:<user>
	Person  string   // id, empty for a program
	Token   string   // id of the token shown
	Roles   []Role   //
	Units   []string //
	Sources []string // of /v1/spool
}

// Local returns the principal of the socket in the data directory: whoever may open it is an administrator.
func Local(user string) Principal {
	return Principal{Actor: "unix:" + user, Roles: []Role{Admin}, Units: []string{AllUnits}, Sources: []string{"*"}}
}

// May reports whether one of the principal's roles allows the action.
func (p Principal) May(a Action) bool {
	return slices.ContainsFunc(p.Roles, func(r Role) bool { return Can(r, a) })
}

// Scope returns what the principal may see; below is as in Person.Scope.
func (p Principal) Scope(below func(units ...string) []string) Scope { return scopeOf(p.Units, below) }

// MayDeliver reports whether the principal may write batches of the named source to the spool.
func (p Principal) MayDeliver(source string) bool {
	if !p.May(WriteSpool) || source == "" {
		return false
	}
	for _, s := range p.Sources {
		prefix, wild := strings.CutSuffix(s, "*")
		if s == source || wild && strings.HasPrefix(source, prefix) && len(source) > len(prefix) {
			return true
		}
	}
	return false
}
