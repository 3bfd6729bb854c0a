// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"strings"
	"testing"
)

func TestParseCondition(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		n, err := ParseCondition(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			return
		}
		if got := n.String(); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	f("a", "a")
	f("a and b or c and not d", "(a and b) or (c and not d)")
	f("a or b and c or d", "a or (b and c) or d")
	f("not a and b", "not a and b")
	f("not (a and b)", "not (a and b)")
	f("NOT a AND 1 OF b* Or all of THEM", "(not a and 1 of b*) or all of them")
	f("any of them", "1 of them")
	f("not not a", "not not a")
	f("'5638f7c0-ac70' and \"x y\"", "5638f7c0-ac70 and 'x y'")
	f("lựa_chọn or a", "lựa_chọn or a")
	f("of", "of")
	for _, bad := range []string{"", "and", "a and", "not", "()", "a)", "(a", "a (b)", "1 of", "3 of a", "a*", "a & b", "'a", "''",
		"1 of (a)", "all of and", strings.Repeat("(", 100) + "a" + strings.Repeat(")", 100), strings.Repeat("a or ", 3000) + "a"} {
		if n, err := ParseCondition(bad); err == nil {
			t.Errorf("%.40q: accepted as %q", bad, n)
		}
	}
}

func TestSelect(t *testing.T) {
	r := &Rule{Detections: []Detection{{Name: "sel_a"}, {Name: "sel_b"}, {Name: "_sel_c"}, {Name: "filter"}}}
	f := func(condition, want string) {
		t.Helper()
		n, err := ParseCondition(condition)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, d := range r.Select(n) {
			names = append(names, d.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q: got %q, want %q", condition, got, want)
		}
	}
	f("1 of them", "sel_a sel_b filter")
	f("all of sel_*", "sel_a sel_b")
	f("1 of *_b", "sel_b")
	f("1 of *e*_*", "sel_a sel_b")
	f("1 of _*", "_sel_c")
	f("filter", "filter")
	f("_sel_c", "_sel_c")
	f("1 of sel_a", "sel_a")
	f("1 of s*x*a", "")
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{"selection and not 1 of filter_*", "(a or b) and all of them", "a | count() by b > 5", "not (((a)))",
		"'5638f7c0-ac70-491d' and not \"x\"", "1 of lựa_chọn*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseCondition(s)
		if err != nil {
			return
		}
		text := n.String()
		again, err := ParseCondition(text)
		if err != nil {
			if len(text) > maxConditionBytes {
				return // parentheses make it longer
			}
			t.Fatalf("%q is written %q, which is refused: %v", s, text, err)
		}
		if again.String() != text {
			t.Fatalf("%q is written %q, then %q", s, text, again)
		}
	})
}
