// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"unicode"
	"unicode/utf8"

	"github.com/haidang-soc/haidang/internal/event/fulltext"
)

// folder brings text into the form in which it is compared: NFC, then simple case folding. Bytes that are not UTF-8
// stay as they are. It is immutable.
type folder struct {
	table [0x2000]rune // the folded form of the runes that texts are mostly made of
}

func newFolder() *folder {
	f := &folder{}
	for r := range f.table {
		f.table[r] = foldRune(rune(r))
	}
	return f
}

// foldRune returns one member of the rune's case orbit, the same for all of them: a lower-case ASCII letter where the
// orbit has one, else its smallest member.
func foldRune(r rune) rune {
	least := r
	for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
		least = min(least, x)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}

// append appends the folded text.
func (f *folder) append(dst []byte, s string) []byte {
	if fulltext.IsASCII(s) {
		for i := range len(s) {
			dst = append(dst, lower(s[i]))
		}
		return dst
	}
	s = fulltext.NFC(s)
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			dst = append(dst, lower(c))
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[i])
		case int(r) < len(f.table):
			dst = utf8.AppendRune(dst, f.table[r])
		default:
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += size
	}
	return dst
}

func (f *folder) fold(s string) string { return string(f.append(nil, s)) }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
