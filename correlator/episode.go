// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/event"
)

const (
	maxEvidence   = 500                     // first, and last, events that an alert keeps
	maxNames      = 50                      // systems, units and origins that an alert names
	updateEvery   = int64(10 * time.Second) // stream time between updates of an alert that only grows
	detectionSpan = int64(time.Hour)        // without a match ends a detection's episode; ns of stream time
	detectionMs   = detectionSpan / int64(1e6)
)

// episode is one alert from its first event to its end.
type episode struct {
	table   int // of the rule
	g       *group
	a       alert.Alert // as last emitted, with what came since; without evidence
	first   []alert.Evidence
	later   []alert.Evidence // a ring once it is full
	oldest  int              // in later
	last    int64            // last match, ms: event time of a correlation, stream time of a detection
	emitted int64            // stream time of the last emission, ns
	turn    uint64           // when it changed since the last emission, else 0
}

// change is an alert that changed since its last emission.
type change struct {
	ep   *episode
	turn uint64
}

// meta returns the rule of a table.
func (e *Engine) meta(table int) *meta { return e.rules.meta(table) }

// detect raises or follows the alert of a detection.
func (e *Engine) detect(d int, ev event.Event, f *fact) {
	det := &e.rules.detections[d]
	k := e.scratch.key[:0]
	for _, f := range det.key {
		v, _ := e.value(f, ev)
		k = appendValue(k, v)
	}
	e.scratch.key = k
	t := &e.tables[d]
	g, isNew := t.get(k)
	if isNew && len(t.groups) > e.cfg.Limits.Groups {
		e.stats.GroupsDropped++
		e.drop(t, t.first)
	}
	now := floorMs(e.clock)
	if g.ep != nil && now-g.ep.last >= detectionMs {
		e.end(g)
	}
	g.last = now
	if g.ep != nil {
		g.level = max(g.level, f.level)
		e.follow(g, &det.meta, f, 0)
		return
	}
	g.level = f.level
	g.ep = e.begin(g, d, f.id)
	e.add(g.ep, f)
	g.ep.last = now
	e.weigh(g.ep)
	e.emit(g.ep, false)
}

// raise begins a correlation's alert with the events of its window.
func (e *Engine) raise(g *group, ci int, f *fact, v float64) {
	w := g.window()
	g.ep = e.begin(g, len(e.rules.detections)+ci, w[0].f.id)
	for i := range w {
		e.add(g.ep, w[i].f)
	}
	g.ep.last = f.ms()
	g.ep.a.Value = v
	e.weigh(g.ep)
	e.emit(g.ep, false)
}

func (e *Engine) begin(g *group, table int, first event.ID) *episode {
	m := e.meta(table)
	ep := &episode{table: table, g: g}
	e.open++
	ep.a = alert.Alert{ID: alertID(m.rule.ID, g.key, first), Rule: m.rule}
	for i, v := range splitKey(g.key) {
		if f := m.groupAt(i); f.name != "" && (i < len(m.group) || v != "") {
			ep.a.Group = append(ep.a.Group, alert.KV{Field: f.name, Value: v})
		}
	}
	return ep
}

// groupAt returns the i-th part of a group's key: those of the rule, then those that tell people behind a shared
// address from each other.
func (m *meta) groupAt(i int) groupField {
	if i < len(m.group) {
		return m.group[i]
	}
	if i -= len(m.group); i < len(apart) {
		return groupField{apart[i].Name(), []string{apart[i].Name()}}
	}
	return groupField{}
}

// alertID is SHA-256(rule id, group-by values, id of the first event)[:16], each with its length before it.
func alertID(rule, key string, first event.ID) (id alert.ID) {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(rule)))
	b = append(append(append(b, rule...), key...), first[:]...)
	sum := sha256.Sum256(b)
	copy(id[:], sum[:])
	return id
}

// follow adds a match to an alert that is open.
func (e *Engine) follow(g *group, m *meta, f *fact, v float64) {
	ep := g.ep
	e.add(ep, f)
	ep.last = g.last
	ep.a.Value = v
	if was := ep.a.Severity; g.level > ep.a.Level {
		e.weigh(ep)
		if ep.a.Severity > was {
			e.emit(ep, false)
			return
		}
	}
	if ep.turn == 0 {
		e.turns++
		ep.turn = e.turns
		e.dirty = append(e.dirty, change{ep, ep.turn})
	}
}

// weigh gives the alert the level of its group and the severity that policy has for it.
func (e *Engine) weigh(ep *episode) {
	m := e.meta(ep.table)
	ep.a.Level = ep.g.level
	s, why := e.policy.Severity(m.rule.Level, ep.a.Level, m.context...)
	ep.a.Severity, ep.a.Policy = alert.Severity(s), why
}

