// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import "github.com/haidang-soc/haidang/internal/store"

// Progress is how far the stages are.
type Progress struct {
	Taken      uint64 // lines and flow records that the collectors made safe
	Dropped    uint64 // datagrams lost, by the kernel's counter and our own
	Last       uint64 // sequence of the last record
	Indexed    uint64 // of the last one that is safe in the store
	Correlated uint64 // of the last one that is decided
	Alerts     uint64 // entries of the alert log
}

// Lag is how many records the slower reader is behind.
func (p Progress) Lag() uint64 {
	slow := min(p.Indexed, p.Correlated)
	if p.Last < slow {
		return 0
	}
	return p.Last - slow
}

// Progress reads the stages' counts.
func (a *App) Progress() Progress {
	p := Progress{Last: a.spool.Stats().Last, Indexed: a.indexed.Load()}
	if c := a.correlated.Load(); c != nil {
		p.Correlated = c.seq
	}
	p.Alerts, _ = a.alerts.Head()
	for _, l := range a.listeners {
		for _, c := range l.stats() {
			switch {
			case c.name == "flows_total", l.kind == "syslog" && c.name == "accepted_total":
				p.Taken += c.value
			case c.name == "dropped_total":
				p.Dropped += c.value
			}
		}
	}
	return p
}

// Events is what searches: the store, or a Querier that says that it is down.
func (a *App) Events() store.Querier {
	if a.store == nil {
		return down{}
	}
	return a.store
}
