// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/correlator/sigma/eval"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/event"
)

// shown are the fields that evidence always shows, beside those that the rule looks at.
var shown = [...]event.FieldID{event.HostName, event.UserName, event.SourceIP, event.DestinationIP,
	event.DestinationPort, event.EventAction}

// defaultKey is what a detection's alerts are kept apart by when the rule does not say.
var defaultKey = [...]string{"haidang.origin", "source.ip", "user.name"}

// Compile makes a rule set of a resolved collection. What cannot be run is in the refusals, one for each document,
// and the rest runs; c.Refusals are not repeated.
func Compile(c *sigma.Collection) (*RuleSet, []sigma.Refusal) {
	k := &compiler{c: c, set: &RuleSet{}, index: map[*sigma.Meta]int{}}
	mapping, err := eval.DefaultMapping()
	if err != nil {
		return k.set, []sigma.Refusal{{Reason: err.Error()}}
	}
	k.fields.mapping = mapping
	k.detections()
	for _, cor := range c.Correlations {
		if err := k.correlation(cor); err != "" {
			k.refuse(&cor.Meta, err)
		}
	}
	k.quieten()
	k.lanes()
	return k.set, k.refusals
}

type compiler struct {
	c        *sigma.Collection
	set      *RuleSet
	fields   fieldMap
	index    map[*sigma.Meta]int
	refusals []sigma.Refusal
}

func (k *compiler) refuse(m *sigma.Meta, reason string) {
	k.refusals = append(k.refusals, sigma.Refusal{Pos: m.Pos, Rule: m.Key(), Reason: reason})
}

func newMeta(m *sigma.Meta, hash string) meta {
	level := m.Level.String()
	if level == "" {
		level = "medium"
	}
	return meta{hash: hash, context: m.Haidang.Context, rule: alert.Rule{ID: m.Key(), Title: m.Title,
		Description: m.Description, Level: level, Tags: m.Tags, Steps: m.Haidang.Steps}}
}

// detections compiles the matcher and what the engine needs to know of each rule in it.
func (k *compiler) detections() {
	set, refused := eval.Compile(k.c.Rules, k.fields.mapping)
	k.set.match, k.refusals = set, append(k.refusals, refused...)
	for i, r := range k.c.Rules {
		d := detection{meta: newMeta(&r.Meta, hashRule(r))}
		if !slices.ContainsFunc(refused, func(f sigma.Refusal) bool { return f.Pos == r.Pos }) {
			k.index[&r.Meta] = i
		}
		names := r.Haidang.GroupBy
		if names == nil {
			names = defaultKey[:]
		}
		for _, n := range names {
			id, name, ok := k.fields.field(n)
			if !ok {
				k.refuse(&r.Meta, fmt.Sprintf("haidang.group_by: field %q is not known and there is no room for it", n))
				continue
			}
			d.key = append(d.key, id)
			d.group = append(d.group, groupField{name, []string{name}})
		}
		d.query = ruleQuery(r, func(f string) string {
			_, name, _ := k.fields.field(f)
			return name
		})
		d.show = k.show(r, d.key...)
		k.set.detections = append(k.set.detections, d)
	}
}

// show lists the fields that evidence of a rule shows.
func (k *compiler) show(r *sigma.Rule, more ...fields) []event.FieldID {
	ids := append(slices.Clone(shown[:]), slices.Concat(more...)...)
	add := func(name string) {
		if name == "" {
			return
		}
		f, _, _ := k.fields.field(name)
		ids = append(ids, f...)
	}
	for _, d := range r.Detections {
		for _, g := range d.Any {
			for i := range g.All {
				add(g.All[i].Field)
			}
		}
	}
	for _, f := range r.Fields {
		add(f)
	}
	ids = slices.DeleteFunc(ids, func(id event.FieldID) bool { return id == event.EventOriginal })
	slices.Sort(ids)
	return slices.Compact(ids)
}

var kinds = map[sigma.CorrelationType]kind{sigma.EventCount: eventCount, sigma.ValueCount: valueCount,
	sigma.ValueSum: valueSum, sigma.Temporal: temporal, sigma.TemporalOrdered: temporalOrdered}

