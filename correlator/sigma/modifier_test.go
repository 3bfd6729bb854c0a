// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// itemOf parses one item.
func itemOf(t *testing.T, key, values string) Item {
	t.Helper()
	k, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	docs, refused := Parse("a.yml", []byte(rule(fmt.Sprintf("a:\n  %s: %s\ncondition: a", k, values))))
	if len(refused) > 0 {
		t.Fatalf("%s: %s: %v", key, values, refused)
	}
	return docs[0].Rule.Detections[0].Any[0].All[0]
}

func TestModifiers(t *testing.T) {
	f := func(key, values string, want ...string) {
		t.Helper()
		var got []string
		for _, v := range itemOf(t, key, values).Values {
			for _, a := range v.Atoms {
				switch a.Kind {
				case AtomText:
					got = append(got, a.Pattern.String())
				case AtomNumber:
					got = append(got, fmt.Sprint(a.Op, a.Number))
				case AtomRegexp:
					got = append(got, a.Regexp)
				case AtomCIDR:
					got = append(got, a.Prefix.String())
				case AtomExists:
					got = append(got, fmt.Sprint("exists ", a.Want))
				case AtomNull:
					got = append(got, "null")
				case AtomFieldRef:
					got = append(got, fmt.Sprint(a.Ref.Part, " of ", a.Ref.Field))
				}
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %s:\n got %q\nwant %q", key, values, got, want)
		}
	}
	f("f", `[máy chủ, 4624, 0x1F, 1.50, true, null, '']`, "máy chủ", "4624", "31", "0x1F", "1.5", "1.50", "true", "null", "")
	f("f", `18446744073709551615`, "18446744073709551615")
	f("f", `-9007199254740993`, "-9007199254740993")
	f("f|contains", `'ab'`, "*ab*")
	f("f|contains", `'*ab'`, "*ab*")
	f("f|contains", `'C:\*'`, `*C:\**`)
	f("f|contains", `5`, "*5*")
	f("f|startswith", `'C:\'`, `C:\\*`)
	f("f|endswith", `'\cmd.exe'`, `*\\cmd.exe`)
	f("f|endswith|windash", `' -s'`, "* -s", "* /s", "* –s", "* —s", "* ―s")
	f("f|windash", `'a-b --c'`, "a-b --c", "a-b -/c", "a-b -–c", "a-b -—c", "a-b -―c")
	f("f|windash", `'http://x'`, "http:/-x", "http://x", "http:/–x", "http:/—x", "http:/―x")
	if n := len(itemOf(t, "f|windash|contains", `' -a -b '`).Values[0].Atoms); n != 25 {
		t.Errorf("two options make %d alternatives, want 25", n)
	}
	f("f|base64", `'http://'`, "aHR0cDovLw==")
	f("f|base64offset|contains", `'http://'`, "*aHR0cDovL*", "*h0dHA6Ly*", "*odHRwOi8v*")
	f("f|utf16le|base64offset|contains", `'ping'`, "*cABpAG4AZw*", "*AAaQBuAGcA*", "*wAGkAbgBnA*")
	f("f|wide", `'ab'`, "a\x00b\x00")
	f("f|utf16be", `'ab'`, "\x00a\x00b")
	f("f|utf16", `'đ'`, "\xff\xfe\x11\x01")
	f("f|re", `'^a\d+$'`, `^a\d+$`)
	f("f|re|i|m|s", `'a'`, `(?s)(?m)(?i)a`)
	f("f|re|ignorecase|dotall", `'a'`, `(?s)(?i)a`)
	f("f|cidr", `[10.0.0.0/8, 1.2.3.4, '2001:db8::/32', '::ffff:10.0.0.0/104']`, "10.0.0.0/8", "1.2.3.4/32", "2001:db8::/32", "10.0.0.0/8")
	f("f|gte", `5`, "gte 5")
	f("f|lt", `2.5`, "lt 2.5")
	f("f|exists", `false`, "exists false")
	f("f|fieldref", `Other.Field`, "0 of Other.Field")
	f("f|fieldref|endswith", `g`, "3 of g")
}

func TestItemFlags(t *testing.T) {
	if it := itemOf(t, "f|contains|all|cased", "[a, b]"); !it.All || !it.Values[0].Atoms[0].Cased || it.Negate {
		t.Errorf("%+v", it)
	}
	if it := itemOf(t, "f|neq", "[a, b]"); !it.Negate || it.All {
		t.Errorf("%+v", it)
	}
	if it := itemOf(t, "|all", "[a, b]"); !it.All || it.Field != "" {
		t.Errorf("%+v", it)
	}
}

func TestPattern(t *testing.T) {
	f := func(in string, want ...Part) {
		t.Helper()
		got := ParsePattern(in)
		if fmt.Sprint(got) != fmt.Sprint(Pattern(want)) {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
		if again := ParsePattern(got.String()); fmt.Sprint(again) != fmt.Sprint(got) {
			t.Errorf("%q: written %q, read back %v", in, got.String(), again)
		}
	}
	many, one := Part{Wildcard: AnyMany}, Part{Wildcard: AnyOne}
	lit := func(s string) Part { return Part{Text: s} }
	f("")
	f("a", lit("a"))
	f(`a\b`, lit(`a\b`))
	f(`a\\b`, lit(`a\b`))
	f(`a\*b`, lit("a*b"))
	f(`a\\*b`, lit(`a\`), many, lit("b"))
	f(`a\\\*b`, lit(`a\*b`))
	f(`\\\\a`, lit(`\\a`))
	f(`a\`, lit(`a\`))
	f("**a?", many, lit("a"), one)
	f("đ?*ế", lit("đ"), one, many, lit("ế"))
}
