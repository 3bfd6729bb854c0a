// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "strings"

// Wildcard is what a Part stands for.
type Wildcard uint8

// The wildcards: a literal text, any one character, any number of characters.
const (
	Literal Wildcard = iota
	AnyOne
	AnyMany
)

// Part is one piece of a pattern.
type Part struct {
	Wildcard Wildcard
	Text     string // of a Literal, never empty
}

// Pattern is a text with wildcards, matched against a whole value. Two literals never follow each other, nor do two
// AnyMany. The empty pattern matches the empty value.
type Pattern []Part

// ParsePattern reads the wildcard notation of Sigma: `*` and `?` are wildcards; `\*`, `\?` and `\\` are plain
// characters; a backslash before anything else is itself.
func ParsePattern(s string) Pattern {
	var p Pattern
	var lit strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`*?\`, s[i+1]) >= 0:
			i++
			lit.WriteByte(s[i])
		case c == '*' || c == '?':
			p = p.text(lit.String())
			lit.Reset()
			if c == '*' {
				p = p.many()
			} else {
				p = append(p, Part{Wildcard: AnyOne})
			}
		default:
			lit.WriteByte(c)
		}
	}
	return p.text(lit.String())
}

// Text returns the pattern of a plain text, in which nothing is a wildcard.
func Text(s string) Pattern { return Pattern(nil).text(s) }

// Plain returns the text of a pattern without wildcards.
func (p Pattern) Plain() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) == 1 && p[0].Wildcard == Literal:
		return p[0].Text, true
	default:
		return "", false
	}
}

// String returns the pattern in Sigma's notation; ParsePattern reads it back.
func (p Pattern) String() string {
	var b strings.Builder
	for _, part := range p {
		switch part.Wildcard {
		case AnyOne:
			b.WriteByte('?')
		case AnyMany:
			b.WriteByte('*')
		default:
			for i := range len(part.Text) {
				if strings.IndexByte(`*?\`, part.Text[i]) >= 0 {
					b.WriteByte('\\')
				}
				b.WriteByte(part.Text[i])
			}
		}
	}
	return b.String()
}

func (p Pattern) text(s string) Pattern {
	if s == "" {
		return p
	}
	if n := len(p); n > 0 && p[n-1].Wildcard == Literal {
		q := append(Pattern(nil), p...)
		q[n-1].Text += s
		return q
	}
	return append(p, Part{Text: s})
}

func (p Pattern) many() Pattern {
	if n := len(p); n > 0 && p[n-1].Wildcard == AnyMany {
		return p
	}
	return append(p, Part{Wildcard: AnyMany})
}
