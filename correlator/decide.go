// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// Decision says that a rule is true, and of which event: of a correlation the one that completed it.
type Decision struct {
	Rule  string // id, else title
	Event EventID
}

// Decide asks every rule of a set about a finished collection of events, in any order and without a stream: there is
// no lateness, no system level and no alert that lasts. A detection is decided at every event that it matches; a
// correlation at every event at which its condition becomes true after it was not. Rules that are only parts of
// correlations are decided as well. Decisions come detections first, in the order of the batches.
func Decide(rules *RuleSet, batches ...*Batch) []Decision {
	n := 1
	clock := int64(future)
	for _, b := range batches {
		n += b.Len()
		for ev := range b.Events() {
			clock = max(clock, ev.Time())
		}
	}
	e, err := New(Config{Rules: rules, Policy: asset.DefaultPolicy(), Limits: Limits{Pending: n, Evidence: 1, Origins: 1}})
	if err != nil {
		return nil // New asks for rules and policy only
	}
	var out []Decision
	e.told = func(table int, id event.ID) { out = append(out, Decision{rules.meta(table).rule.ID, id}) }
	e.clock = clock
	for _, b := range batches {
		for ev := range b.Events() {
			e.match(ev)
		}
	}
	e.at = spool.Position{Seq: 1}
	e.advance(clock+1, clock+1)
	e.drain()
	return out
}
