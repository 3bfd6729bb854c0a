// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package kql

import (
	"bytes"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/internal/event"
)

// Fold returns the tokens of s, each lower-cased and without diacritics, joined by a space: the one definition of full
// text. A token is a run of letters and digits of the NFC form, with the marks that stay on them; đ becomes d.
func Fold(s string) string { return string(AppendFolded(nil, s)) }

// AppendFolded appends Fold(s) to dst. It does not allocate for ASCII.
func AppendFolded(dst []byte, s string) []byte {
	start := len(dst)
	inToken := false
	if ascii(s) {
		for i := 0; i < len(s); i++ {
			c := lowerTable[s[i]]
			if c == 0 {
				inToken = false
				continue
			}
			if !inToken && len(dst) > start {
				dst = append(dst, ' ')
			}
			inToken = true
			dst = append(dst, c)
		}
		return dst
	}
	table := baseTable()
	for _, r := range nfc(s) {
		base := tokenBase(table, r)
		switch {
		case base != 0:
			if !inToken && len(dst) > start {
				dst = append(dst, ' ')
			}
			inToken = true
			if base > 0 {
				dst = appendRune(dst, base)
			} else {
				dst = appendBaseSlow(dst, unicode.ToLower(r))
			}
		case inToken && r >= 0x300 && unicode.Is(unicode.Mn, r):
		default:
			inToken = false
		}
	}
	return dst
}

// tokenBase returns the lower-case letter or digit under the diacritics of r, 0 when r is neither letter nor digit, and
// -1 when appendBaseSlow must say.
func tokenBase(table *[baseTableSize]rune, r rune) rune {
	switch {
	case r < baseTableSize:
		return table[r]
	case isTokenRune(r):
		return -1
	}
	return 0
}

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
		dst = AppendFolded(dst, v.Str())
	case event.IP:
		var buf [64]byte
		dst = AppendFolded(dst, string(v.AppendText(buf[:0])))
	}
	if len(dst) == from || hasTokens(dst[start:before], dst[from:]) {
		return dst[:before]
	}
	return dst
}

// hasTokens reports whether tokens, joined by spaces, stand side by side in text.
func hasTokens(text, tokens []byte) bool {
	for at := 0; at < len(text); {
		i := bytes.Index(text[at:], tokens)
		if i < 0 {
			return false
		}
		i += at
		end := i + len(tokens)
		if (i == 0 || text[i-1] <= ' ') && (end == len(text) || text[end] <= ' ') {
			return true
		}
		at = i + 1
	}
	return false
}

func isTokenRune(r rune) bool {
	if r < utf8.RuneSelf {
		return lowerTable[r] != 0
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// lowerTable holds the lower case of ASCII letters and digits, and 0 for everything else.
var lowerTable = func() (t [256]byte) {
	for c := range 128 {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			t[c] = byte(c)
		case c >= 'A' && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		}
	}
	return t
}()

func ascii(s string) bool {
	for len(s) >= 8 { // eight at a time
		if (s[0]|s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7])&0x80 != 0 {
			return false
		}
		s = s[8:]
	}
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func nfc(s string) string {
	if ascii(s) {
		return s
	}
	return norm.NFC.String(s)
}

const baseTableSize = 0x2000 // Latin, Greek, Cyrillic: all that has diacritics of its own

// baseTable holds what tokenBase returns for the runes below its size.
var baseTable = sync.OnceValue(func() *[baseTableSize]rune {
	t := new([baseTableSize]rune)
	for r := range rune(baseTableSize) {
		if !isTokenRune(r) {
			continue
		}
		b := appendBaseSlow(nil, unicode.ToLower(r))
		t[r] = -1
		if base, n := utf8.DecodeRune(b); n == len(b) {
			t[r] = base
		}
	}
	return t
})

// appendBase appends a lower-case letter or digit without its diacritics.
func appendBase(dst []byte, r rune) []byte {
	if base := tokenBase(baseTable(), r); base > 0 {
		return appendRune(dst, base)
	}
	return appendBaseSlow(dst, r)
}

func appendBaseSlow(dst []byte, r rune) []byte {
	switch {
	case r == 'đ' || r == 'Đ':
		return append(dst, 'd')
	case unicode.Is(unicode.Hangul, r): // would fall apart into its letters
		return utf8.AppendRune(dst, r)
	}
	for _, d := range norm.NFD.String(string(r)) {
		if !unicode.Is(unicode.Mn, d) {
			dst = utf8.AppendRune(dst, d)
		}
	}
	return dst
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
			if !isTokenRune(r) && !mark {
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
				b = appendBase(b, r)
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
					w.Pieces[j] = Fold(piece)
				}
			}
			groups[i] = append(groups[i], w)
		}
	}
	return groups
}
