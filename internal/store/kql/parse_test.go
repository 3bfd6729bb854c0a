// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package kql

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		e, err := Parse(query)
		if err != nil {
			t.Errorf("Parse(%q): %v", query, err)
			return
		}
		if got := e.String(); got != want {
			t.Errorf("Parse(%q) = %s, want %s", query, got, want)
		}
	}
	f("", "*")
	f("  \n", "*")
	f("*", "*")
	f("user.name: root", "user.name: root")
	f("user.name:root", "user.name: root")
	f(`user.name : "Nguyễn Văn A"`, `user.name: "Nguyễn Văn A"`)
	f("user.name: Nguyễn  Văn A", "user.name: Nguyễn Văn A")
	f("field: (a or b)", "field: a or field: b")
	f("field: (a OR not (b AND c))", "field: a or not (field: b and field: c)")
	f("a: 1 and b: 2 or c: 3", "a: 1 and b: 2 or c: 3")
	f("a: 1 and (b: 2 or c: 3)", "a: 1 and (b: 2 or c: 3)")
	f("(a: 1 and (b: 2) and ((c: 3)))", "a: 1 and b: 2 and c: 3")
	f("not not a", "a")
	f("NOT a", "not a")
	f("not (a or b)", "not (a or b)")
	f("not a or b", "not a or b")
	f("destination.port > 1024", "destination.port > 1024")
	f("destination.port>=1024", "destination.port >= 1024")
	f("x < -5 and x<=5.5", "x < -5 and x <= 5.5")
	f(`@timestamp >= "2026-11-29"`, `@timestamp >= "2026-11-29"`)
	f("user.name: ab*", "user.name: ab*")
	f("user.name: a**b", "user.name: a*b")
	f("user.*: x", "user.*: x")
	f("*: x", "*: x")
	f("source.ip: 10.0.0.0/8", "source.ip: 10.0.0.0/8")
	f("user.name: *", "user.name: *")
	f(`user.name: "*"`, `user.name: "*"`)
	f(`user.name: \*`, `user.name: \*`)
	f("đăng nhập thất bại", "đăng nhập thất bại")
	f("\u0111a\u0306ng", "đăng") // decomposed
	f(`"failed password"`, `"failed password"`)
	f(`url.path: \/a\(b\)\:c`, `url.path: /a\(b\)\:c`)
	f(`a: \and`, `a: \and`)
	f(`a: "and"`, `a: "and"`)
	f(`a: n\ot`, `a: n\ot`)
	f(`"and": x`, `\and: x`)
	f(`a: \u0041b`, `a: Ab`)
	f(`a: "x\ty\"\\"`, `a: "x\ty\"\\"`)
	f(`a: x\ y z`, `a: x\ y z`)
	f("android or order", "android or order")
}

func TestParseErrors(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		_, err := Parse(query)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, want %s", query, err, want)
		}
	}
	f("user.name: root a:b", `1:18: expected "and" or "or"`)
	f("foo a: b", `1:5: expected "and" or "or" before the field`)
	f("a:", "1:3: expected a value, found the end")
	f("a: and", "1:4: expected a value, found and")
	f("and", `1:1: expected a field, a word or "("`)
	f("a and", `1:6: expected a field, a word or "(", found the end`)
	f("(a: b", `1:6: expected "and", "or" or the ")" of 1:1, found the end`)
	f("a: b)", `1:5: expected "and", "or" or the end, found )`)
	f("a: > 5", `1:4: expected a value: a comparison is written without ":"`)
	f("a > b*", "1:5: a comparison takes no wildcard")
	f("a >", "1:4: expected a number")
	f("tên: \"đường", `1:6: expected the closing quote`)
	f("a or\nb and and", `2:7: expected a field, a word or "(", found and`)
	f("a: {b: c}", "1:4: nested fields in braces")
	f(`a \`, "1:3: expected a character after the backslash")
	f(`a \u00`, `1:3: expected four hexadecimal digits`)
	f(`"": x`, "1:1: the name of a field is empty")
	f("@timestamp >= now-15m", "1:15: expected a time such as")
	f("@timestamp: (2026 or hôm)", "1:22: expected a time")
	f("destination.port > x", "1:20: expected a number")
	f("source.ip: 10.1.2", "1:12: expected an address, a CIDR")
	f("source.ip > 10.0.0.0/8", "1:13: expected an address: a CIDR is written source.ip: 10.0.0.0/8")
	f("source.ip: 2001:db8::1", `1:16: expected "and" or "or": write a ":" inside a value`)
	f("a\xffb", "1:2: this is not UTF-8")
	f("a not b", `1:3: expected "and", "or" or the end, found not`)
	f(strings.Repeat("(", 100)+"a", "1:65: more than 64 nested")
	f(strings.Repeat("a ", 10000), "1:1: the query is longer")
	f("a: ("+strings.Repeat("b or ", 3000)+"b)", "1:1: the query is too long")
	f(strings.Repeat("f", 300)+": x", "1:1: the name of a field is longer")
}

func TestCaret(t *testing.T) {
	_, err := Parse("nguồn:\tx and and")
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *Error: %v", err)
	}
	want := "nguồn:\tx and and\n      \t      ^"
	if got := e.Caret(); got != want {
		t.Errorf("Caret:\n%s\nwant:\n%s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"a: b and (c or not d)", `x: "q\"" or y >= 5`, "f.*: (a or b*)", `\and n\ot \u0041`, "đ\u0309: e\u0301*\u0301",
		"a: x\\ y", "\"a b\" c", "** *", "a: (not (b or c) and d)", "<\u0338", `\≮`, "a:\u00a0b", "not not not a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, q string) {
		e, err := Parse(q)
		if err != nil {
			var pe *Error
			if !errors.As(err, &pe) || pe.Line < 1 || pe.Column < 1 {
				t.Fatalf("Parse(%q): %v", q, err)
			}
			pe.Caret()
			return
		}
		s := e.String()
		if !utf8.ValidString(s) {
			t.Fatalf("%q: canonical form %q is not UTF-8", q, s)
		}
		again, err := Parse(s)
		if err != nil {
			t.Fatalf("%q: canonical form %q: %v", q, s, err)
		}
		if got := again.String(); got != s {
			t.Fatalf("%q: %q reads back as %q", q, s, got)
		}
	})
}
