// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/internal/event"
)

// FuzzDecode feeds every decoder: no panic, no lost original, bounded size, the right types, valid text in NFC, valid
// JSON out, and the same event when decoded again.
func FuzzDecode(f *testing.F) {
	for _, path := range logs(f) {
		for _, line := range logLines(f, path) {
			f.Add([]byte(line))
		}
	}
	for _, s := range shapes {
		f.Add([]byte(s.line))
	}
	set := New(Config{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := string(raw)
		e := fuzzEvent(set, raw)
		if string(raw) != before {
			t.Fatal("the line was written to")
		}
		if got := e.Text(event.EventOriginal); got != before[:min(len(before), MaxOriginal)] {
			t.Fatalf("event.original is %q", got)
		}
		if e.Time() == 0 || e.Text(event.EventKind) == "" {
			t.Fatal("no time or no kind")
		}
		checkTypes(t, e, before)
		for id, v := range e.Fields() {
			if id == event.EventOriginal || v.Kind() != event.String {
				continue
			}
			if s := v.Str(); !utf8.ValidString(s) || !norm.NFC.IsNormalString(s) {
				t.Fatalf("%s = %q is not valid text in NFC", id.Name(), s)
			}
		}
		if doc := event.AppendJSON(nil, e, false); !json.Valid(doc) {
			t.Fatalf("the document is no JSON: %s", doc)
		}
		again := fuzzEvent(set, raw)
		a, b := event.AppendJSON(nil, e, true), event.AppendJSON(nil, again, true)
		if string(a) != string(b) {
			t.Fatalf("decoded again it differs:\n%s\n%s", a, b)
		}
	})
}

func fuzzEvent(set *Set, raw []byte) event.Event {
	b := event.NewBuilder("fuzz", 1)
	b.Begin(1, 0)
	set.Decode(b, raw, &Meta{Received: received})
	b.End()
	return b.Batch(0, 1).At(0)
}

// FuzzKeyValue walks pairs: it ends, every step gets shorter, and keys are what the grammar allows.
func FuzzKeyValue(f *testing.F) {
	for _, s := range []string{`a=1 b="x y" c="q\"z"`, "a==b", `="`, `k="open`, "=", "a=b,c=d;", `t\u00ean="h\u1ed3"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for rest := s; ; {
			key, value, tail, ok := nextPair(rest)
			if !ok {
				return
			}
			if len(tail) >= len(rest) {
				t.Fatalf("no progress at %q", rest)
			}
			if key == "" || len(key) > 64 || strings.ContainsAny(key, " =\"") || len(value) > len(rest) {
				t.Fatalf("key %q, value %q of %q", key, value, rest)
			}
			rest = tail
		}
	})
}

// FuzzJSON compares the reader with encoding/json: it must not take what that refuses, but for repeated names and
// invalid text, nor refuse an object that it takes, within the limits.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1}`, `{"a":[1,{"b":null}],"c":"\u0110\ud83d\ude00"}`, `{"a":-0.5e+3}`,
		`{"a":01}`, `{"a":"` + "\x01" + `"}`, `{"a":tru}`, `{"a" : true , "b":[ ]}`, `{"a":1}x`, `[1]`, `{"a":{"b":{}}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := jsonReader{s: s}
		got := r.document()
		trimmed := strings.TrimLeft(s, " \t\r\n")
		want := json.Valid([]byte(s)) && strings.HasPrefix(trimmed, "{")
		if got == want {
			return
		}
		if want && strings.Count(s, "{")+strings.Count(s, "[") > maxDepth {
			return // too deep for us
		}
		t.Fatalf("took %q: %v, encoding/json: %v", s, got, want)
	})
}
