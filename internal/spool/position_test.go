// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"encoding/json"
	"testing"
)

func TestCursor(t *testing.T) {
	var c Cursor
	a := &Record{At: Position{0, 7}, Incarnation: "AAAA"}
	b := &Record{At: Position{2, 9}, Incarnation: "CCCC"}
	d := c.Advance(b).Advance(a).Advance(&Record{At: Position{0, 8}, Incarnation: "AAAA"})
	if d.String() != "0:AAAA:8,2:CCCC:9" || !c.IsZero() || !d.Has(Position{0, 8}) || d.Has(Position{0, 9}) ||
		d.Has(Position{1, 1}) {
		t.Fatalf("cursor %v", d)
	}
	doc, err := json.Marshal(map[string]Cursor{"store": d, "new": {}})
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]Cursor
	if err := json.Unmarshal(doc, &back); err != nil || !back["store"].Equal(d) || !back["new"].IsZero() {
		t.Fatalf("%s: %v, %v", doc, back, err)
	}
	if e := c.Advance(b).Advance(a); !e.Equal(NewCursor(Mark{2, "CCCC", 9}, Mark{0, "AAAA", 7})) || e.Equal(d) {
		t.Fatalf("cursor %v", e)
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, s := range []string{"", "0:AAAA:8,2:CCCC:9", "0:A", "0:A:1,0:A:2", "x", "0::0", "65536:A:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCursor(s)
		if err != nil {
			return
		}
		if d, err := ParseCursor(c.String()); err != nil || !d.Equal(c) {
			t.Fatalf("%q: %v, then %v, %v", s, c, d, err)
		}
	})
}
