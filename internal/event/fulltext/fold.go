// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package fulltext is the one definition of full text: what a word is, and when two words are the same.
//
// Stores, queries and lists of alerts all go through it, so that what is found does not depend on who looks. A change
// here changes what is in every index: the words of events stored before stay as they were.
package fulltext

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns the tokens of s, each lower-cased and without diacritics, joined by a space. A
// token is a run of letters and digits of the NFC form, with the marks that stay on them; đ becomes d.
func Fold(s string) string { return string(AppendFold(nil, s)) }

// AppendFold appends Fold(s) to dst. It does not allocate for ASCII.
func AppendFold(dst []byte, s string) []byte {
	start := len(dst)
	inToken := false
	if IsASCII(s) {
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
	for _, r := range NFC(s) {
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
	case IsToken(r):
		return -1
	}
	return 0
}

// IsToken reports whether a rune is part of a token by itself: a letter or a digit.
func IsToken(r rune) bool {
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

// IsASCII reports whether a text has only bytes below 0x80: then it is NFC.
func IsASCII(s string) bool {
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

// NFC returns the text in normal form NFC; of most texts that is the text itself.
func NFC(s string) string {
	if IsASCII(s) {
		return s
	}
	return norm.NFC.String(s)
}

const baseTableSize = 0x2000 // Latin, Greek, Cyrillic: all that has diacritics of its own

// baseTable holds what tokenBase returns for the runes below its size.
var baseTable = sync.OnceValue(func() *[baseTableSize]rune {
	t := new([baseTableSize]rune)
	for r := range rune(baseTableSize) {
		if !IsToken(r) {
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

// AppendBase appends a lower-case letter or digit without its diacritics.
func AppendBase(dst []byte, r rune) []byte {
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

func appendRune(dst []byte, r rune) []byte {
	if r < utf8.RuneSelf {
		return append(dst, byte(r))
	}
	return utf8.AppendRune(dst, r)
}