// add counts an event and keeps it as evidence.
func (e *Engine) add(ep *episode, f *fact) {
	a := &ep.a
	if a.Count == 0 {
		a.First, a.Last = f.time, f.time
	}
	a.Count++
	a.First, a.Last = min(a.First, f.time), max(a.Last, f.time)
	for _, id := range f.systems {
		e.name(a, id, f)
	}
	for _, u := range f.units {
		a.Units = addName(a.Units, u)
	}
	if f.origin != "" {
		a.Origins = addName(a.Origins, f.origin)
	}
	x := alert.Evidence{Event: f.id, Time: f.time}
	if e.held < e.cfg.Limits.Evidence {
		x.Original = f.original
		for _, p := range f.fields {
			x.Fields = append(x.Fields, alert.KV{Field: p.name, Value: p.value})
		}
		e.held += full(&x)
	} else {
		e.stats.EvidenceThinned++
	}
	switch {
	case len(ep.first) < maxEvidence:
		ep.first = append(ep.first, x)
	case len(ep.later) < maxEvidence:
		ep.later = append(ep.later, x)
	default:
		e.held -= full(&ep.later[ep.oldest])
		ep.later[ep.oldest] = x
		ep.oldest = (ep.oldest + 1) % maxEvidence
	}
}

// full is 1 for evidence that has text or fields.
func full(x *alert.Evidence) int {
	if x.Original != "" || len(x.Fields) > 0 {
		return 1
	}
	return 0
}

// full counts the episode's evidence that has text or fields.
func (ep *episode) full() (n int) {
	for i := range ep.first {
		n += full(&ep.first[i])
	}
	for i := range ep.later {
		n += full(&ep.later[i])
	}
	return n
}

func addName(list []string, s string) []string {
	if len(list) >= maxNames || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// name puts a system and its legal basis into an alert.
func (e *Engine) name(a *alert.Alert, id string, f *fact) {
	if len(a.Systems) >= maxNames || slices.ContainsFunc(a.Systems, func(s alert.System) bool { return s.ID == id }) {
		return
	}
	s := alert.System{ID: id, Level: f.level}
	if e.inv != nil {
		if known, clauses, ok := describe(e.inv, id); ok {
			s = known
			for _, c := range clauses {
				if len(a.Basis) < maxNames && !slices.Contains(a.Basis, c) {
					a.Basis = append(a.Basis, c)
				}
			}
		}
	}
	a.Systems = append(a.Systems, s)
}

// emit appends the alert as it is to the output, as its next update.
func (e *Engine) emit(ep *episode, final bool) {
	if e.meta(ep.table).quiet {
		return
	}
	a := &ep.a
	a.Update++
	a.Position = alert.Position{Shard: e.at.Shard, Seq: e.at.Seq}
	a.At = e.clock
	if a.Update == 1 {
		a.Since = e.clock
	}
	a.Final = final
	a.Query = e.query(ep)
	ep.emitted, ep.turn = e.clock, 0
	out := *a
	out.Systems, out.Units, out.Origins = slices.Clone(a.Systems), slices.Clone(a.Units), slices.Clone(a.Origins)
	out.Basis = slices.Clone(a.Basis)
	out.Evidence = ep.evidence()
	e.stats.Emissions++
	e.out.Alerts = append(e.out.Alerts, &out)
}

func (ep *episode) evidence() []alert.Evidence {
	list := make([]alert.Evidence, 0, len(ep.first)+len(ep.later))
	list = append(list, ep.first...)
	list = append(list, ep.later[ep.oldest:]...)
	return append(list, ep.later[:ep.oldest]...)
}

// end emits an alert for the last time.
func (e *Engine) end(g *group) {
	e.emit(g.ep, true)
	e.held -= g.ep.full()
	g.ep = nil
	e.open--
}

// update emits the alerts that changed and were quiet for 10 s.
func (e *Engine) update() {
	keep := e.dirty[:0]
	for _, c := range e.dirty {
		ep := c.ep
		switch {
		case ep.g.ep != ep || ep.turn != c.turn: // ended, or emitted since
		case e.clock-ep.emitted >= updateEvery:
			e.emit(ep, false)
		default:
			keep = append(keep, c)
		}
	}
	clear(e.dirty[len(keep):])
	e.dirty = keep
}

// close ends the alerts whose time has passed, and forgets the groups that nothing can complete any more.
func (e *Engine) close() {
	for i := range e.tables {
		t := &e.tables[i]
		now, span := floorMs(e.clock), detectionMs
		if n := len(e.rules.detections); i >= n {
			c := &e.rules.correlations[i-n]
			now, span = floorMs(e.lanes[c.lane].watermark), c.span
		}
		for t.first != nil && now-t.first.last >= span {
			e.drop(t, t.first)
		}
	}
}
