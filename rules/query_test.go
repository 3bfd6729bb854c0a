// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/correlator/ruletest"
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store/kql"
	"github.com/haidang-soc/haidang/rules"
)

// TestQueries asks the query of every alert that the rule tests raise for its events: it must list all of them.
func TestQueries(t *testing.T) {
	names, err := ruletest.Find(rules.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, name := range names {
		f, err := ruletest.Load(rules.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := f.Collection(rules.FS)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ruletest.NewRunner(f, ruletest.Options{FS: rules.FS})
		if err != nil {
			t.Fatal(err)
		}
		var events map[event.ID]event.Event
		var of *ruletest.Test
		r.Seen = func(t *ruletest.Test, e event.Event) {
			if t != of {
				events, of = map[event.ID]event.Event{}, t
			}
			events[e.ID()] = e
		}
		r.Told = func(test *ruletest.Test, a *alert.Alert) {
			q, err := kql.Parse(a.Query)
			if err != nil {
				t.Fatalf("%s: %s: %s\n%v", name, test.Name, a.Query, err)
			}
			for _, x := range a.Evidence {
				e, ok := events[x.Event]
				if !ok {
					continue // silence and skew are made by the correlator
				}
				if asked++; !kql.Match(q, e) {
					t.Fatalf("%s: %s: the query does not find event %v\n%s\n%s", name, test.Name, x.Event, a.Query,
						event.AppendJSON(nil, e, true))
				}
			}
		}
		r.Run(f, c)
	}
	if asked < 1000 {
		t.Errorf("only %d events were asked for", asked)
	}
}

// TestRulesAreComplete holds every rule to what docs/rules.md asks of it.
func TestRulesAreComplete(t *testing.T) {
	c, err := sigma.LoadFS(rules.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Refusals {
		t.Error(r)
	}
	files := map[string]bool{}
	correlated := map[string]bool{}
	check := func(m *sigma.Meta) {
		files[m.Pos.File] = true
		for what, text := range map[string]string{"title": m.Title, "description": m.Description} {
			if !vietnamese(text) {
				t.Errorf("%v: the %s is not Vietnamese: %q", m.Pos, what, text)
			}
		}
		if len(m.ID) != 36 || m.Name == "" {
			t.Errorf("%v: a rule needs a UUID as id, and a name", m.Pos)
		}
	}
	told := func(m *sigma.Meta) {
		if len(m.Haidang.Steps) == 0 || len(m.FalsePositives) == 0 || m.Level == sigma.LevelNone {
			t.Errorf("%v: a rule that raises alerts needs level, falsepositives and haidang.steps", m.Pos)
		}
	}
	used := map[string]bool{}
	for _, r := range c.Correlations {
		check(&r.Meta)
		correlated[r.Pos.File] = true
		for _, ref := range r.Rules {
			used[ref] = true
		}
	}
	for _, r := range c.Correlations {
		if !used[r.Name] {
			told(&r.Meta)
		}
	}
	for _, r := range c.Rules {
		if check(&r.Meta); !used[r.Name] {
			told(&r.Meta)
		}
	}
	for file := range files {
		f, err := ruletest.Load(rules.FS, strings.TrimSuffix(file, ".yml")+"_test.yml")
		if err != nil {
			t.Error(err)
			continue
		}
		var kinds []string
		for _, x := range f.Tests {
			kinds = append(kinds, x.Kind)
		}
		want := []string{"firing", "silent", "near-miss"}
		if correlated[file] {
			want = append(want, "out-of-order")
		}
		for _, k := range want {
			if !slices.Contains(kinds, k) {
				t.Errorf("%s: no test of kind %s", file, k)
			}
		}
	}
	if n, err := fs.Glob(rules.FS, "*/*_test.yml"); err != nil || len(n) != len(files) {
		t.Errorf("%d test files for %d rule files, %v", len(n), len(files), err)
	}
}

// vietnamese looks for a letter that English does not have.
func vietnamese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0xc0 && r < 0x2000 })
}
