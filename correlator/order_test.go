// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"slices"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/asset"
)

func sortedLines(lines []string) string {
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// FuzzRestore feeds damaged state to the decoder behind the checksum: it must answer, not panic, and not believe
// lengths.
func FuzzRestore(f *testing.F) {
	cfg := Config{Rules: compileTest(f, testRules), Policy: asset.DefaultPolicy()}
	s := story(3, 40)
	e, err := New(cfg)
	if err != nil {
		f.Fatal(err)
	}
	for i, r := range s.recs {
		if _, err := e.Process(r); err != nil {
			f.Fatal(err)
		}
		if i%20 == 0 {
			data, err := e.Checkpoint()
			if err != nil {
				f.Fatal(err)
			}
			state, err := openCheckpoint(data)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(state)
		}
	}
	next := s.recs[len(s.recs)-1]
	f.Fuzz(func(t *testing.T, state []byte) {
		if len(state) > 1<<16 {
			return
		}
		if _, err := Restore(cfg, state); err == nil {
			t.Error("state without its header was accepted")
		}
		e, err := restore(cfg, state)
		if err != nil {
			return
		}
		if _, err := e.Process(next); err != nil && !e.Cursor().Has(next.At) {
			t.Error(err)
		}
		if _, err := e.Checkpoint(); err != nil {
			t.Error(err)
		}
	})
}
