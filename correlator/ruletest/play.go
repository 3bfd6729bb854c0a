// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/decoders"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

var severities = [...]string{"info", "low", "medium", "high", "critical"}

// arrival is one line or event on its way.
type arrival struct {
	in         *Input
	n          int // of the repetition, from 1
	at, arrive time.Time
	unit       uint64
}

// test plays one test and says what is wrong with its alerts.
func (r *Runner) test(t *Test, rules *correlator.RuleSet) []string {
	e, err := correlator.New(correlator.Config{Rules: rules, Policy: r.Inventory.Policy(), Inventory: r.Inventory})
	if err != nil {
		return []string{err.Error()}
	}
	p := player{engine: e, runner: r, test: t, now: start, last: map[alert.ID]*alert.Alert{}}
	if err := p.play(t); err != nil {
		return []string{err.Error()}
	}
	return compare(t, p.raised, p.last)
}

// player is the stream of one test.
type player struct {
	engine *correlator.Engine
	runner *Runner
	test   *Test
	now    time.Time
	seq    uint64
	raised []*alert.Alert // first emissions
	last   map[alert.ID]*alert.Alert
}

func (p *player) play(t *Test) error {
	var list []arrival
	units := map[string]uint64{}
	for i := range t.Input {
		in := &t.Input[i]
		for n := range in.Repeat {
			d := time.Duration(n) * in.Every
			list = append(list, arrival{in: in, n: n + 1, at: start.Add(in.At + d), arrive: start.Add(in.Arrive + d)})
		}
	}
	// A source numbers what it sends in the order in which it sends it, whenever that arrives.
	slices.SortStableFunc(list, func(a, b arrival) int { return a.at.Compare(b.at) })
	for i := range list {
		key := list[i].in.Site + " " + list[i].in.From.String()
		units[key]++
		list[i].unit = units[key]
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return a.arrive.Compare(b.arrive) })
	for _, a := range list {
		if err := p.until(a.arrive); err != nil {
			return err
		}
		b, err := p.runner.batch(a)
		if err != nil {
			return err
		}
		if p.runner.Seen != nil {
			p.runner.Seen(t, b.At(0))
		}
		if err := p.process(spool.KindBatches, b); err != nil {
			return err
		}
	}
	advance := t.Advance
	if advance == 0 {
		advance = p.engine.Horizon()
	}
	return p.until(p.now.Add(advance))
}

// until ticks once a second up to a time.
func (p *player) until(end time.Time) error {
	for {
		next := p.now.Truncate(time.Second).Add(time.Second)
		if next.After(end) {
			break
		}
		p.now = next
		if err := p.process(spool.KindTick); err != nil {
			return err
		}
	}
	if end.After(p.now) {
		p.now = end
	}
	return nil
}

func (p *player) process(kind spool.Kind, batches ...*event.Batch) error {
	p.seq++
	out, err := p.engine.Process(&spool.Record{At: spool.Position{Seq: p.seq}, Incarnation: "TEST",
		Clock: p.now.UnixNano(), Kind: kind, Batches: batches})
	if err != nil {
		return err
	}
	for _, a := range out.Alerts {
		if a.Update == 1 {
			p.raised = append(p.raised, a)
		}
		p.last[a.ID] = a
		if p.runner.Told != nil {
			p.runner.Told(p.test, a)
		}
	}
	return nil
}

// batch decodes and enriches one arrival, as the server does.
func (r *Runner) batch(a arrival) (*event.Batch, error) {
	b := event.NewBuilder("listener/"+a.in.Site+"/"+a.in.From.String(), 1)
	b.Begin(a.unit, 0)
	if a.in.Event == nil {
		m := decoders.Meta{Peer: a.in.From, Site: a.in.Site, Listener: "test", Format: "syslog", Received: a.arrive}
		r.set.Decode(b, []byte(fill(a.in.Text, a)), &m)
	} else {
		if err := event.ReadJSON(b, []byte(fill(string(a.in.Event), a))); err != nil {
			return nil, err
		}
		if !b.Has(event.Timestamp) {
			b.Time(event.Timestamp, a.at.UnixNano())
		}
		b.Time(event.EventCreated, a.arrive.UnixNano())
		if !b.Has(event.EventKind) {
			b.Str(event.EventKind, "event")
		}
		if a.in.From.IsValid() && !b.Has(event.ObserverIP) {
			b.IPs(event.ObserverIP, a.in.From)
		}
		b.Str(event.HaidangSite, a.in.Site)
	}
	b.Time(event.EventIngested, a.arrive.UnixNano())
	r.Inventory.Enrich(b, a.in.Site)
	b.End()
	return b.Batch(a.unit, a.unit+1), nil
}

