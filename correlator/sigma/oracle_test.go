// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/haidang-soc/haidang/internal/corpora"
)

// TestOracleSigmaHQ loads the whole SigmaHQ corpus: at least 95 % of its rules load, each other has a reason and a line.
func TestOracleSigmaHQ(t *testing.T) {
	root := corpora.Path(t, "sigmahq")
	dirs, err := filepath.Glob(filepath.Join(root, "rules*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no rules below %s: %v", root, err)
	}
	c, err := Load(dirs...)
	if err != nil {
		t.Fatal(err)
	}
	total := len(c.Rules) + len(c.Refusals)
	t.Logf("%d of %d rules load", len(c.Rules), total)
	for _, r := range c.Refusals {
		name, _ := filepath.Rel(root, r.File)
		r.File = name
		t.Log(r.Error())
		if r.Line == 0 || r.Reason == "" {
			t.Errorf("refusal without line or reason: %+v", r)
		}
	}
	if total < 3780 || len(c.Rules)*100 < total*95 {
		t.Errorf("only %d of %d rules load, want 95 %%", len(c.Rules), total)
	}
}

// TestOracleSigmaSpec parses the examples of the specification. Two kinds are refused: the percentile that names no
// percentile, and filters.
func TestOracleSigmaSpec(t *testing.T) {
	root := corpora.Path(t, "sigma-spec")
	parsed, refused := 0, 0
	for _, kind := range []string{"correlation", "rules", "filter"} {
		files, err := filepath.Glob(filepath.Join(root, "tests", "schema", kind, "*.yml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s: %v", kind, err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			docs, no := Parse(filepath.Base(f), data)
			parsed, refused = parsed+len(docs), refused+len(no)
			for _, r := range no {
				t.Log(r.Error())
				if kind != "filter" && r.File != "value_percentile.yml" {
					t.Error("not refused by decision")
				}
			}
		}
	}
	t.Logf("%d documents parse, %d are refused", parsed, refused)
}
