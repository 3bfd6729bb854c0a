// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// future is how far ahead of stream time an event may be and still be believed.
const future = int64(5 * time.Second)

const maxOriginal = 1024

// hit is a detection's match as one correlation sees it.
type hit struct {
	correlation int
	inner       int // -1, or the correlation that must hold at this event
	refs        uint64
	key         string
	val         string
	num         float64
}

// before is the order within windows: event time, then the source's own sequence. It does not depend on when the
// events arrived.
func (f *fact) before(g *fact) bool {
	if f.time != g.time {
		return f.time < g.time
	}
	if a, b := binary.BigEndian.Uint64(f.id[8:]), binary.BigEndian.Uint64(g.id[8:]); a != b {
		return a < b
	}
	return binary.BigEndian.Uint64(f.id[:8]) < binary.BigEndian.Uint64(g.id[:8])
}

// match finds the detections that match an event, raises their alerts, and puts what correlations want to know of it
// into the queue behind the watermark.
func (e *Engine) match(ev event.Event) {
	e.stats.Events++
	s := &e.scratch
	s.hits = s.hits[:0]
	for _, h := range e.rules.match.Match(ev, &s.eval) {
		s.hits = append(s.hits, h.Rule)
	}
	if len(s.hits) == 0 {
		return
	}
	e.stats.Matches += uint64(len(s.hits))
	f := e.fact(ev)
	var hits [lanes][]hit
	for _, d := range s.hits {
		det := &e.rules.detections[d]
		if e.told != nil {
			e.told(d, f.id)
		} else if !det.quiet {
			e.detect(d, ev, f)
		}
		for i := range det.uses {
			if h, ok := e.use1(&det.uses[i], ev); ok {
				l := e.rules.correlations[h.correlation].lane
				hits[l] = append(hits[l], h)
			}
		}
	}
	for l := range hits {
		if len(hits[l]) > 0 {
			e.wait(l, pendingEvent{f, hits[l]})
		}
	}
}

// use1 reads the group and the value that a correlation needs from an event.
func (e *Engine) use1(u *use, ev event.Event) (hit, bool) {
	c := &e.rules.correlations[u.correlation]
	h := hit{correlation: u.correlation, inner: u.inner, refs: 1 << u.ref}
	k, shared := e.scratch.key[:0], false
	for i, f := range u.key {
		v, ok := e.value(f, ev)
		if !ok && !c.sigma.Haidang.NullGroup {
			e.scratch.key = k
			e.stats.MissingGroup++
			return h, false
		}
		k = appendValue(k, v)
		shared = shared || i == u.source && e.inv != nil && e.inv.Shared(v.IP())
	}
	if shared { // NAT: many people, never one attacker
		for _, id := range apart {
			v, _ := ev.Get(id)
			k = appendValue(k, v)
		}
	}
	h.key = string(k)
	k = k[:0]
	switch c.kind {
	case valueCount:
		if len(u.value) == 1 {
			v, ok := u.value[0].of(ev)
			if !ok {
				e.stats.MissingValue++
				return h, false
			}
			k = v.AppendText(k)
			break
		}
		for _, f := range u.value {
			v, ok := f.of(ev)
			if !ok {
				e.stats.MissingValue++
				return h, false
			}
			k = appendValue(k, v)
		}
	case valueSum:
		v, ok := u.value[0].of(ev)
		if !ok || v.Kind() != event.Int && v.Kind() != event.Float {
			e.stats.MissingValue++
			return h, false
		}
		h.num = v.Float()
	}
	h.val = string(k)
	e.scratch.key = k
	return h, true
}

// value reads a group-by field; haidang.origin may be implied by who sent the event.
func (e *Engine) value(f fields, ev event.Event) (event.Value, bool) {
	v, ok := f.of(ev)
	if !ok && f[0] == event.HaidangOrigin {
		if name := e.appendOrigin(ev); len(name) > 0 {
			return event.StringValue(string(name)), true
		}
	}
	return v, ok
}