// correlation compiles one; the answer is the reason for which it is refused.
func (k *compiler) correlation(c *sigma.Correlation) string {
	kd, ok := kinds[c.Type]
	switch {
	case !ok:
		return fmt.Sprintf("correlation type %s is not supported yet", c.Type)
	case c.Expr != nil:
		return "a condition that combines rules is not supported yet; give a number of rules"
	case len(c.Rules) > 64:
		return "more than 64 rules in one correlation"
	case kd == valueSum && len(c.Field) != 1:
		return "value_sum needs exactly one field"
	}
	thresholds := []sigma.Threshold{c.Threshold}
	for _, l := range c.Haidang.ByLevel {
		thresholds = append(thresholds, l.Threshold)
	}
	for _, t := range thresholds {
		if !t.Rising() {
			return "only gt and gte are supported yet: the others are decided when a window closes"
		}
		for _, b := range t {
			if kd != valueSum && b.Value > 10_000 {
				return "thresholds above 10000 are not supported: a window keeps that many events"
			}
		}
	}
	ci := len(k.set.correlations)
	h := newHash()
	h.put(c.Type, c.Timespan, c.GroupBy, c.Aliases, c.Field, thresholds, c.Haidang.ByLevel, c.Haidang.CountMatches,
		c.Haidang.NullGroup, c.Haidang.AllowSameEvent)
	cor := correlation{sigma: c, kind: kd, refs: c.Rules, span: c.Timespan.Milliseconds(),
		rising: kd != temporal && kd != temporalOrdered}
	var uses []pendingUse
	for ref, name := range c.Rules {
		doc, ok := k.c.Find(name)
		if !ok {
			return fmt.Sprintf("no rule has the id or name %q", name)
		}
		i, ok := k.index[doc.Meta()]
		if !ok {
			return fmt.Sprintf("%q was refused", name)
		}
		if doc.Rule != nil {
			h.put(k.set.detections[i].hash)
			uses = append(uses, pendingUse{i, use{correlation: ci, ref: ref, inner: -1}, &doc.Rule.Meta})
			continue
		}
		h.put(k.set.correlations[i].hash)
		for d := range k.set.detections {
			if slices.ContainsFunc(k.set.detections[d].uses, func(u use) bool { return u.correlation == i }) {
				uses = append(uses, pendingUse{d, use{correlation: ci, ref: ref, inner: i}, &doc.Correlation.Meta})
			}
		}
	}
	cor.meta = newMeta(&c.Meta, h.sum())
	if reason := k.bind(&cor, uses); reason != "" {
		return reason
	}
	k.index[&c.Meta] = ci
	k.set.correlations = append(k.set.correlations, cor)
	return ""
}

// pendingUse is a use before its fields are known; as is the rule by which aliases know it.
type pendingUse struct {
	detection int
	use
	as *sigma.Meta
}

// bind finds the fields of each use, and gives the uses to the detections.
func (k *compiler) bind(cor *correlation, uses []pendingUse) string {
	c := cor.sigma
	for _, g := range c.GroupBy {
		cor.group = append(cor.group, groupField{name: g})
	}
	var queries []string
	for i := range uses {
		u := &uses[i]
		u.source = -1
		for n, g := range c.GroupBy {
			f, ok := c.AliasField(g, u.as)
			if !ok {
				return fmt.Sprintf("alias %q says no field for rule %q", g, u.as.Key())
			}
			id, name, ok := k.fields.field(f)
			if !ok {
				return fmt.Sprintf("group-by field %q is not known and there is no room for it", f)
			}
			if slices.Contains(id, event.SourceIP) {
				u.source = n
			}
			u.key = append(u.key, id)
			if fs := &cor.group[n].fields; !slices.Contains(*fs, name) {
				*fs = append(*fs, name)
			}
		}
		for _, f := range c.Field {
			id, _, ok := k.fields.field(f)
			if !ok {
				return fmt.Sprintf("field %q is not known and there is no room for it", f)
			}
			u.value = append(u.value, id)
		}
		if q := k.set.detections[u.detection].query; !slices.Contains(queries, q) {
			queries = append(queries, q)
		}
	}
	if !slices.Contains(queries, "") && len(queries) > 0 {
		if q := join(queries, " or "); len(q) <= maxQuery {
			cor.query = q
		}
	}
	for _, u := range uses {
		d := &k.set.detections[u.detection]
		d.uses = append(d.uses, u.use)
		d.show = append(append(d.show, slices.Concat(u.key...)...), slices.Concat(u.value...)...)
		slices.Sort(d.show)
		d.show = slices.Compact(d.show)
	}
	return ""
}

