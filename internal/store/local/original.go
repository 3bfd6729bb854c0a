// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/haidang-soc/haidang/internal/event/fulltext"
)

// event.original is stored once, as the first line of haidang.text, which is its words in lower case, and as its shape
// in haidang.rest: for each word a letter that says which of its letters are capitals and what stands behind it. Lines
// of one kind share their shape. A word with letters beyond ASCII is in the shape itself.

// separators are what often stands behind a word; each has a letter of its own with each case. The order is part of
// the format.
var separators = [...]string{"", " ", ":", ".", "-", "/", "=", "=\"", "\" ", ", ", ": ", "[", "]: ", "(", ") ",
	"\":\"", "_"}

// What the letters of a shape say: case * len(separators) + separator for most words.
const (
	lowerWord   = iota // as in haidang.text
	capitalWord        // with a capital at the beginning
	upperWord          // in capitals
	wordCases

	otherSeparator = len(separators) * wordCases // + case: the length of the separator and its bytes follow
	maskedWord     = otherSeparator + wordCases  // the places of the capitals and the letter of a lowerWord follow
	literalWord    = maskedWord + 1              // the bytes of the word and the letter of a lowerWord follow
	endOfShape     = literalWord + 1
)

// span is a word's place in the text.
type span struct{ start, end int }

// original is an event.original cut into words: runs of letters and digits of ASCII and of any bytes beyond it.
type original struct {
	text  string
	words []span
	heads []byte // the first byte of each word
}

func (o *original) reset() { o.text, o.words, o.heads = "", o.words[:0], o.heads[:0] }

func wordByte(c byte) bool {
	return c >= 0x80 || c-'0' <= 9 || c|0x20-'a' < 26
}

// cut cuts text, and appends its folded words to fold and its shape to shape. Not ok: the words would not give it back.
func (o *original) cut(text string, fold, shape []byte) (newFold, newShape []byte, ok bool) {
	o.reset()
	o.text = text
	i, foldStart, beyond := 0, len(fold), false
	for i < len(text) && !wordByte(text[i]) {
		i++
	}
	shape = appendString(shape, text[:i])
	for i < len(text) {
		w, capitals, kind := scanWord(text, i)
		i = w.end
		for i < len(text) && !wordByte(text[i]) {
			i++
		}
		o.words, o.heads = append(o.words, w), append(o.heads, text[w.start])
		word := text[w.start:w.end]
		before := len(fold)
		if before > foldStart {
			fold = append(fold, ' ')
		}
		switch kind {
		case maskedWord:
			shape = binary.AppendUvarint(append(shape, numerals[maskedWord]), capitals)
			kind = lowerWord
		case literalWord:
			beyond = true
			shape = appendString(append(shape, numerals[literalWord]), word)
			kind = lowerWord
			from := len(fold)
			if fold = fulltext.AppendFold(fold, word); len(fold) == from {
				fold = fold[:before]
			}
			word = ""
		}
		for j := range len(word) {
			c := word[j]
			if c-'A' < 26 {
				c |= 0x20
			}
			fold = append(fold, c)
		}
		shape = appendSeparator(shape, kind, text[w.end:i])
	}
	shape = append(shape, numerals[endOfShape])
	if beyond && string(fold[foldStart:]) != fulltext.Fold(text) {
		return fold, shape, false
	}
	return fold, shape, len(fold) > foldStart
}

// scanWord returns the word at i, where its capitals are, and how it is written.
func scanWord(text string, i int) (w span, capitals uint64, kind int) {
	w.start = i
	letters, beyond := 0, false
	for ; i < len(text); i++ {
		c := text[i]
		if c >= 0x80 {
			beyond = true
		} else if c|0x20-'a' < 26 {
			letters++
			if c < 'a' {
				capitals |= 1 << min(i-w.start, 63)
			}
		} else if c-'0' > 9 {
			break
		}
	}
	w.end = i
	switch {
	case beyond, w.end-w.start > 63 && capitals != 0:
		kind = literalWord
	case capitals == 0:
		kind = lowerWord
	case capitals == 1:
		kind = capitalWord
	case bits.OnesCount64(capitals) == letters:
		kind = upperWord
	default:
		kind = maskedWord
	}
	return w, capitals, kind
}

