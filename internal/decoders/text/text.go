// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package text turns the bytes of an origin into text that can be compared: UTF-8 in normal form NFC.
//
// The encoding is configured for an origin and never guessed. The result is a reading of the bytes, not a
// replacement for them: event.original keeps what was sent.
package text

import (
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
	n := asciiPrefix(b)
	if n == len(b) {
		return b
	}
	// The last ASCII letter may take a mark that follows it.
	n = max(n-1, 0)
	q := n + norm.NFC.QuickSpan(b[n:])
	if q == len(b) {
		return b
	}
	out := make([]byte, 0, len(b)+16)
	return norm.NFC.Append(append(out, b[:n]...), b[n:]...)
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

// asciiPrefix is the length of the part of b before its first byte outside ASCII.
func asciiPrefix(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if (b[i]|b[i+1]|b[i+2]|b[i+3]|b[i+4]|b[i+5]|b[i+6]|b[i+7])&0x80 != 0 {
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
	n := asciiPrefix(raw)
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