// quieten silences the rules that correlations refer to, unless one asks for their alerts as well.
func (k *compiler) quieten() {
	referred, loud := map[*meta]bool{}, map[*meta]bool{}
	for i := range k.set.correlations {
		c := &k.set.correlations[i]
		for _, name := range c.refs {
			m := k.find(name)
			referred[m] = true
			loud[m] = loud[m] || c.sigma.Generate
		}
	}
	for m := range referred {
		m.quiet = !loud[m]
	}
}

// lanes says which watermark each correlation waits for. A correlation and those it refers to must wait for the same.
func (k *compiler) lanes() {
	lines, flows := map[int]bool{}, map[int]bool{}
	for i := range k.set.detections {
		line, flow := sources(k.c.Rules[i])
		for _, u := range k.set.detections[i].uses {
			lines[u.correlation] = lines[u.correlation] || line
			flows[u.correlation] = flows[u.correlation] || flow
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range k.set.correlations {
			for _, name := range k.set.correlations[i].refs {
				doc, _ := k.c.Find(name)
				if j := k.index[doc.Meta()]; doc.Correlation != nil && (lines[i] != lines[j] || flows[i] != flows[j]) {
					l, f := lines[i] || lines[j], flows[i] || flows[j]
					lines[i], lines[j], flows[i], flows[j], changed = l, l, f, f, true
				}
			}
		}
	}
	for i := range k.set.correlations {
		switch {
		case lines[i] && flows[i]:
			k.set.correlations[i].lane = mixedLane
		case flows[i]:
			k.set.correlations[i].lane = flowLane
		}
	}
}

// lineCategories are categories of log sources whose rules are written for lines, whatever flows may also bear the
// name.
var lineCategories = map[string]bool{"firewall": true, "webserver": true, "proxy": true, "antivirus": true,
	"application": true, "authentication": true, "database": true, "process_creation": true, "file_event": true}

// sources says whether a detection can match lines, and whether flow records.
func sources(r *sigma.Rule) (line, flow bool) {
	if r.LogSource.Product == "netflow" {
		return false, true
	}
	for _, d := range r.Detections {
		for _, g := range d.Any {
			for _, it := range g.All {
				if it.Field == "event.dataset" && len(it.Values) == 1 && it.Values[0].Raw == "netflow.flow" {
					return false, true
				}
			}
		}
	}
	l := r.LogSource
	return true, l.Product == "" && l.Service == "" && !lineCategories[l.Category]
}

// find returns the rule that a reference means; it was compiled.
func (k *compiler) find(name string) *meta {
	doc, _ := k.c.Find(name)
	if i := k.index[doc.Meta()]; doc.Rule == nil {
		return &k.set.correlations[i].meta
	} else {
		return &k.set.detections[i].meta
	}
}

// hashing makes semantic hashes: equal for rules that mean the same, wherever in a file they stand.
type hashing struct{ h hash.Hash }

func newHash() hashing { return hashing{sha256.New()} }

func (h hashing) put(values ...any) {
	for _, v := range values {
		fmt.Fprintf(h.h, "%v\x00", v)
	}
}

func (h hashing) sum() string { return hex.EncodeToString(h.h.Sum(nil)[:16]) }

func hashRule(r *sigma.Rule) string {
	h := newHash()
	h.put(r.LogSource.Category, r.LogSource.Product, r.LogSource.Service, r.Haidang.GroupBy)
	for _, c := range r.Conditions {
		h.put("condition", c.Root.String())
	}
	for _, d := range r.Detections {
		h.put("detection", d.Name)
		for _, g := range d.Any {
			h.put("group")
			for _, it := range g.All {
				h.put(it.Field, it.Modifiers, it.All, it.Negate)
				for _, v := range it.Values {
					h.put(v.Raw)
				}
			}
		}
	}
	return h.sum()
}
