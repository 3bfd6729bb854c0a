// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package text

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// fromUTF16 reads UTF-16: in the byte order of its mark, else in the one in which its first unit is ASCII, else little
// endian, which is what Windows writes. A header in ASCII may come before the first mark (a relay that wraps the
// lines of a Windows program), and text without any NUL byte before a mark is taken as it is. bad counts unpaired
// surrogates and a last odd byte.
func fromUTF16(raw []byte) (out []byte, bad int) {
	mark, order := findMark(raw)
	if mark < 0 {
		if bytes.IndexByte(raw, 0) < 0 && asciiPrefix(raw) == len(raw) {
			return raw, 0
		}
		if len(raw) >= 2 && raw[0] == 0 && raw[1] < utf8.RuneSelf {
			order = binary.BigEndian
		}
		return appendUTF16(make([]byte, 0, len(raw)), raw, order)
	}
	out = append(make([]byte, 0, len(raw)*3/2), raw[:mark]...)
	return appendUTF16(out, raw[mark+2:], order)
}

// findMark looks for a byte order mark that only ASCII without NUL bytes comes before.
func findMark(raw []byte) (at int, order binary.ByteOrder) {
	n := asciiPrefix(raw)
	if n+2 <= len(raw) && bytes.IndexByte(raw[:n], 0) < 0 {
		switch {
		case raw[n] == 0xff && raw[n+1] == 0xfe:
			return n, binary.LittleEndian
		case raw[n] == 0xfe && raw[n+1] == 0xff:
			return n, binary.BigEndian
		}
	}
	return -1, binary.LittleEndian
}

// appendUTF16 appends the units of raw to out as UTF-8.
func appendUTF16(out, raw []byte, order binary.ByteOrder) ([]byte, int) {
	bad := 0
	for len(raw) >= 2 {
		r := rune(order.Uint16(raw))
		raw = raw[2:]
		if utf16.IsSurrogate(r) {
			pair := rune(utf8.RuneError)
			if len(raw) >= 2 {
				pair = utf16.DecodeRune(r, rune(order.Uint16(raw)))
			}
			if pair == utf8.RuneError {
				bad++
			} else {
				raw = raw[2:]
			}
			r = pair
		}
		out = utf8.AppendRune(out, r)
	}
	if len(raw) == 1 {
		bad++
		out = utf8.AppendRune(out, utf8.RuneError)
	}
	return out, bad
}
