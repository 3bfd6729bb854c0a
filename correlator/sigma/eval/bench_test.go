// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"os"
	"testing"
)

// BenchmarkMatch measures one Match with the whole SigmaHQ corpus over its own regression events.
func BenchmarkMatch(b *testing.B) {
	b.Run("sigmahq", func(b *testing.B) {
		root, s := sigmaHQ(b)
		var events []Event
		for _, c := range regressionCases(b, root) {
			f, err := os.Open(c.file)
			if err != nil {
				b.Fatal(err)
			}
			for doc, err := range Documents(f, 1) {
				if err == nil {
					events = append(events, doc.Event)
				}
			}
			f.Close()
		}
		var sc Scratch
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			s.Match(events[i%len(events)], &sc)
			i++
		}
	})
}
