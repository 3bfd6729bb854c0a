// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

const (
	wordAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
	wordEscapes  = "_QXZ" // the first of two characters that stand for one byte
)

// wordCode writes any bytes as one word of wordAlphabet, and back.
type wordCode struct {
	enc [256][2]byte // of a byte that stands for itself the second is 0
	dec [4][256]int16
	esc [256]int8 // 1 + the index in dec of an escape
	own [256]bool
}

func newWordCode() *wordCode {
	w := &wordCode{}
	for i := range wordEscapes {
		w.esc[wordEscapes[i]] = int8(i + 1)
		for c := range w.dec[i] {
			w.dec[i][c] = -1
		}
	}
	for i := range wordAlphabet {
		c := wordAlphabet[i]
		if w.esc[c] == 0 {
			w.own[c] = true
			w.enc[c] = [2]byte{c, 0}
		}
	}
	n := 0
	for b := range 256 {
		if w.own[b] {
			continue
		}
		e, c := n/len(wordAlphabet), wordAlphabet[n%len(wordAlphabet)]
		w.enc[b] = [2]byte{wordEscapes[e], c}
		w.dec[e][c] = int16(b)
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
		c := src[i]
		if w.own[c] {
			dst = append(dst, c)
			continue
		}
		e := w.esc[c]
		if i++; e == 0 || i == len(src) {
			return dst, errRest
		}
		b := w.dec[e-1][src[i]]
		if b < 0 {
			return dst, errRest
		}
		dst = append(dst, byte(b))
	}
	return dst, nil
}
