// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package kql

import (
	"bytes"
	"unicode"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/event/fulltext"
)

// AppendText appends the full text of an event, the content of haidang.text: the folded tokens of event.original and
// of every string and address it has, values separated by a line feed. A value whose text is in it already is not
// repeated.
func AppendText(dst []byte, e event.Event) []byte {
	start := len(dst)
	original, _ := e.Get(event.EventOriginal)
	for x := range original.All {
		dst = AppendValue(dst, start, x)
	}
	for id, v := range e.Fields() {
		if id == event.EventOriginal || id == event.HaidangText {
			continue
		}
		if v.Kind() != event.List {
			dst = AppendValue(dst, start, v)
			continue
		}
		for x := range v.All {
			dst = AppendValue(dst, start, x)
		}
	}
	return dst
}

// AppendValue appends the folded tokens of one value to the full text in dst[start:], unless it has them side by side
// already or the value has none.
func AppendValue(dst []byte, start int, v event.Value) []byte {
	before := len(dst)
	if before > start {
		dst = append(dst, '\n')
	}
	from := len(dst)
	switch v.Kind() {
	case event.String:
		dst = fulltext.AppendFold(dst, v.Str())
	case event.IP:
		var buf [64]byte
		dst = fulltext.AppendFold(dst, string(v.AppendText(buf[:0])))
	}
	if len(dst) == from || hasTokens(dst[start:before], dst[from:]) {
		return dst[:before]
	}
	return dst
}

// hasTokens reports whether tokens, joined by spaces, stand side by side in full text.
func hasTokens(full, tokens []byte) bool {
	for at := 0; at < len(full); {
		i := bytes.Index(full[at:], tokens)
		if i < 0 {
			return false
		}
		i += at
		end := i + len(tokens)
		if (i == 0 || full[i-1] <= ' ') && (end == len(full) || full[end] <= ' ') {
			return true
		}
		at = i + 1
	}
	return false
}

// token is one token of a query: of the letters with their diacritics if it was written with any, else without.
type token struct {
	pattern Pattern
	exact   bool // compares with diacritics
}

func (t *token) match(lower, folded string) bool {
	if t.exact {
		return t.pattern.Match(lower)
	}
	return t.pattern.Match(folded)
}

func (t *token) any() bool { return t.pattern.onlyStars() }

// patternTokens cuts a word of a query into tokens that must stand side by side.
func patternTokens(w Pattern) []token {
	var tokens []token
	var cur Pattern // lower case
	flush := func() {
		if len(cur) > 0 {
			tokens = append(tokens, newToken(cur))
		}
		cur = nil
	}
	for i, piece := range w {
		if i > 0 {
			if cur == nil {
				cur = Pattern{""}
			}
			cur = append(cur, "")
		}
		for _, r := range piece {
			mark := cur != nil && unicode.Is(unicode.Mn, r)
			if !fulltext.IsToken(r) && !mark {
				flush()
				continue
			}
			if cur == nil {
				cur = Pattern{""}
			}
			cur[len(cur)-1] += string(unicode.ToLower(r))
		}
	}
	flush()
	for len(tokens) > 0 && tokens[0].any() {
		tokens = tokens[1:]
	}
	for len(tokens) > 0 && tokens[len(tokens)-1].any() {
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

func newToken(lower Pattern) token {
	t := token{pattern: make(Pattern, len(lower))}
	for i, piece := range lower {
		var b []byte
		for _, r := range piece {
			if !unicode.Is(unicode.Mn, r) {
				b = fulltext.AppendBase(b, r)
			}
		}
		t.pattern[i] = string(b)
		t.exact = t.exact || t.pattern[i] != piece
	}
	if t.exact {
		t.pattern = lower
	}
	return t
}

// Word is one token of a query as [AppendText] would hold it: folded, cut at its wildcards.
type Word struct {
	Pieces Pattern
	Marked bool // written with diacritics: what has it must still be matched
}

// Groups returns what full text must hold for the value to be found: of each group all words side by side, in one value
// of the event.
func (v *Value) Groups() [][]Word {
	groups := make([][]Word, len(v.groups))
	for i, g := range v.groups {
		for _, t := range g {
			w := Word{Pieces: t.pattern, Marked: t.exact}
			if t.exact {
				w.Pieces = make(Pattern, len(t.pattern))
				for j, piece := range t.pattern {
					w.Pieces[j] = fulltext.Fold(piece)
				}
			}
			groups[i] = append(groups[i], w)
		}
	}
	return groups
}
