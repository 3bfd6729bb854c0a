// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// modifierWindash lets every dash or slash that starts a word stand for any of the five characters that Windows
// programs take before an option: all combinations are alternatives.
func modifierWindash(b *itemBuilder) error {
	return b.each(func(p Pattern) ([]Pattern, error) {
		out := []Pattern{nil}
		for _, part := range p {
			var more []Pattern
			for _, text := range windashTexts(part) {
				for _, have := range out {
					next := append(Pattern(nil), have...)
					if part.Wildcard == Literal {
						next = next.text(text)
					} else {
						next = append(next, part)
					}
					more = append(more, next)
				}
				if len(more) > MaxAtoms {
					return nil, fmt.Errorf("makes more than %d alternatives of %q", MaxAtoms, oneLine(p.String()))
				}
			}
			out = more
		}
		return out, nil
	})
}

// windashTexts returns the combinations of one literal, the text itself among them; at most MaxAtoms+1 of them.
func windashTexts(part Part) []string {
	if part.Wildcard != Literal {
		return []string{""}
	}
	out := []string{""}
	word := false // whether the rune before was part of a word
	for i, r := range part.Text {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size = utf8.DecodeRuneInString(part.Text[i:])
		}
		next, _ := utf8.DecodeRuneInString(part.Text[i+size:])
		choices := []string{part.Text[i : i+size]}
		if isDash(r) && !word && isWord(next) {
			choices = []string{"-", "/", "\u2013", "\u2014", "\u2015"}
		}
		word = isWord(r)
		more := make([]string, 0, len(out)*len(choices))
		for _, have := range out {
			for _, c := range choices {
				more = append(more, have+c)
			}
		}
		if out = more; len(out) > MaxAtoms {
			return out
		}
	}
	return out
}

func isDash(r rune) bool {
	switch r {
	case 0x2d, 0x2f, 0x2013, 0x2014, 0x2015:
		return true
	}
	return false
}

func isWord(r rune) bool { return r == 0x5f || unicode.IsLetter(r) || unicode.IsDigit(r) }
