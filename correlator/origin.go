// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"cmp"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// origin is one sender as the stream knows it.
type origin struct {
	Origin
	flow     bool  // sends flow records, which come long after what they tell of
	lateness int64 // ns
	high     int64 // highest event time, ns
	seen     int64 // listening time (stream time less Engine.down) of its last event, ns
	silent   bool  // a silence event was made
	asked    bool  // watched is set
	watched  watched
	skew     skew
}

// flowSuffix keeps an exporter's flows apart from the lines of the same device.
const flowSuffix = "\x00flow"

// key is the origin's key in originTable.byName.
func (o *origin) key() string {
	if o.flow {
		return o.Name + flowSuffix
	}
	return o.Name
}

// skew gathers how far event times are from the times of receipt. A clock is off when all of at least 5 events over
// 60 s of stream time are off to the same side: one odd line, or a queue that drains, is not a clock.
type skew struct {
	from     int64 // stream time of the first event, 0 when there is none
	n        int
	min, max int64 // ns, event time minus time of receipt
	told     int64 // stream time of the last skew event, 0 for never or in order since
}

const (
	skewSpan   = int64(time.Minute)
	skewEvents = 5
	skewAgain  = int64(24 * time.Hour)
	forgetting = int64(7 * 24 * time.Hour)
)

type originTable struct {
	byName map[string]*origin // by origin.key
	list   []*origin          // in the order of their first event
}

// forget makes the engine ask the inventory again.
func (t *originTable) forget() {
	for _, o := range t.list {
		o.asked = false
	}
}

// originName returns the name of an event's origin, "" when it has none. It aliases no memory of the event.
func (e *Engine) originName(ev event.Event) string {
	if o := e.origins.byName[string(e.appendOrigin(ev))]; o != nil {
		return o.Name
	}
	return string(e.scratch.name)
}

// appendOrigin writes the name of an event's origin to scratch.name.
func (e *Engine) appendOrigin(ev event.Event) []byte {
	b := e.scratch.name[:0]
	if s := ev.Text(event.HaidangOrigin); s != "" {
		b = append(b, s...)
	} else if s := ev.Text(event.AgentID); s != "" {
		b = append(b, s...)
	} else if v, ok := ev.Get(event.ObserverIP); ok {
		b = v.At(0).AppendText(b)
		if e.cfg.Relays != nil && e.cfg.Relays(string(b)) {
			b = append(append(b, ' '), ev.Text(event.HostName)...)
		}
	}
	e.scratch.name = b
	return b
}

// hear takes note of an event's origin.
func (e *Engine) hear(ev event.Event) {
	name := e.appendOrigin(ev)
	if len(name) == 0 {
		return
	}
	flow := strings.HasPrefix(ev.Text(event.EventDataset), "netflow")
	key := name
	if flow { // a device that logs as well is heard twice: its flows come long after what they tell of
		key = append(key, flowSuffix...)
		e.scratch.name = key
	}
	o := e.origins.byName[string(key)]
	if o == nil {
		if len(e.origins.list) >= e.cfg.Limits.Origins {
			e.stats.OriginsOver++
			return
		}
		o = e.meet(string(name), flow, ev)
	}
	t := ev.Time()
	if t == 0 {
		t = e.clock
	}
	o.high = max(o.high, min(t, e.clock+future))
	o.seen = e.clock - e.down
	o.silent = false
	got := ev.Created()
	if got == 0 || o.flow {
		return
	}
	if v, ok := ev.Get(event.HaidangTimeClaimed); ok {
		t = v.Time()
	}
	d := t - got
	s := &o.skew
	if s.n == 0 {
		s.from, s.min, s.max = e.clock, d, d
	}
	s.n++
	s.min, s.max = min(s.min, d), max(s.max, d)
}

// meet makes the origin of an event that is the first of its name.
func (e *Engine) meet(name string, flow bool, ev event.Event) *origin {
	o := &origin{flow: flow, lateness: int64(e.cfg.Lateness)}
	o.Name = name
	o.Host = strings.Clone(cmp.Or(ev.Text(event.HostName), ev.Text(event.ObserverName))) // a firewall's is its own name
	o.Site = strings.Clone(ev.Text(event.HaidangSite))
	v, _ := ev.Get(event.ObserverIP)
	o.Addr = v.At(0).String()
	if o.flow || ev.Has(event.AgentID) || e.cfg.Relays != nil && e.cfg.Relays(o.Addr) {
		o.lateness = int64(e.cfg.RelayLateness)
	}
	if e.origins.byName == nil {
		e.origins.byName = make(map[string]*origin)
	}
	e.origins.byName[o.key()] = o
	e.origins.list = append(e.origins.list, o)
	return o
}

// listen moves the watermarks to the lowest of all origins that hold them, and looks for silence and skew.
func (e *Engine) listen() {
	lines := e.clock - int64(e.cfg.Lateness)
	flows := e.clock - int64(e.cfg.RelayLateness) // also before the first exporter speaks
	alive := e.clock - e.down
	behind := int64(e.cfg.Idle)
	if alive-e.resumed < behind {
		behind += e.gap // senders may still have what nobody took meanwhile
	}
	keep := e.origins.list[:0]
	var tell []*origin
	for _, o := range e.origins.list {
		quiet := alive - o.seen
		if quiet >= forgetting {
			delete(e.origins.byName, o.key())
			continue
		}
		keep = append(keep, o)
		m := e.clock
		if quiet < int64(e.cfg.Idle) && o.high > e.clock-o.lateness-behind {
			m = o.high
		}
		if o.flow {
			flows = min(flows, m-o.lateness)
		} else {
			lines = min(lines, m-o.lateness)
		}
		if e.tells(o, quiet) {
			tell = append(tell, o)
		}
	}
	clear(e.origins.list[len(keep):])
	e.origins.list = keep
	e.advance(lines, flows)
	if len(tell) > 0 {
		e.derive(tell)
	}
}

// tells reports whether there is something to say of an origin: that it fell silent, or that its clock is off.
func (e *Engine) tells(o *origin, quiet int64) bool {
	if !o.asked && e.inv != nil {
		o.asked, o.watched = true, watch(e.inv, o.Origin)
	}
	silent := !o.silent && o.watched.silence > 0 && quiet >= int64(o.watched.silence)
	return silent || o.skew.n > 0 && e.clock-o.skew.from >= skewSpan
}
