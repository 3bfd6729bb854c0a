// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/correlator/ruletest"
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/rules"
)

// TestMutation changes every rule in every small way it knows; each change must make a test of the rule's own file
// fail. mutants.txt lists those that may survive, with the reason.
func TestMutation(t *testing.T) {
	excused := survivors(t)
	names, err := ruletest.Find(rules.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	count := 0
	t.Run("files", func(t *testing.T) {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := mutateFile(t, name, func(what string) bool {
					mu.Lock()
					defer mu.Unlock()
					reason, ok := excused[what]
					excused[what] = reason + "\x00"
					return ok
				})
				mu.Lock()
				count += n
				mu.Unlock()
			})
		}
	})
	for what, reason := range excused {
		if !strings.HasSuffix(reason, "\x00") {
			t.Errorf("mutants.txt lists a mutant that does not survive: %s", what)
		}
	}
	t.Logf("%d mutants in %d files", count, len(names))
}

// mutateFile runs every mutant of the rule file that a test file stands beside.
func mutateFile(t *testing.T, name string, excused func(what string) bool) int {
	f, err := ruletest.Load(rules.FS, name)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := ruletest.NewRunner(f, ruletest.Options{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	runner.StopEarly = true
	count := 0
	check := func(what string, c *sigma.Collection) {
		count++
		if failures, _ := runner.Run(f, c); len(failures) == 0 && len(c.Refusals) == 0 {
			if what = f.Rules[0] + ": " + what; !excused(what) {
				t.Errorf("survives: %s", what)
			}
		}
	}
	for n := 0; ; n++ {
		c := collect(t, f, nil)
		m := &mutator{nth: n}
		m.collection(c, f.Rules[0])
		if m.what == "" {
			break
		}
		check(m.what, c)
	}
	data, err := fs.ReadFile(rules.FS, f.Rules[0])
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range dropModifiers(string(data)) {
		check(what, collect(t, f, []byte(text)))
	}
	return count
}

// collect loads the rules of a test file, the first of them with another text where one is given.
func collect(t *testing.T, f *ruletest.File, first []byte) *sigma.Collection {
	t.Helper()
	c := &sigma.Collection{}
	for i, name := range f.Rules {
		data, err := fs.ReadFile(rules.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && first != nil {
			data = first
		}
		c.Add(name, data)
	}
	c.Resolve()
	return c
}

var modified = regexp.MustCompile(`(?m)^ +(- )?([\w.@]+)((?:\|\w+)+):`)

// dropModifiers yields the texts of a rule file with one modifier less each.
func dropModifiers(text string) map[string]string {
	out := map[string]string{}
	for _, at := range modified.FindAllStringSubmatchIndex(text, -1) {
		field, mods := text[at[4]:at[5]], strings.Split(text[at[6]+1:at[7]], "|")
		for i, m := range mods {
			rest := slices.Delete(slices.Clone(mods), i, i+1)
			line := 1 + strings.Count(text[:at[0]], "\n")
			key := strings.Join(append([]string{field}, rest...), "|")
			out[fmt.Sprintf("line %d: %s without %s", line, field, m)] = text[:at[4]] + key + text[at[7]:]
		}
	}
	return out
}

// mutator applies the nth of the changes it knows and says which it was.
type mutator struct {
	nth  int
	what string
}

// try applies f if it is its turn.
func (m *mutator) try(f func(), format string, args ...any) {
	if m.nth--; m.nth == -1 {
		m.what = fmt.Sprintf(format, args...)
		f()
	}
}

func (m *mutator) collection(c *sigma.Collection, file string) {
	for _, r := range c.Rules {
		if r.Pos.File == file {
			m.rule(r)
		}
	}
	for _, r := range c.Correlations {
		if r.Pos.File == file {
			m.correlation(r)
		}
	}
}

func (m *mutator) rule(r *sigma.Rule) {
	for i := range r.Detections {
		d := &r.Detections[i]
		for j := range d.Any {
			m.group(r, d, &d.Any[j])
		}
	}
	for i := range r.Conditions {
		m.node(r, &r.Conditions[i].Root)
	}
	m.strings(&r.Haidang.GroupBy, r.Name+": haidang.group_by")
	m.strings(&r.Haidang.Context, r.Name+": haidang.context")
}

func (m *mutator) group(r *sigma.Rule, d *sigma.Detection, g *sigma.Group) {
	for i := 0; i < len(g.All) && m.what == ""; i++ {
		item := &g.All[i]
		where := fmt.Sprintf("%s: %s.%s", r.Name, d.Name, item.Field)
		m.try(func() {
			if len(g.All) > 1 {
				g.All = slices.Delete(g.All, i, i+1)
				return
			}
			*item = sigma.Item{Field: "event.kind", Values: []sigma.Value{{Atoms: []sigma.Atom{
				{Kind: sigma.AtomExists, Want: true}}}}}
		}, "%s dropped", where)
		for j := 0; j < len(item.Values) && m.what == ""; j++ {
			if len(item.Values) > 1 {
				m.try(func() { item.Values = slices.Delete(item.Values, j, j+1) }, "%s without %s", where,
					item.Values[j].Raw)
			}
			for k := 0; m.what == "" && k < len(item.Values[j].Atoms); k++ {
				if a := &item.Values[j].Atoms[k]; a.Kind == sigma.AtomNumber {
					m.try(func() { a.Number++ }, "%s: %s and 1 more", where, item.Values[j].Raw)
					m.try(func() { a.Number-- }, "%s: %s and 1 less", where, item.Values[j].Raw)
				}
			}
		}
	}
}

// node drops every part of a condition.
func (m *mutator) node(r *sigma.Rule, at **sigma.Node) {
	n := *at
	if n.Op == sigma.NodeNot {
		return // dropped as a part of what it stands in
	}
	for i := 0; i < len(n.Nodes) && m.what == ""; i++ {
		m.try(func() {
			c := *n
			c.Nodes = slices.Delete(slices.Clone(n.Nodes), i, i+1)
			if *at = &c; len(c.Nodes) == 1 {
				*at = c.Nodes[0]
			}
		}, "%s: condition without %s", r.Name, n.Nodes[i])
		m.node(r, &n.Nodes[i])
	}
}

func (m *mutator) strings(list *[]string, what string) {
	for i, s := range slices.Clone(*list) {
		m.try(func() { *list = slices.Delete(*list, i, i+1) }, "%s without %s", what, s)
	}
}

func (m *mutator) correlation(c *sigma.Correlation) {
	if c.Type != sigma.Temporal && c.Type != sigma.TemporalOrdered {
		m.threshold(c.Threshold, c.Name)
	}
	for i := 0; i < len(c.Haidang.ByLevel) && m.what == ""; i++ {
		l := &c.Haidang.ByLevel[i]
		m.threshold(l.Threshold, fmt.Sprintf("%s: level %d", c.Name, l.Level))
		m.try(func() { c.Haidang.ByLevel = slices.Delete(c.Haidang.ByLevel, i, i+1) }, "%s: level %d dropped", c.Name,
			l.Level)
	}
	unit := time.Second
	for _, u := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour} {
		if c.Timespan%u == 0 {
			unit = u
		}
	}
	if c.Timespan == unit {
		unit /= 60 // 1h: by a minute; 1m: by a second
	}
	was := c.Timespan
	m.try(func() { c.Timespan = was + unit }, "%s: timespan %v", c.Name, was+unit)
	m.try(func() { c.Timespan = was - unit }, "%s: timespan %v", c.Name, was-unit)
	m.strings(&c.GroupBy, c.Name+": group-by")
	m.strings(&c.Rules, c.Name+": rules")
	m.strings(&c.Haidang.Context, c.Name+": haidang.context")
	if c.Type == sigma.TemporalOrdered {
		m.try(func() { c.Type = sigma.Temporal }, "%s: in any order", c.Name)
	}
}

func (m *mutator) threshold(t sigma.Threshold, what string) {
	for i := range t {
		m.try(func() { t[i].Value++ }, "%s: %s %v", what, t[i].Op, t[i].Value+1)
		m.try(func() { t[i].Value-- }, "%s: %s %v", what, t[i].Op, t[i].Value-1)
	}
}

// survivors reads mutants.txt: one mutant a line, " # " and the reason.
func survivors(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open("mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		what, reason, ok := strings.Cut(line, " # ")
		if !ok || reason == "" {
			t.Errorf("mutants.txt: %q: no reason", line)
		}
		out[what] = reason
	}
	return out
}
