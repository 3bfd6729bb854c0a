// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package kql

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/haidang-soc/haidang/internal/event"
)

// Limits of a query.
const (
	MaxLength = 16 << 10 // bytes, also of the canonical form
	MaxDepth  = 64       // nested parentheses
	maxField  = 256      // bytes of a field name
)

// Error says what is wrong with a query and where.
type Error struct {
	Query        string
	Line, Column int // of the character, from 1
	Msg          string
}

// Error is "line:column: what was expected".
func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Msg) }

// Caret renders the line of the query with a caret under the character.
func (e *Error) Caret() string {
	lines := strings.Split(e.Query, "\n")
	if e.Line > len(lines) {
		return ""
	}
	line := strings.TrimSuffix(lines[e.Line-1], "\r")
	var pad strings.Builder
	n := 1
	for _, r := range line {
		if n >= e.Column {
			break
		}
		n++
		switch {
		case r == '\t':
			pad.WriteByte('\t')
		case unicode.Is(unicode.Mn, r):
		default:
			pad.WriteByte(' ')
		}
	}
	return line + "\n" + pad.String() + "^"
}

// Parse reads a query; the empty query is [Everything]. An error is always an *[Error].
func Parse(query string) (*Expr, error) {
	p := &parser{query: query}
	e, err := p.parse()
	if err != nil {
		return nil, err
	}
	if len(e.String()) > MaxLength {
		return nil, p.errorAt(0, "the query is too long")
	}
	return e, nil
}

// MustParse is Parse for constants: it panics on an error.
func MustParse(query string) *Expr {
	e, err := Parse(query)
	if err != nil {
		panic("kql: " + query + ": " + err.Error())
	}
	return e
}

type parser struct {
	query string
	tok   lexeme
	next  int // where the lexeme after tok begins
	depth int
}

