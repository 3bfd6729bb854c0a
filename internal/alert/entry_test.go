// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/haidang-soc/haidang/internal/access"
)

func FuzzEntry(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	entries := []*Entry{
		{At: 1, Kind: Raised, Alert: sample(1, 1, High)},
		{At: 2, Kind: Acknowledge, Action: &Action{Kind: Acknowledge, Alert: ID{1}, Actor: "lan", At: 2}},
		{At: 3, Kind: Declare, Action: &Action{
			Kind: Declare, Alert: ID{1}, Actor: "lan", At: 3, Clocks: []Clock{{ID: "72h", Name: "trong 72 giờ", After: 1}},
		}},
		{At: 4, Kind: Close, Action: &Action{
			Kind: Close, Alert: ID{1}, Actor: "lan", At: 4, Disposition: TruePositive, Note: "nguye\u0302\u0303n",
		}},
		{At: 5, Kind: Undo, Action: &Action{Kind: Undo, Alert: ID{1}, Actor: "lan", At: 5, Undoes: 4}},
	}
	packed, err := c.encode(entries, head{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	lines, err := c.dec.DecodeAll(packed, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(lines)
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<20 {
			return
		}
		if _, err := c.decode(data); err != nil {
			data = c.enc.EncodeAll(data, nil) // as lines that were packed properly
		}
		got, err := c.decode(data)
		if err != nil {
			return
		}
		p, err := NewProjection()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(got...); err != nil {
			t.Fatalf("folding what was decoded: %v", err)
		}
		for _, e := range got {
			if e.State == nil {
				continue
			}
			if _, err := e.State.AppendJSON(nil, "", e.Kind); err != nil {
				t.Fatalf("writing what was decoded: %v", err)
			}
			if s, err := p.Get(access.Everything(), e.ID()); err != nil || s.Alert.ID != e.ID() {
				t.Fatalf("%v, %v", s, err)
			}
		}
		again, err := c.encode(got, head{n: got[0].N - 1, hash: got[0].Prev})
		if err != nil {
			t.Fatal(err)
		}
		back, err := c.decode(again)
		if err != nil {
			t.Fatalf("decoding what was encoded: %v", err)
		}
		opts := []cmp.Option{
			cmpopts.IgnoreUnexported(Entry{}), cmpopts.IgnoreFields(Entry{}, "State"), cmpopts.EquateEmpty(), cmpopts.EquateNaNs(),
		}
		if diff := cmp.Diff(got, back, opts...); diff != "" {
			t.Errorf("a round trip changes entries (-was +read):\n%s", diff)
		}
	})
}
