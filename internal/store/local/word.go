// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

// Characters of the two codes. The first writes one word of the library's; the second none, so that nothing of it gets
// into the Bloom filters.
const (
	wordSymbols = "0123456789ABCDEFGHIJKLMNOPRSTUVWYabcdefghijklmnopqrstuvwxyz" + "_QXZ"
	markSymbols = "!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~ \x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f" +
		"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d" + "\x1e\x1f\x7f"

	wordSingles = numerals
	markSingles = numerals + " "

	// The second symbols of pairs, in order: it is on disks.
	wordSeconds = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
	markSeconds = markSymbols
)

// wordCode writes any bytes with the characters of symbols: a byte of singles as the symbol at its place there, any
// other as two symbols, the first one of those that are left.
type wordCode struct {
	symbols string
	enc     [256][2]byte // of a single the second is 0
	single  [256]int16   // by symbol; -1: an escape or none
	escape  [256]int8    // by symbol: 1 + the index in double
	double  [8][256]int16
}

func newWordCode(symbols, singles, seconds string) *wordCode {
	w := &wordCode{symbols: symbols}
	for i := range w.single {
		w.single[i] = -1
	}
	for i := range w.double {
		for c := range w.double[i] {
			w.double[i][c] = -1
		}
	}
	for i := range singles {
		w.enc[singles[i]] = [2]byte{symbols[i], 0}
		w.single[symbols[i]] = int16(singles[i])
	}
	escapes := symbols[len(singles):]
	for i := range escapes {
		w.escape[escapes[i]] = int8(i + 1)
	}
	n := 0
	for b := range 256 {
		if w.enc[b][0] != 0 {
			continue
		}
		e, c := n/len(seconds), seconds[n%len(seconds)]
		w.enc[b] = [2]byte{escapes[e], c}
		w.double[e][c] = int16(b)
		n++
	}
	return w
}

func (w *wordCode) encode(dst, src []byte) []byte {
	for _, b := range src {
		c := &w.enc[b]
		if c[1] == 0 {
			dst = append(dst, c[0])
		} else {
			dst = append(dst, c[0], c[1])
		}
	}
	return dst
}

func (w *wordCode) decode(dst []byte, src string) ([]byte, error) {
	for i := 0; i < len(src); i++ {
		if b := w.single[src[i]]; b >= 0 {
			dst = append(dst, byte(b))
			continue
		}
		e := w.escape[src[i]]
		if i++; e == 0 || i == len(src) {
			return dst, errRest
		}
		b := w.double[e-1][src[i]]
		if b < 0 {
			return dst, errRest
		}
		dst = append(dst, byte(b))
	}
	return dst, nil
}
