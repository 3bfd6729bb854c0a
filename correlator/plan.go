// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/correlator/sigma/eval"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/event"
)

// kind is what a correlation computes of the events in its window.
type kind uint8

const (
	eventCount kind = iota
	valueCount
	valueSum
	temporal
	temporalOrdered
)

// meta is what detections and correlations have in common.
type meta struct {
	rule    alert.Rule
	hash    string   // semantic hash: equal hashes may share state
	context []string // what the policy's context rows look at
	quiet   bool     // raises no alerts of its own
	query   string   // KQL of what it matches, "" where it cannot be said
	group   []groupField
}

// groupField is one group-by name and the fields that stand for it.
type groupField struct {
	name   string
	fields []string
}

// detection is a rule over single events.
type detection struct {
	meta
	key  []fields        // what its episodes are kept apart by
	show []event.FieldID // what evidence shows
	uses []use
}

// use says that a correlation wants to know of a detection's match: directly, or because an inner correlation that
// counts it may hold at that event.
type use struct {
	correlation int
	ref         int // place in the correlation's list of rules
	inner       int // the inner correlation that must hold, or -1
	key         []fields
	value       []fields
	source      int // place of source.ip in key, or -1
}

// correlation is a rule over the matches of other rules.
type correlation struct {
	meta
	sigma  *sigma.Correlation
	kind   kind
	refs   []string // names or ids, as the rule lists them
	span   int64    // ms
	lane   int
	rising bool // counts the alerts of inner correlations, not every event at which they hold
}

// RuleSet is a compiled set of detections and correlations: immutable, made by Compile.
type RuleSet struct {
	match        *eval.Set // detection i is its rule i
	detections   []detection
	correlations []correlation // inner before outer
}
