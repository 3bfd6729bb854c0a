// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package kql

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type lexKind uint8

const (
	lexEnd lexKind = iota
	lexOpen
	lexClose
	lexColon
	lexCompare
	lexAnd
	lexOr
	lexNot
	lexWord
	lexQuoted
	lexOther // a brace
)

// lexeme is one piece of a query.
type lexeme struct {
	kind lexKind
	at   int
	op   Op      // lexCompare
	word Pattern // lexWord, lexQuoted
}

func isSpace(r rune) bool { return unicode.IsSpace(r) }

// isSpecial reports whether an unquoted word ends at r.
func isSpecial(r rune) bool { return strings.ContainsRune(`():<>"{}\`, r) }

// lex reads the lexeme at or after an offset and returns it with the offset behind it.
func (p *parser) lex(at int) (lexeme, int, error) {
	q := p.query
	for at < len(q) {
		r, n := utf8.DecodeRuneInString(q[at:])
		if !isSpace(r) {
			break
		}
		at += n
	}
	if at == len(q) {
		return lexeme{kind: lexEnd, at: at}, at, nil
	}
	one := func(k lexKind) (lexeme, int, error) { return lexeme{kind: k, at: at}, at + 1, nil }
	switch q[at] {
	case '(':
		return one(lexOpen)
	case ')':
		return one(lexClose)
	case ':':
		return one(lexColon)
	case '{', '}':
		return one(lexOther)
	case '"':
		return p.quoted(at)
	case '<', '>':
		op, end := Less, at+1
		if q[at] == '>' {
			op = Greater
		}
		if end < len(q) && q[end] == '=' {
			op, end = op+1, end+1
		}
		return lexeme{kind: lexCompare, at: at, op: op}, end, nil
	}
	return p.word(at)
}

// word reads an unquoted word; one that holds an escape is never a keyword.
func (p *parser) word(at int) (lexeme, int, error) {
	q, i := p.query, at
	pieces := Pattern{}
	var piece strings.Builder
	escaped := false
	for i < len(q) {
		r, n := utf8.DecodeRuneInString(q[i:])
		if r == '\\' {
			c, size, err := p.escape(i)
			if err != nil {
				return lexeme{}, 0, err
			}
			escaped = true
			piece.WriteRune(c)
			i += size
			continue
		}
		if isSpace(r) || isSpecial(r) {
			break
		}
		if r == '*' {
			pieces = append(pieces, piece.String())
			piece.Reset()
		} else {
			piece.WriteRune(r)
		}
		i += n
	}
	pieces = append(pieces, piece.String())
	kind := lexWord
	if !escaped {
		switch strings.ToLower(q[at:i]) {
		case "and":
			kind = lexAnd
		case "or":
			kind = lexOr
		case "not":
			kind = lexNot
		}
	}
	return lexeme{kind: kind, at: at, word: pieces}, i, nil
}

func (p *parser) quoted(at int) (lexeme, int, error) {
	q, i := p.query, at+1
	var text strings.Builder
	for i < len(q) {
		switch q[i] {
		case '"':
			return lexeme{kind: lexQuoted, at: at, word: Pattern{text.String()}}, i + 1, nil
		case '\\':
			c, size, err := p.escape(i)
			if err != nil {
				return lexeme{}, 0, err
			}
			text.WriteRune(c)
			i += size
		default:
			text.WriteByte(q[i])
			i++
		}
	}
	return lexeme{}, 0, p.errorAt(at, `expected the closing quote of this "`)
}

// escape reads a backslash and what it escapes: \t \r \n \uXXXX, and any other character stands for itself.
func (p *parser) escape(at int) (rune, int, error) {
	rest := p.query[at+1:]
	if rest == "" {
		return 0, 0, p.errorAt(at, "expected a character after the backslash")
	}
	r, n := utf8.DecodeRuneInString(rest)
	switch r {
	case 't':
		return '\t', 2, nil
	case 'r':
		return '\r', 2, nil
	case 'n':
		return '\n', 2, nil
	case 'u':
		if len(rest) < 5 {
			return 0, 0, p.errorAt(at, `expected four hexadecimal digits after \u`)
		}
		c, err := strconv.ParseUint(rest[1:5], 16, 16)
		if err != nil {
			return 0, 0, p.errorAt(at, `expected four hexadecimal digits after \u`)
		}
		if c >= 0xd800 && c < 0xe000 {
			return 0, 0, p.errorAt(at, `\u%s is half a character`, rest[1:5])
		}
		return rune(c), 6, nil
	}
	return r, 1 + n, nil
}
