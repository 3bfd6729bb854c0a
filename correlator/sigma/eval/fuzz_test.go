// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/event"
)

// FuzzEval compares the compiled set with the naive evaluator for any pattern and value, alone and as a keyword.
func FuzzEval(f *testing.F) {
	for _, s := range [][2]string{{"*cmd.exe", `C:\Windows\CMD.EXE`}, {`a\*b?c`, "a*bếc"}, {"đăng*nhập", norm.NFD.String("ĐĂNG NHẬP")},
		{"", ""}, {"*", ""}, {"?", "ễ"}, {`\\`, `\`}, {"*a*b*a*", "abababab"}, {"K", "\u212a"}, {"x\xff*", "x\xffy"}} {
		for how := range byte(5) {
			f.Add(s[0], s[1], how)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, value string, how byte) {
		if len(pattern) > 200 || len(value) > 2000 || !utf8.ValidString(pattern) || !utf8.ValidString(value) {
			return // the naive evaluator reads bytes that are not UTF-8 in another way
		}
		if norm.NFC.String(pattern) != pattern && strings.ContainsAny(pattern, "*?\\") {
			return // a wildcard between a letter and its mark: the naive evaluator composes over it
		}
		p := sigma.ParsePattern(pattern)
		whole := pattern
		if n := len(whole) - len(strings.TrimRight(whole, "\\")); n%2 == 1 {
			whole += "\\"
		}
		many := sigma.Part{Wildcard: sigma.AnyMany}
		atom := sigma.Atom{Kind: sigma.AtomText, Cased: how == 4}
		switch how % 5 {
		case 1, 4:
			p, whole = append(append(sigma.Pattern{many}, p...), many), "*"+whole+"*"
		case 2:
			p, whole = append(sigma.Pattern{many}, p...), "*"+whole
		case 3:
			p, whole = append(p, many), whole+"*"
		}
		atom.Pattern = p
		item := sigma.Item{Field: "fuzz.value", Values: []sigma.Value{{Atoms: []sigma.Atom{atom}}}}
		root := &sigma.Node{Op: sigma.NodeRef, Name: "a"}
		rule := &sigma.Rule{Detections: []sigma.Detection{{Name: "a", Any: []sigma.Group{{All: []sigma.Item{item}}}}},
			Conditions: []sigma.Condition{{Root: root}}}
		m, err := ParseMapping("", "")
		if err != nil {
			t.Fatal(err)
		}
		set, refused := Compile([]*sigma.Rule{rule}, m)
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		id, _ := event.Intern("fuzz.value")
		b := event.NewBuilder("fuzz", 0)
		b.Begin(1, 0)
		b.Value(id, event.StringValue(value))
		b.End()
		var sc Scratch
		got := len(set.Match(b.Batch(1, 2).At(0), &sc)) > 0
		if want := glob(whole, value, atom.Cased); got != want {
			t.Fatalf("pattern %q (cased %v) on %q: %v, the naive evaluator %v", whole, atom.Cased, value, got, want)
		}
	})
}

// FuzzDocuments: no input stops the reader, and every document it yields can be matched.
func FuzzDocuments(f *testing.F) {
	f.Add(windowsDoc)
	f.Add(`{"source": {"ip": "10.1.2.3"}, "message": "Đăng nhập"}` + "\n" + `{"a": [1, "x", {"b": ""}]}`)
	f.Add("{\n{\n[[[\n}")
	f.Add(`{"Event": {"System": {"Provider": null}, "EventData": {"Data": [null, {"#attributes": {"Name": "x"}}]}}}`)
	set := compile(f, detection("{EventID: 1, CommandLine|contains: who}")+"---\n"+detection("[nhập]"))
	f.Fuzz(func(t *testing.T, input string) {
		if len(input) > 1<<16 || manyNames(input) {
			return
		}
		n := 0
		for r, err := range set.Evaluate(strings.NewReader(input), 1) {
			if err != nil {
				t.Fatalf("reading a text cannot fail: %v", err)
			}
			if n++; r.N != n || n > len(input) {
				t.Fatalf("document %d is numbered %d", n, r.N)
			}
		}
	})
}

// manyNames keeps the fuzzer from filling the process's table of field names: only names that it has seen are let in.
func manyNames(input string) bool {
	var doc map[string]json.RawMessage
	return json.Unmarshal([]byte(input), &doc) == nil && len(doc) > 64
}