// apart are the fields that tell people behind one shared address from each other.
var apart = [...]event.FieldID{event.UserName, event.UserAgentOriginal}

// appendValue appends the text of a value with its length before it.
func appendValue(dst []byte, v event.Value) []byte {
	at := len(dst)
	dst = v.AppendText(append(dst, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// splitKey returns the values of a group key.
func splitKey(key string) []string {
	var values []string
	for len(key) >= 4 {
		n := int(binary.BigEndian.Uint32([]byte(key[:4])))
		if n > len(key)-4 {
			break
		}
		values = append(values, key[4:4+n])
		key = key[4+n:]
	}
	return values
}

// fact keeps what alerts and windows need of an event; the rules in scratch.hits say which fields.
func (e *Engine) fact(ev event.Event) *fact {
	f := &fact{time: ev.Time(), id: ev.ID()}
	if f.time == 0 { // it says none
		f.time = e.clock
	}
	if f.time > e.clock+future {
		f.time = e.clock + future
		e.stats.Future++
	}
	if v, ok := ev.Get(event.HaidangLevel); ok {
		f.level = uint8(min(max(v.Int(), 0), 5))
	}
	f.origin = e.originName(ev)
	s := &e.scratch
	s.text, s.ends = s.text[:0], s.ends[:0]
	keep := func(text []byte) { // all texts of a fact share one piece of memory
		s.text, s.ends = text, append(s.ends, len(text))
	}
	keep(append(s.text, cut(ev.Text(event.EventOriginal), maxOriginal)...))
	for i, id := range systemFields {
		v := ev.Text(id)
		if v == "" || i > 0 && v == ev.Text(systemFields[0]) || i > 1 && v == ev.Text(systemFields[1]) {
			continue
		}
		keep(append(s.text, v...))
	}
	systems := len(s.ends) - 1
	if v, ok := ev.Get(event.HaidangUnitID); ok {
		for u := range v.All {
			keep(append(s.text, u.Str()...))
		}
	}
	names := len(s.ends) - 1
	s.ids = s.ids[:0]
	for _, d := range s.hits {
		s.ids = append(s.ids, e.rules.detections[d].show...)
	}
	slices.Sort(s.ids)
	s.ids = slices.DeleteFunc(slices.Compact(s.ids), func(id event.FieldID) bool {
		v, ok := ev.Get(id)
		if ok {
			from := len(s.text)
			text := v.AppendText(s.text)
			keep(text[:from+len(cut(string(text[from:]), maxOriginal))])
		}
		return !ok
	})
	all, from := string(s.text), 0
	next := func(i int) string {
		x := all[from:s.ends[i]]
		from = s.ends[i]
		return x
	}
	f.original = next(0)
	if names > 0 {
		list := make([]string, names)
		for i := range list {
			list[i] = next(1 + i)
		}
		f.systems, f.units = list[:systems:systems], list[systems:]
	}
	f.fields = make([]pair, len(s.ids))
	for i, id := range s.ids {
		f.fields[i] = pair{id.Name(), next(1 + names + i)}
	}
	slices.SortFunc(f.fields, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return f
}

// systemFields name the information systems of an event: of the whole, and of both ends.
var systemFields = [...]event.FieldID{event.HaidangSystemID, event.HaidangSourceSystemID,
	event.HaidangDestinationSystemID}

// cut shortens a text to at most n bytes, not inside a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// truth is what a correlation said of the event at hand.
type truth struct{ holds, rose bool }

// correlate gives one event to every correlation that wants it, inner ones first.
func (e *Engine) correlate(p pendingEvent) {
	s := &e.scratch
	s.truth = append(s.truth[:0], make([]truth, len(e.rules.correlations))...)
	slices.SortStableFunc(p.hits, func(a, b hit) int { return cmp.Compare(a.correlation, b.correlation) })
	for len(p.hits) > 0 {
		ci := p.hits[0].correlation
		c := &e.rules.correlations[ci]
		s.merge = s.merge[:0]
		n := 0
		for ; n < len(p.hits) && p.hits[n].correlation == ci; n++ {
			h := p.hits[n]
			if h.inner >= 0 {
				if t := s.truth[h.inner]; !t.holds || c.rising && !t.rose {
					if c.rising {
						continue
					}
					h.refs = 0 // no step of the sequence, but what led to one is evidence
				}
			}
			e.join(c, h)
		}
		p.hits = p.hits[n:]
		for _, h := range s.merge {
			holds, rose := e.apply(ci, h, p.f)
			s.truth[ci].holds = s.truth[ci].holds || holds
			s.truth[ci].rose = s.truth[ci].rose || rose
		}
	}
}

// join adds a hit to those of the same correlation: one event counts once in a group, unless the rule counts matches.
func (e *Engine) join(c *correlation, h hit) {
	if !c.sigma.Haidang.CountMatches {
		for i := range e.scratch.merge {
			if m := &e.scratch.merge[i]; m.key == h.key && m.val == h.val {
				m.refs |= h.refs
				return
			}
		}
	}
	e.scratch.merge = append(e.scratch.merge, h)
}

// apply adds an event to a group's window and follows what becomes of the group's alert.
func (e *Engine) apply(ci int, h hit, f *fact) (holds, rose bool) {
	c := &e.rules.correlations[ci]
	t := &e.tables[len(e.rules.detections)+ci]
	g := e.group(t, h.key)
	now := f.ms()
	if g.ep != nil && now-g.ep.last >= c.span {
		e.end(g)
	}
	g.expire(c, now-c.span, e.release)
	x := entry{f: f, refs: h.refs, val: h.val, num: h.num, full: e.held < e.cfg.Limits.Evidence}
	if x.full {
		e.held++
	} else {
		x.f = f.thin()
		e.stats.EvidenceThinned++
	}
	if old := g.push(c, x, e.cfg.Limits.Window); old != nil {
		e.stats.EntriesDropped++
		e.release(*old)
	}
	e.thinMiddle(g)
	g.last = now
	g.level = max(g.level, f.level)
	v := g.value(c, now)
	ok := e.holds(c, g.level, v)
	switch {
	case ok && g.ep == nil:
		e.raise(g, ci, f, v)
		if e.told != nil {
			e.told(len(e.rules.detections)+ci, f.id)
		}
		return true, true
	case ok:
		e.follow(g, &c.meta, f, v)
		return true, false
	case g.ep != nil:
		e.end(g)
	}
	return false, false
}

// holds compares a value with the threshold for a level: that of policy, else that of the rule.
func (e *Engine) holds(c *correlation, level uint8, v float64) bool {
	if t, ok := e.policy.Threshold(c.rule.ID, level); ok && level > 0 {
		return v > t.Value || v == t.Value && t.Op == "gte"
	}
	return c.sigma.ThresholdAt(int(level)).Holds(v)
}

// thin is the fact without what only evidence needs.
func (f *fact) thin() *fact {
	t := *f
	t.original, t.fields = "", nil
	return &t
}

// thinMiddle keeps text and fields of the newest 500 entries of a window only.
func (e *Engine) thinMiddle(g *group) {
	w := g.window()
	if i := len(w) - 1 - maxEvidence; i >= 0 && w[i].full {
		w[i].f, w[i].full = w[i].f.thin(), false
		e.held--
	}
}

func (e *Engine) release(x entry) {
	if x.full {
		e.held--
	}
}

// group returns the group of a key; a new one may push out the one that was quiet longest.
func (e *Engine) group(t *table, key string) *group {
	e.scratch.key = append(e.scratch.key[:0], key...)
	g, isNew := t.get(e.scratch.key)
	if isNew && len(t.groups) > e.cfg.Limits.Groups {
		e.stats.GroupsDropped++
		e.drop(t, t.first)
	}
	return g
}

// drop forgets a group; its alert ends.
func (e *Engine) drop(t *table, g *group) {
	if g.ep != nil {
		e.end(g)
	}
	for _, x := range g.window() {
		e.release(x)
	}
	t.remove(g)
}
