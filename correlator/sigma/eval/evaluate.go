// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// Result is one document and the rules it matches, in the order of their keys (id, else title).
type Result struct {
	Document
	Hits []Hit // valid until the next Result
}

// Evaluate reads the documents of an input, numbered from first on, and yields each with what it matches. A document
// that could not be read has Err set and is matched with what could be read of it. It keeps nothing and never buffers
// more than one document. The last pair may carry an error of reading.
func (s *Set) Evaluate(r io.Reader, first int) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		var sc Scratch
		for doc, err := range Documents(r, first) {
			if err != nil {
				yield(Result{Document: doc}, err)
				return
			}
			hits := s.Match(doc.Event, &sc)
			slices.SortStableFunc(hits, func(a, b Hit) int {
				return strings.Compare(s.rules[a.Rule].Key(), s.rules[b.Rule].Key())
			})
			if !yield(Result{Document: doc, Hits: hits}, nil) {
				return
			}
		}
	}
}

// setTime gives a document without @timestamp the time that it names otherwise.
func setTime(b *event.Builder) {
	if b.Has(event.Timestamp) {
		return
	}
	for _, name := range [...]string{"TimeCreated", "SystemTime", "UtcTime", "EventTime", "timestamp", "time"} {
		id, ok := event.Lookup(name)
		if !ok {
			continue
		}
		if v, ok := b.Get(id); ok {
			if ns, ok := event.ParseTime(v.String()); ok {
				b.Time(event.Timestamp, ns)
				return
			}
		}
	}
}