// fill puts time and number into a line: {bsd} Sep  2 02:10:05, {iso} RFC 3339 with milliseconds, {clf}
// 02/Sep/2026:02:10:05 +0700, {date} 2026-09-02, {time} 02:10:05, {unix} seconds, {n} the number of the repetition from
// 1 up, {n+1000} that number and 1000.
func fill(s string, a arrival) string {
	var b bytes.Buffer
	for {
		before, rest, ok := strings.Cut(s, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		value := ""
		switch {
		case !ok:
		case name == "bsd":
			value = a.at.Format(time.Stamp)
		case name == "iso":
			value = a.at.Format("2006-01-02T15:04:05.000Z07:00")
		case name == "clf":
			value = a.at.Format("02/Jan/2006:15:04:05 -0700")
		case name == "date":
			value = a.at.Format(time.DateOnly)
		case name == "time":
			value = a.at.Format(time.TimeOnly)
		case name == "unix":
			value = strconv.FormatInt(a.at.Unix(), 10)
		case name == "n":
			value = strconv.Itoa(a.n)
		case strings.HasPrefix(name, "n+"):
			if add, err := strconv.Atoi(name[2:]); err == nil {
				value = strconv.Itoa(a.n + add)
			}
		}
		if value == "" { // not one of ours: JSON, for example
			b.WriteByte('{')
			s = rest
			continue
		}
		b.WriteString(value)
		s = after
	}
}

// compare pairs the alerts with those expected and says what is left over.
func compare(t *Test, raised []*alert.Alert, last map[alert.ID]*alert.Alert) []string {
	var wrong []string
	left := slices.Clone(raised)
	for _, want := range t.Alerts {
		i := slices.IndexFunc(left, func(a *alert.Alert) bool { return len(want.differs(a, last[a.ID])) == 0 })
		if i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		text := fmt.Sprintf("line %d: no alert of rule %s", want.Line, want.Rule)
		if i := slices.IndexFunc(left, func(a *alert.Alert) bool { return want.is(a) }); i >= 0 {
			a := left[i]
			text = fmt.Sprintf("line %d: alert of rule %s: %s", want.Line, want.Rule,
				strings.Join(want.differs(a, last[a.ID]), "; "))
			left = slices.Delete(left, i, i+1)
		}
		wrong = append(wrong, text)
	}
	for _, a := range left {
		wrong = append(wrong, "unexpected alert "+describe(a, last[a.ID]))
	}
	return wrong
}

func (want *Alert) is(a *alert.Alert) bool { return want.Rule == a.Rule.ID }

// differs compares an expected alert with one as it was raised and as it ended.
func (want *Alert) differs(first, last *alert.Alert) []string {
	var d []string
	say := func(what string, got, want any) { d = append(d, fmt.Sprintf("%s is %v, want %v", what, got, want)) }
	if !want.is(first) {
		say("rule", first.Rule.ID, want.Rule)
	}
	if at := offset(first.Last); want.At != nil && at != *want.At {
		say("at", at, *want.At)
	}
	if want.Group != nil {
		got := map[string]string{}
		for _, g := range first.Group {
			got[g.Field] = g.Value
		}
		if !maps.Equal(got, want.Group) {
			say("group", got, want.Group)
		}
	}
	if want.Count != nil && last.Count != *want.Count {
		say("count", last.Count, *want.Count)
	}
	if s := severities[last.Severity]; want.Severity != "" && s != want.Severity {
		say("severity", s, want.Severity)
	}
	if want.Level != nil && int(last.Level) != *want.Level {
		say("level", last.Level, *want.Level)
	}
	return d
}

func offset(ns int64) time.Duration { return time.Duration(ns - start.UnixNano()) }

func describe(first, last *alert.Alert) string {
	group := slices.Clone(first.Group)
	slices.SortFunc(group, func(a, b alert.KV) int { return cmp.Compare(a.Field, b.Field) })
	parts := make([]string, len(group))
	for i, g := range group {
		parts[i] = g.Field + ": " + g.Value
	}
	return fmt.Sprintf("{rule: %s, at: %v, group: {%s}, count: %d, severity: %s, level: %d}", first.Rule.ID,
		offset(first.Last), strings.Join(parts, ", "), last.Count, severities[last.Severity], last.Level)
}
