// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package text

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// fromWindows1258 reads bytes of windows-1258, which writes a tone as a combining mark after its letter; NFC joins
// the two afterwards. bad counts the four bytes that the code page leaves unassigned.
func fromWindows1258(raw []byte) (out []byte, bad int) {
	n := asciiPrefix(raw)
	if n == len(raw) {
		return raw, 0
	}
	out = append(make([]byte, 0, len(raw)*2), raw[:n]...)
	for _, c := range raw[n:] {
		if c < utf8.RuneSelf {
			out = append(out, c)
			continue
		}
		r := charmap.Windows1258.DecodeByte(c)
		if r == utf8.RuneError {
			bad++
		}
		out = utf8.AppendRune(out, r)
	}
	return out, bad
}
