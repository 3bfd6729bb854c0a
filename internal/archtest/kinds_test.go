// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestKindsAreDocumented: each kind of collector and sink is a folder, a section of the configuration reference and a
// row in kinds.go.
func TestKindsAreDocumented(t *testing.T) {
	top := root(t)
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	reference, kinds := read("docs/configuration.md"), read("internal/app/kinds.go")
	for folder, shared := range map[string][]string{
		"collectors":     {"collectorstest", "socket"},
		"internal/sinks": {"outbound", "sinktest"},
	} {
		list, err := os.ReadDir(filepath.Join(top, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if !d.IsDir() || slices.Contains(shared, d.Name()) || d.Name() == "testdata" {
				continue
			}
			section := "\n## " + strings.ToUpper(d.Name()[:1]) + d.Name()[1:] + "\n"
			if !strings.Contains(reference, section) {
				t.Errorf("%s/%s: no section %q in docs/configuration.md", folder, d.Name(), strings.TrimSpace(section))
			}
			if !strings.Contains(kinds, `"`+module+"/"+folder+"/"+d.Name()+`"`) {
				t.Errorf("%s/%s: no row in internal/app/kinds.go", folder, d.Name())
			}
		}
	}
}

// TestRulesAreComplete: each file of rules has its tests beside it, a Vietnamese title and at most five steps a rule.
func TestRulesAreComplete(t *testing.T) {
	top := filepath.Join(root(t), "rules")
	n := 0
	err := filepath.WalkDir(top, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".yml" || strings.HasSuffix(p, "_test.yml") {
			return err
		}
		n++
		if _, err := os.Stat(strings.TrimSuffix(p, ".yml") + "_test.yml"); err != nil {
			t.Errorf("%s: no tests beside it", p)
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		for doc := range strings.SplitSeq(string(data), "\n---\n") {
			title, _, _ := strings.Cut(doc[strings.Index(doc, "title:")+6:], "\n")
			if !strings.ContainsAny(title, "ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ") {
				t.Errorf("%s: the title %q is not Vietnamese", p, title)
			}
			if !strings.Contains(doc, "description:") {
				t.Errorf("%s: %q has no description", p, title)
			}
			if _, steps, ok := strings.Cut(doc, "  steps:\n"); ok && strings.Count(steps, "\n    - ") >= 5 {
				t.Errorf("%s: %q has more than five steps", p, title)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 13 {
		t.Errorf("only %d files of rules", n)
	}
}
