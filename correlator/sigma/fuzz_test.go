// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(sampleRule))
	f.Add([]byte(rule("a:\n  f|windash|contains|all: ['-s', ' /x']\n  g|re|i: ^a\nb:\n  - h|fieldref: g\n  - mật khẩu\ncondition: all of them")))
	f.Add([]byte("title: t\ncorrelation:\n  type: value_count\n  rules: [a]\n  timespan: 5m\n  condition: {field: [a, b], gt: 1, lte: 9}"))
	f.Add([]byte("title: t\nlogsource: {category: x}\ndetection:\n  a: |\n    b\n  c: >-\n    d\n  condition: [a, c]"))
	f.Add([]byte(strings.Repeat("[", 2000)))
	f.Add([]byte(strings.Repeat("- ", 2000)))
	f.Add([]byte("a: &a [*a, *a]\n<<: *a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, refused := Parse("f.yml", data)
		for _, r := range refused {
			if r.Reason == "" || r.File == "" {
				t.Fatalf("refusal without file or reason: %+v", r)
			}
		}
		for _, d := range docs {
			if (d.Rule == nil) == (d.Correlation == nil) || d.Meta().Title == "" {
				t.Fatalf("document %+v", d)
			}
			if d.Rule != nil {
				check(t, d.Rule)
			}
		}
	})
}

// check verifies what every accepted rule promises.
func check(t *testing.T, r *Rule) {
	if len(r.Conditions) == 0 {
		t.Fatal("a rule without a condition")
	}
	for _, d := range r.Detections {
		if len(d.Any) == 0 {
			t.Fatalf("%s: no group", d.Name)
		}
		for _, g := range d.Any {
			if len(g.All) == 0 {
				t.Fatalf("%s: no item", d.Name)
			}
			for _, it := range g.All {
				if len(it.Values) == 0 {
					t.Fatalf("%s: %s: no value", d.Name, it.Field)
				}
				for _, v := range it.Values {
					if len(v.Atoms) == 0 || len(v.Atoms) > MaxAtoms {
						t.Fatalf("%s: %s: %d atoms", d.Name, it.Field, len(v.Atoms))
					}
				}
			}
		}
	}
}
