// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package text turns the bytes of an origin into text that can be compared: UTF-8 in normal form NFC.
//
// The encoding is configured for an origin and never guessed. The result is a reading of the bytes, not a
// replacement for them: event.original keeps what was sent.
package text

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The encodings that an origin can be configured with. The empty string means UTF8.
const (
	UTF8        = "utf-8"
	Windows1258 = "windows-1258"
	TCVN3       = "tcvn3" // TCVN 5712:1993, the ABC fonts
	VNI         = "vni"   // VNI for Windows
	UTF16       = "utf-16"
)

// Check reports whether Recode knows the encoding; the error names the known ones.
func Check(encoding string) error {
	switch encoding {
	case "", UTF8, Windows1258, TCVN3, VNI, UTF16:
		return nil
	}
	return fmt.Errorf("text: encoding %q: unknown; use %s, %s, %s, %s or %s",
		encoding, UTF8, Windows1258, TCVN3, VNI, UTF16)
}

// Recode reads raw in the given encoding and returns it as UTF-8 in NFC. bad is the number of bytes (or UTF-16 units)
// that are not valid in the encoding, each of which is U+FFFD in out. When raw is valid UTF-8 in NFC already, out is
// raw itself and nothing is allocated; otherwise out is new memory, at most a small multiple of raw. The only error is
// an unknown encoding (see Check), and out is then raw. Safe for concurrent use.
func Recode(encoding string, raw []byte) (out []byte, bad int, err error) {
	switch encoding {
	case "", UTF8:
		out, bad = fromUTF8(raw)
	case Windows1258:
		out, bad = fromWindows1258(raw)
	case TCVN3:
		out, bad = fromTCVN3(raw)
	case VNI:
		out, bad = fromVNI(raw)
	case UTF16:
		out, bad = fromUTF16(raw)
	default:
		return raw, 0, Check(encoding)
	}
	return NFC(out), bad, nil
}

// NFC returns b in normal form C: b itself, without allocating, where it is in that form already.
func NFC(b []byte) []byte {
	n := plainPrefix(b)
	if n == len(b) {
		return b
	}
	q := n
	if n > 0 { // the last letter may take a mark that follows it
		q--
		for q > 0 && !utf8.RuneStart(b[q]) {
			q--
		}
	}
	if q+norm.NFC.QuickSpan(b[q:]) == len(b) {
		return b
	}
	out := make([]byte, 0, len(b)+16)
	return norm.NFC.Append(append(out, b[:q]...), b[q:]...)
}

// NFCString is NFC for a string.
func NFCString(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return norm.NFC.String(s)
		}
	}
	return s
}

// plainPrefix is the length of a part at the beginning of b that is valid UTF-8 and in NFC, found fast: it ends at the
// first character that is neither in U+0000 to U+02FF nor in U+1E00 to U+1EFF, where all letters of Vietnamese are.
// No character of those blocks is a mark or changes in NFC.
func plainPrefix(b []byte) int {
	i := 0
	for {
		i += asciiPrefix(b[i:])
		switch {
		case i+1 < len(b) && b[i] >= 0xc2 && b[i] <= 0xcb && b[i+1]&0xc0 == 0x80:
			i += 2
		case i+2 < len(b) && b[i] == 0xe1 && b[i+1] >= 0xb8 && b[i+1] <= 0xbb && b[i+2]&0xc0 == 0x80:
			i += 3
		default:
			return i
		}
	}
}

// asciiPrefix is the length of the part of b before its first byte outside ASCII.
func asciiPrefix(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(b) && b[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// fromUTF8 replaces each byte that is not part of valid UTF-8.
func fromUTF8(raw []byte) ([]byte, int) {
	n := plainPrefix(raw)
	if n == len(raw) || utf8.Valid(raw[n:]) {
		return raw, 0
	}
	bad := 0
	out := append(make([]byte, 0, len(raw)+16), raw[:n]...)
	for rest := raw[n:]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			bad++
		}
		out = utf8.AppendRune(out, r)
		rest = rest[size:]
	}
	return out, bad
}