func appendSeparator(shape []byte, kind int, s string) []byte {
	for i := range separators {
		if separators[i] == s {
			return append(shape, numerals[kind*len(separators)+i])
		}
	}
	return appendString(append(shape, numerals[otherSeparator+kind]), s)
}

// paste is cut's reverse: it reads a shape and rebuilds the text of the folded words in fold.
func (o *original) paste(r *packedReader, fold string) {
	o.words = o.words[:0]
	buf := append([]byte(nil), r.text()...)
	next := func() string {
		var word string
		word, fold, _ = strings.Cut(fold, " ")
		return word
	}
	for r.err == nil {
		code := r.numeral()
		start := len(buf)
		switch code {
		case endOfShape:
			o.text = string(buf)
			return
		case maskedWord:
			capitals := r.uvarint()
			buf = append(buf, next()...)
			for b := buf[start:]; capitals != 0; capitals &= capitals - 1 {
				if i := bits.TrailingZeros64(capitals); i < len(b) {
					b[i] -= 'a' - 'A'
				}
			}
			code = r.numeral()
		case literalWord:
			word := string(r.text())
			buf = append(buf, word...)
			if folded := fulltext.Fold(word); folded != "" {
				for range strings.Count(folded, " ") + 1 {
					next()
				}
			}
			code = r.numeral()
		default:
			buf = append(buf, next()...)
		}
		kind, sep := code/len(separators), ""
		switch {
		case code >= maskedWord:
			r.fail()
		case code >= otherSeparator:
			kind, sep = code-otherSeparator, string(r.text())
		default:
			sep = separators[code%len(separators)]
		}
		switch b := buf[start:]; {
		case len(b) == 0:
		case kind == capitalWord:
			b[0] -= 'a' - 'A'
		case kind == upperWord:
			for i, c := range b {
				if c-'a' < 26 {
					b[i] -= 'a' - 'A'
				}
			}
		}
		o.words = append(o.words, span{start, len(buf)})
		buf = append(buf, sep...)
	}
}

// place is where a text stands in an original: from bytes before its word first to bytes behind its word first+more;
// behind is negative when it ends within that word.
type place struct{ first, more, before, behind int }

// maxTries bounds at how many words find compares: lines of one repeated word would take the square of their length.
const maxTries = 128

// find looks for s at the beginning of a word. whole reports that it ends no word in the middle: then the folded
// original holds its words side by side.
func (o *original) find(s string) (p place, whole, ok bool) {
	k := 0
	for k < len(s) && !wordByte(s[k]) {
		k++
	}
	if k == len(s) {
		return p, false, false
	}
	for i, tries := 0, 0; ; i++ {
		n := bytes.IndexByte(o.heads[i:], s[k])
		if tries++; n < 0 || tries > maxTries {
			return p, false, ok
		}
		i += n
		start := o.words[i].start - k
		if start < 0 || len(o.text)-start < len(s) || o.text[start:start+len(s)] != s {
			continue
		}
		j, end := i, start+len(s)
		for j+1 < len(o.words) && o.words[j+1].start < end {
			j++
		}
		at := place{i, j - i, k, end - o.words[j].end}
		if at.behind >= 0 {
			return at, true, true
		}
		if !ok && len(s) > 8 {
			p, ok = at, true
		}
	}
}

// at returns the text of a place, "" when there is none.
func (o *original) at(p place) string {
	if p.first < 0 || p.more < 0 || p.first+p.more >= len(o.words) || p.first+p.more < p.first {
		return ""
	}
	start, end := o.words[p.first].start-p.before, o.words[p.first+p.more].end+p.behind
	if start < 0 || end < start || end > len(o.text) {
		return ""
	}
	return o.text[start:end]
}
