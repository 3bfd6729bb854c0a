// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package fulltext

import (
	"unicode"
	"unsafe"
)

// Tokens are the tokens of one text after the other; what it needs for one it keeps for the next. One goroutine at a
// time.
type Tokens struct {
	lower, folded []byte
	ends          []tokenEnd
}

type tokenEnd struct{ lower, folded int }

// Len returns the number of tokens.
func (t *Tokens) Len() int { return len(t.ends) }

// At returns one token: lower-cased, and folded as well. Both are valid until the next Read.
func (t *Tokens) At(i int) (lower, folded string) {
	var from tokenEnd
	if i > 0 {
		from = t.ends[i-1]
	}
	to := t.ends[i]
	return view(t.lower[from.lower:to.lower]), view(t.folded[from.folded:to.folded])
}

// Read takes the tokens of a text in place of those before.
func (t *Tokens) Read(s string) {
	t.lower, t.folded, t.ends = t.lower[:0], t.folded[:0], t.ends[:0]
	inToken := false
	end := func() {
		if inToken {
			t.ends = append(t.ends, tokenEnd{len(t.lower), len(t.folded)})
		}
		inToken = false
	}
	if IsASCII(s) {
		t.readASCII(s)
		return
	}
	table := baseTable()
	for _, r := range NFC(s) {
		base := tokenBase(table, r)
		switch {
		case base != 0:
			inToken = true
			r = unicode.ToLower(r)
			t.lower = appendRune(t.lower, r)
			if base > 0 {
				t.folded = appendRune(t.folded, base)
			} else {
				t.folded = appendBaseSlow(t.folded, r)
			}
		case inToken && r >= 0x300 && unicode.Is(unicode.Mn, r):
			t.lower = appendRune(t.lower, unicode.ToLower(r))
		default:
			end()
		}
	}
	end()
}

func (t *Tokens) readASCII(s string) {
	inToken := false
	for i := 0; i < len(s); i++ {
		c := lowerTable[s[i]]
		if c != 0 {
			t.lower = append(t.lower, c)
			inToken = true
		} else if inToken {
			t.ends = append(t.ends, tokenEnd{len(t.lower), len(t.lower)})
			inToken = false
		}
	}
	if inToken {
		t.ends = append(t.ends, tokenEnd{len(t.lower), len(t.lower)})
	}
	t.folded = append(t.folded, t.lower...)
}

// view is b as a string without a copy, valid until b changes.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Plain returns the tokens of s, each lower-cased with its diacritics, joined by a space.
func Plain(s string) string {
	var t Tokens
	t.Read(s)
	var b []byte
	for i := range t.Len() {
		if i > 0 {
			b = append(b, ' ')
		}
		lower, _ := t.At(i)
		b = append(b, lower...)
	}
	return string(b)
}
