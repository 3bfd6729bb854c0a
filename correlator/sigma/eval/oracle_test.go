// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/corpora"
)

// sigmaHQ compiles the whole corpus.
func sigmaHQ(t testing.TB) (root string, s *Set) {
	root = corpora.Path(t, "sigmahq")
	dirs, err := filepath.Glob(filepath.Join(root, "rules*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no rules below %s: %v", root, err)
	}
	c, err := sigma.Load(dirs...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := DefaultMapping()
	if err != nil {
		t.Fatal(err)
	}
	s, refused := Compile(c.Rules, m)
	for _, r := range refused {
		t.Errorf("not compiled: %v", r)
	}
	return root, s
}

type regressionCase struct {
	file string
	rule string
}

// regressionCases reads the cases: each folder has an info.yml that names the rule, and event files.
func regressionCases(t testing.TB, root string) []regressionCase {
	var cases []regressionCase
	err := filepath.WalkDir(filepath.Join(root, "regression_data"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "info.yml" {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		var info struct {
			Rules []struct {
				ID string `yaml:"id"`
			} `yaml:"rule_metadata"`
		}
		if err := yaml.Unmarshal(data, &info); err != nil || len(info.Rules) == 0 {
			t.Errorf("%s: %v, %d rules", p, err, len(info.Rules))
			return nil
		}
		files, err := filepath.Glob(filepath.Join(filepath.Dir(p), "*.json*"))
		for _, f := range files {
			cases = append(cases, regressionCase{f, info.Rules[0].ID})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestOracleSigmaHQRegression runs the corpus over its own regression data: every case matches its rule. An engine that
// matches everything would pass that, so the matches of other rules are counted and bounded as well.
func TestOracleSigmaHQRegression(t *testing.T) {
	root, s := sigmaHQ(t)
	cases := regressionCases(t, root)
	matched, other, events := 0, 0, 0
	var sc Scratch
	for _, c := range cases {
		f, err := os.Open(c.file)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for doc, err := range Documents(f, 1) {
			if err != nil || doc.Err != nil {
				t.Errorf("%s: %v %v", c.file, err, doc.Err)
				continue
			}
			events++
			var names []string
			for _, h := range s.Match(doc.Event, &sc) {
				if s.Rule(h.Rule).ID == c.rule {
					found = true
					if len(h.Matched) == 0 {
						t.Errorf("%s: the hit names no values", c.file)
					}
					continue
				}
				other++
				names = append(names, s.Rule(h.Rule).Title)
			}
			if testing.Verbose() && len(names) > 0 {
				slices.Sort(names)
				t.Logf("%s: also %s", filepath.Base(filepath.Dir(c.file)), strings.Join(names, " | "))
			}
		}
		f.Close()
		if found {
			matched++
		} else {
			t.Errorf("%s: rule %s does not match", strings.TrimPrefix(c.file, root), c.rule)
		}
	}
	t.Logf("%d of %d cases match their rule; %d events match %d other rules in all", matched, len(cases), events, other)
	if other > 6*events {
		t.Errorf("%d matches outside their own case in %d events: the engine matches too much", other, events)
	}
}
