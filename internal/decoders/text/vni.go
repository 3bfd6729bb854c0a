// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package text

import "unicode/utf8"

// fromVNI reads bytes of VNI for Windows: a vowel is followed by a byte of its own for its marks; ơ, ư, đ, ỵ and the
// toned i are single bytes. The marks are written out as combining ones, which NFC joins to the vowel. A mark byte
// after anything but a vowel, and any other byte above ASCII, is not VNI and counts as bad.
func fromVNI(raw []byte) (out []byte, bad int) {
	n := asciiPrefix(raw)
	if n == len(raw) {
		return raw, 0
	}
	n = max(n-1, 0) // the last ASCII letter may be the vowel of the first mark
	out = append(make([]byte, 0, len(raw)*2), raw[:n]...)
	vowel := byte(0)
	for _, c := range raw[n:] {
		if c < utf8.RuneSelf {
			out = append(out, c)
			vowel = c | 0x20
			continue
		}
		if r := vniLetter(c); r != 0 {
			out = utf8.AppendRune(out, r)
			vowel = 0
			if c|0x20 == 0xf4 || c|0x20 == 0xf6 { // ơ and ư take a tone
				vowel = c | 0x20
			}
			continue
		}
		marks := vniMarks(vowel, c)
		if marks == "" {
			bad++
			out = utf8.AppendRune(out, utf8.RuneError)
		}
		out = append(out, marks...)
		vowel = 0
	}
	return out, bad
}

// vniLetter is the letter that one byte of VNI stands for, or 0.
func vniLetter(c byte) rune {
	switch c {
	case 0xd4:
		return 'Ơ'
	case 0xf4:
		return 'ơ'
	case 0xd6:
		return 'Ư'
	case 0xf6:
		return 'ư'
	case 0xd1:
		return 'Đ'
	case 0xf1:
		return 'đ'
	case 0xcd:
		return 'Í'
	case 0xed:
		return 'í'
	case 0xcc:
		return 'Ì'
	case 0xec:
		return 'ì'
	case 0xc6:
		return 'Ỉ'
	case 0xe6:
		return 'ỉ'
	case 0xd3:
		return 'Ĩ'
	case 0xf3:
		return 'ĩ'
	case 0xd2:
		return 'Ị'
	case 0xf2:
		return 'ị'
	case 0xce:
		return 'Ỵ'
	case 0xee:
		return 'ỵ'
	}
	return 0
}

// vniMarks is what the mark byte c adds to a vowel, as combining marks, or "" where c is no mark of that vowel. Small
// and capital marks mean the same: fonts differ in which they follow a capital with.
func vniMarks(vowel, c byte) string {
	const grave, acute, tilde, hook, dot = "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"
	const circumflex, breve = "\u0302", "\u0306"
	m := c | 0x20
	switch vowel {
	case 'a', 'e', 'o', 'u', 'y', 0xf4, 0xf6:
		switch m {
		case 0xf9:
			return acute
		case 0xf8:
			return grave
		case 0xfb:
			return hook
		case 0xf5:
			return tilde
		case 0xef:
			return dot
		}
	}
	switch vowel {
	case 'a', 'e', 'o':
		switch m {
		case 0xe2:
			return circumflex
		case 0xe1:
			return circumflex + acute
		case 0xe0:
			return circumflex + grave
		case 0xe5:
			return circumflex + hook
		case 0xe3:
			return circumflex + tilde
		case 0xe4:
			return circumflex + dot
		}
	}
	if vowel == 'a' {
		switch m {
		case 0xea:
			return breve
		case 0xe9:
			return breve + acute
		case 0xe8:
			return breve + grave
		case 0xfa:
			return breve + hook
		case 0xfc:
			return breve + tilde
		case 0xeb:
			return breve + dot
		}
	}
	return ""
}
