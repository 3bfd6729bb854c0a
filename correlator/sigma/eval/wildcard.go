// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"strings"
	"unicode/utf8"

	"github.com/haidang-soc/haidang/correlator/sigma"
)

// wildcard is a pattern cut at its stars: the first segment is at the start of the text, the last at its end, those
// between follow each other.
type wildcard struct {
	segments []sigma.Pattern // literals and AnyOne only; may be empty at either end
}

func newWildcard(p sigma.Pattern) *wildcard {
	w := &wildcard{segments: []sigma.Pattern{nil}}
	for _, part := range p {
		if part.Wildcard == sigma.AnyMany {
			w.segments = append(w.segments, nil)
			continue
		}
		last := len(w.segments) - 1
		w.segments[last] = append(w.segments[last], part)
	}
	return w
}

// match reports whether the whole text matches. The work is at most the length of the text times that of the pattern.
func (w *wildcard) match(s string) bool {
	n, ok := segmentAt(w.segments[0], s)
	if !ok {
		return false
	}
	last := len(w.segments) - 1
	if last == 0 {
		return n == len(s)
	}
	s = s[n:]
	for _, seg := range w.segments[1:last] {
		from, to, ok := findSegment(seg, s)
		if !ok {
			return false
		}
		_ = from
		s = s[to:]
	}
	return segmentEnds(w.segments[last], s)
}

// segmentAt matches a segment at the start of a text and returns its length there.
func segmentAt(seg sigma.Pattern, s string) (int, bool) {
	n := 0
	for _, part := range seg {
		if part.Wildcard == sigma.AnyOne {
			if n == len(s) {
				return 0, false
			}
			_, size := utf8.DecodeRuneInString(s[n:])
			n += size
			continue
		}
		if !strings.HasPrefix(s[n:], part.Text) {
			return 0, false
		}
		n += len(part.Text)
	}
	return n, true
}

// findSegment finds a segment as early in a text as it goes.
func findSegment(seg sigma.Pattern, s string) (from, to int, ok bool) {
	for from <= len(s) {
		if len(seg) > 0 && seg[0].Wildcard == sigma.Literal {
			skip := strings.Index(s[from:], seg[0].Text)
			if skip < 0 {
				return 0, 0, false
			}
			from += skip
		}
		if n, ok := segmentAt(seg, s[from:]); ok {
			return from, from + n, true
		}
		if from == len(s) {
			break
		}
		_, size := utf8.DecodeRuneInString(s[from:])
		from += size
	}
	return 0, 0, false
}

// segmentEnds reports whether a segment is at the end of a text.
func segmentEnds(seg sigma.Pattern, s string) bool {
	for i := len(seg) - 1; i >= 0; i-- {
		if seg[i].Wildcard == sigma.AnyOne {
			if s == "" {
				return false
			}
			_, size := utf8.DecodeLastRuneInString(s)
			s = s[:len(s)-size]
			continue
		}
		if !strings.HasSuffix(s, seg[i].Text) {
			return false
		}
		s = s[:len(s)-len(seg[i].Text)]
	}
	return true
}