func (p *parser) parse() (*Expr, error) {
	if len(p.query) > MaxLength {
		return nil, p.errorAt(0, "the query is longer than %d bytes", MaxLength)
	}
	if i := invalidUTF8(p.query); i >= 0 {
		return nil, p.errorAt(i, "this is not UTF-8")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind == lexEnd {
		return Everything(), nil
	}
	e, err := p.or(nil)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != lexEnd {
		return nil, p.expected(`"and", "or" or the end`)
	}
	return e, nil
}

func invalidUTF8(s string) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// or, and, not read an expression; field is nil, or the field of the list of values that is being read.
func (p *parser) or(field Pattern) (*Expr, error) {
	e, err := p.and(field)
	if err != nil || p.tok.kind != lexOr {
		return e, err
	}
	args := []*Expr{e}
	for p.tok.kind == lexOr {
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.and(field)
		if err != nil {
			return nil, err
		}
		args = append(args, e)
	}
	return AnyOf(args...), nil
}

func (p *parser) and(field Pattern) (*Expr, error) {
	e, err := p.not(field)
	if err != nil || p.tok.kind != lexAnd {
		return e, err
	}
	args := []*Expr{e}
	for p.tok.kind == lexAnd {
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.not(field)
		if err != nil {
			return nil, err
		}
		args = append(args, e)
	}
	return AllOf(args...), nil
}

func (p *parser) not(field Pattern) (*Expr, error) {
	negate := false
	for p.tok.kind == lexNot {
		negate = !negate
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	e, err := p.primary(field)
	if err != nil || !negate {
		return e, err
	}
	return Negate(e), nil
}

func (p *parser) primary(field Pattern) (*Expr, error) {
	switch p.tok.kind {
	case lexOpen:
		return p.parenthesis(field)
	case lexWord, lexQuoted:
		if field != nil {
			return p.value(field)
		}
		return p.clause()
	case lexOther:
		return nil, p.errorAt(p.tok.at, "nested fields in braces are not supported: write field.name: value")
	}
	if field != nil {
		return nil, p.expected("a value")
	}
	return nil, p.expected(`a field, a word or "("`)
}

func (p *parser) parenthesis(field Pattern) (*Expr, error) {
	open := p.tok.at
	if p.depth++; p.depth > MaxDepth {
		return nil, p.errorAt(open, "more than %d nested parentheses", MaxDepth)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.or(field)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != lexClose {
		line, col := p.place(open)
		return nil, p.expected(fmt.Sprintf(`"and", "or" or the ")" of %d:%d`, line, col))
	}
	p.depth--
	return e, p.advance()
}

// clause reads `field: value`, `field > value` or full text.
func (p *parser) clause() (*Expr, error) {
	first := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch p.tok.kind {
	case lexColon, lexCompare:
		field := first.word.normal()
		if len(strings.Join(field, "*")) > maxField {
			return nil, p.errorAt(first.at, "the name of a field is longer than %d bytes", maxField)
		}
		if len(field) == 1 && field[0] == "" {
			return nil, p.errorAt(first.at, "the name of a field is empty")
		}
		op := p.tok
		if err := p.advance(); err != nil {
			return nil, err
		}
		if op.kind == lexCompare {
			return p.comparison(field, op.op)
		}
		switch p.tok.kind {
		case lexOpen:
			return p.parenthesis(field)
		case lexCompare:
			return nil, p.errorAt(p.tok.at, `expected a value: a comparison is written without ":"`)
		case lexOther:
			return nil, p.errorAt(p.tok.at, "nested fields in braces are not supported: write field.name: value")
		}
		return p.value(field)
	}
	if first.kind == lexQuoted {
		return &Expr{Op: Text, Value: newValue([]Pattern{first.word.normal()}, true)}, nil
	}
	words, err := p.words([]Pattern{first.word.normal()}, true)
	if err != nil {
		return nil, err
	}
	if len(words) == 1 && words[0].onlyStars() {
		return Everything(), nil
	}
	return &Expr{Op: Text, Value: newValue(words, false)}, nil
}

// words reads the unquoted words that follow the ones given. In full text a word before a ":" is a field.
func (p *parser) words(words []Pattern, text bool) ([]Pattern, error) {
	for p.tok.kind == lexWord {
		at, word := p.tok.at, p.tok.word.normal()
		if err := p.advance(); err != nil {
			return nil, err
		}
		if text && (p.tok.kind == lexColon || p.tok.kind == lexCompare) {
			return nil, p.errorAt(at, `expected "and" or "or" before the field`)
		}
		words = append(words, word)
	}
	return words, nil
}

// value reads the value of `field: value`, or one of a list.
func (p *parser) value(field Pattern) (*Expr, error) {
	at := p.tok.at
	switch p.tok.kind {
	case lexQuoted:
		v := newValue([]Pattern{p.tok.word.normal()}, true)
		if err := p.checkValue(Is, field, &v, at); err != nil {
			return nil, err
		}
		return &Expr{Op: Is, Field: field, Value: v}, p.advance()
	case lexWord:
		words, err := p.words(nil, false)
		if err != nil {
			return nil, err
		}
		if p.tok.kind == lexColon {
			return nil, p.errorAt(p.tok.at, `expected "and" or "or": write a ":" inside a value as \: or quote the value`)
		}
		if len(words) == 1 && words[0].onlyStars() {
			return &Expr{Op: Exists, Field: field}, nil
		}
		v := newValue(words, false)
		return &Expr{Op: Is, Field: field, Value: v}, p.checkValue(Is, field, &v, at)
	}
	return nil, p.expected("a value")
}

func (p *parser) comparison(field Pattern, op Op) (*Expr, error) {
	at, quoted := p.tok.at, p.tok.kind == lexQuoted
	if p.tok.kind != lexWord && !quoted {
		return nil, p.expected("a number, an address, a time or a text")
	}
	e := &Expr{Op: op, Field: field, Value: newValue([]Pattern{p.tok.word.normal()}, quoted)}
	if e.Value.whole.Wildcard() {
		return nil, p.errorAt(at, "a comparison takes no wildcard")
	}
	if err := p.checkValue(op, field, &e.Value, at); err != nil {
		return nil, err
	}
	return e, p.advance()
}

// checkValue refuses what could match nothing because a field of fields.lock has another type: a person would take the
// empty answer for the truth.
func (p *parser) checkValue(op Op, field Pattern, v *Value, at int) error {
	if field.Wildcard() || v.whole.Wildcard() {
		return nil
	}
	id, ok := event.Lookup(field[0])
	if !ok {
		return nil
	}
	switch id.Type() {
	case event.Time:
		if !v.time.ok {
			return p.errorAt(at, "expected a time such as 2026-11-29 or \"2026-11-29T09:10:30+07:00\" (UTC without a zone)")
		}
	case event.IP:
		if !v.prefix.IsValid() {
			return p.errorAt(at, "expected an address, a CIDR or a wildcard")
		}
		if op != Is && !v.prefix.IsSingleIP() {
			return p.errorAt(at, "expected an address: a CIDR is written %s: %s", field[0], v.whole[0])
		}
	case event.Int, event.Float:
		if op != Is && !v.num.ok {
			return p.errorAt(at, "expected a number")
		}
	}
	return nil
}

func (p *parser) advance() (err error) {
	p.tok, p.next, err = p.lex(p.next)
	return err
}

func (p *parser) expected(what string) error {
	found := "the end"
	if p.tok.kind != lexEnd {
		found = p.query[p.tok.at:p.next]
		if r := []rune(found); len(r) > 20 {
			found = string(r[:20]) + "…"
		}
	}
	return p.errorAt(p.tok.at, "expected %s, found %s", what, found)
}

// place is the line and the character of an offset, both from 1.
func (p *parser) place(at int) (line, col int) {
	before := p.query[:at]
	line = 1 + strings.Count(before, "\n")
	return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}

func (p *parser) errorAt(at int, format string, args ...any) error {
	line, col := p.place(at)
	return &Error{Query: p.query, Line: line, Column: col, Msg: fmt.Sprintf(format, args...)}
}
