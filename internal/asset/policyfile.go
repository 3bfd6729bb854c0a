// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// seriousSigns are the signs that policy.yml may list under serious.any; an incident carries them as flags.
var seriousSigns = []string{"service-interrupted", "secret-disclosed", "data-lost", "control-lost", "spreading",
	"personal-data"}

// parsePolicy reads a policy file into base, whose values stand for what the file leaves out. base must not be shared.
func parsePolicy(file string, data []byte, base *Policy) (*Policy, error) {
	root, err := parseTree(file, data)
	if err != nil {
		return nil, err
	}
	p := base
	p.file, p.decision = file, Decision{} // the built-in decision is not this file's
	if p.thresholds == nil {
		p.thresholds, p.exceptions = map[string][]Threshold{}, map[string]exception{}
		p.silences = map[string]time.Duration{}
	}
	r := &reader{file: file}
	floor, steps := p.floor, []contextRow(nil)
	r.object(root,
		field{"decision", func(n *node) { r.decision(n, &p.decision) }},
		field{"severity", r.entries(func(k, v *node) { r.severityRow(p, k, v) })},
		field{"context", r.each(func(n *node) {
			c := contextRow{step: 1}
			r.object(n, field{"name", r.name(&c.name)}, field{"text", r.text(&c.text)},
				field{"step", r.integer(&c.step, 1, 4)})
			if c.name == "" || c.text == "" {
				r.fail(n.line, "a context row needs name and text")
				return
			}
			if slices.ContainsFunc(steps, func(o contextRow) bool { return o.name == c.name }) {
				r.fail(n.line, "context row %q is given twice: remove one", c.name)
				return
			}
			steps = append(steps, c)
		})},
		field{"thresholds", r.each(func(n *node) { r.threshold(p, n) })},
		field{"unmapped_level", r.level(&p.unmapped)},
		field{"retention_floor_days", r.integer(&floor, 0, retentionClasses[len(retentionClasses)-1])},
		field{"retention_exceptions", r.each(func(n *node) { r.exception(p, n) })},
		field{"serious", func(n *node) {
			p.serious.Any = nil
			r.object(n, field{"min_level", r.level(&p.serious.MinLevel)}, field{"text", r.text(&p.serious.Text)},
				field{"any", r.each(func(n *node) {
					sign := ""
					if r.enum(&sign, seriousSigns...)(n); sign != "" {
						p.serious.Any = append(p.serious.Any, sign)
					}
				})})
		}},
		field{"silence", func(n *node) { r.silence(p, n) }},
	)
	p.floor = floor
	if steps != nil {
		p.steps = steps
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return p, nil
}

func (r *reader) decision(n *node, d *Decision) {
	r.object(n, field{"number", r.text(&d.Number)}, field{"date", r.date(&d.Date)},
		field{"authority", r.text(&d.Authority)}, field{"basis", r.text(&d.Basis)},
		field{"status", r.enum(&d.Status, "draft", "submitted", "appraised", "approved")})
}

func (r *reader) severityRow(p *Policy, k, v *node) {
	row := slices.Index(sigmaLevels[:], k.text)
	if row < 0 {
		r.fail(k.line, "unknown key %q: rows are %s", k.text, strings.Join(sigmaLevels[:], ", "))
		return
	}
	if v.kind != kindList || len(v.items) != 5 {
		r.fail(v.line, "a row has five severities, for the system levels 1 to 5")
		return
	}
	for i, item := range v.items {
		s, ok := r.scalar(item)
		if !ok {
			continue
		}
		sev, known := ParseSeverity(s)
		if !known {
			r.fail(item.line, "%q is no severity: use %s", s, strings.Join(severityNames[:], ", "))
		}
		p.severity[row][i] = sev
		if i > 0 && sev < p.severity[row][i-1] {
			r.fail(item.line, "severity falls from level %d to level %d: a higher level never counts less", i, i+1)
		}
	}
}

func (r *reader) threshold(p *Policy, n *node) {
	rule, rows := "", []Threshold(nil)
	r.object(n, field{"rule", r.text(&rule)}, field{"by_level", r.entries(func(k, v *node) {
		t := Threshold{}
		r.level(&t.Level)(k)
		r.object(v, field{"gte", r.number(&t, "gte")}, field{"gt", r.number(&t, "gt")})
		if t.Op == "" {
			r.fail(k.line, "a threshold needs gte or gt")
		}
		rows = append(rows, t)
	})})
	if rule == "" || len(rows) == 0 {
		r.fail(n.line, "a threshold needs rule and by_level: {3: {gte: 5}}")
		return
	}
	slices.SortFunc(rows, func(a, b Threshold) int { return cmp.Compare(a.Level, b.Level) })
	p.thresholds[rule] = rows
}

func (r *reader) number(t *Threshold, op string) func(*node) {
	return func(n *node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || !(v >= 0 && v <= 1e15) {
			r.fail(n.line, "%q is not a number of 0 or more", s)
			return
		}
		t.Op, t.Value = op, v
	}
}

func (r *reader) exception(p *Policy, n *node) {
	system, x := "", exception{line: n.line}
	r.object(n, field{"system", r.name(&system)}, field{"days", r.integer(&x.days, 0, 730)},
		field{"decision", r.text(&x.decision)})
	if system == "" || x.decision == "" {
		r.fail(n.line, "a retention exception needs system, days and decision (number of the act that allows it)")
		return
	}
	p.exceptions[system] = x
}

func (r *reader) silence(p *Policy, n *node) {
	var general time.Duration
	var levels [6]time.Duration
	r.object(n,
		field{"default", r.duration(&general)},
		field{"levels", r.entries(func(k, v *node) {
			var level uint8
			if r.level(&level)(k); level > 0 {
				r.duration(&levels[level])(v)
			}
		})},
		field{"systems", r.entries(func(k, v *node) {
			var d time.Duration
			if r.duration(&d)(v); d > 0 {
				p.silences[k.text] = d
			}
		})},
	)
	for i := range p.silence {
		p.silence[i] = cmp.Or(levels[i], general, p.silence[i])
	}
}
