// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package kql

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event/fulltext"
)

// Pattern is text with wildcards: the pieces between the stars. One piece is plain text.
type Pattern []string

// Wildcard reports whether the pattern has a star.
func (p Pattern) Wildcard() bool { return len(p) > 1 }

// Match reports whether the whole of s matches. Linear in s for each piece.
func (p Pattern) Match(s string) bool {
	if len(p) == 1 {
		return s == p[0]
	}
	first, last := p[0], p[len(p)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, piece := range p[1 : len(p)-1] {
		i := strings.Index(s, piece)
		if i < 0 {
			return false
		}
		s = s[i+len(piece):]
	}
	return true
}

func (p Pattern) onlyStars() bool {
	return len(p) > 1 && !slices.ContainsFunc(p, func(s string) bool { return s != "" })
}

// normal returns the pattern in NFC with runs of stars made one.
func (p Pattern) normal() Pattern {
	q := make(Pattern, 0, len(p))
	for i, s := range p {
		if s == "" && i > 0 && i < len(p)-1 {
			continue
		}
		q = append(q, fulltext.NFC(s))
	}
	return q
}

func literalPattern(s string) Pattern { return Pattern{fulltext.NFC(s)} }

// Value is what a query compares with. All its readings (text, number, address, time) are made once, by Parse.
type Value struct {
	Words  []Pattern // unquoted: separated by white space; quoted: one word, which may hold spaces
	Quoted bool

	whole  Pattern   // the words joined by one space
	groups [][]token // full text: every group must occur, the tokens of one group side by side
	num    number
	prefix netip.Prefix // an address or a CIDR; invalid if neither
	time   span
}

// number is a literal read as a number.
type number struct {
	ok, integral bool
	i            int64
	f            float64
}

// span is a literal read as a time: a day, a minute or a nanosecond, half-open, unix ns.
type span struct {
	ok     bool
	lo, hi int64
}

func quotedValue(s string) Value {
	return newValue([]Pattern{literalPattern(s)}, true)
}

func newValue(words []Pattern, quoted bool) Value {
	v := Value{Words: words, Quoted: quoted}
	v.whole = slices.Clone(words[0])
	for _, w := range words[1:] {
		last := len(v.whole) - 1
		v.whole[last] += " " + w[0]
		v.whole = append(v.whole, w[1:]...)
	}
	for _, w := range words {
		if g := patternTokens(w); len(g) > 0 {
			v.groups = append(v.groups, g)
		}
	}
	if v.whole.Wildcard() {
		return v
	}
	text := v.whole[0]
	v.num = readNumber(text)
	v.prefix = readPrefix(text)
	v.time = readTime(text)
	return v
}

// Pattern is the value as one text with wildcards.
func (v *Value) Pattern() Pattern { return v.whole }

// Plain returns the text of a value without wildcards.
func (v *Value) Plain() (string, bool) {
	if v.whole.Wildcard() {
		return "", false
	}
	return v.whole[0], true
}

// Int returns the value as an integer.
func (v *Value) Int() (int64, bool) { return v.num.i, v.num.ok && v.num.integral }

// Float returns the value as a number.
func (v *Value) Float() (float64, bool) { return v.num.f, v.num.ok }

// Prefix returns the value as an address (a prefix of one) or a CIDR.
func (v *Value) Prefix() (netip.Prefix, bool) { return v.prefix, v.prefix.IsValid() }

// Time returns the half-open interval that the value names, unix ns: "2026-03-04" is a day. Without a zone it is UTC.
func (v *Value) Time() (lo, hi int64, ok bool) { return v.time.lo, v.time.hi, v.time.ok }

func readNumber(s string) number {
	if s == "" || len(s) > 40 || strings.Trim(s, "0123456789+-.eE") != "" {
		return number{}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return number{}
	}
	n := number{ok: true, f: f}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		n.integral, n.i = true, i
	} else if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		n.integral, n.i = true, int64(f)
	}
	return n
}

func readPrefix(s string) netip.Prefix {
	if len(s) > 50 || !strings.ContainsAny(s, ".:") {
		return netip.Prefix{}
	}
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// readTime reads RFC 3339 and its truncations.
func readTime(s string) span {
	if len(s) < 4 || len(s) > 40 || s[0] < '0' || s[0] > '9' {
		return span{}
	}
	for _, f := range []struct {
		layout string
		y, m   int
		d      time.Duration
	}{
		{"2006", 1, 0, 0}, {"2006-01", 0, 1, 0}, {"2006-01-02", 0, 0, 24 * time.Hour},
		{"2006-01-02T15:04Z07:00", 0, 0, time.Minute}, {"2006-01-02T15:04", 0, 0, time.Minute},
		{"2006-01-02 15:04", 0, 0, time.Minute},
		{"2006-01-02T15:04:05Z07:00", 0, 0, time.Second}, {"2006-01-02T15:04:05", 0, 0, time.Second},
		{"2006-01-02 15:04:05", 0, 0, time.Second},
	} {
		t, err := time.Parse(f.layout, s)
		if err != nil || t.Year() < 1678 || t.Year() > 2261 {
			continue
		}
		hi := t.AddDate(f.y, f.m, 0).Add(f.d)
		if f.d == time.Second {
			hi = t.Add(fraction(s))
		}
		return span{true, t.UnixNano(), hi.UnixNano()}
	}
	return span{}
}

// fraction is how long the second, or the part of it that s names, is.
func fraction(s string) time.Duration {
	i := strings.IndexAny(s, ".,")
	d := time.Second
	if i < 0 {
		return d
	}
	for _, c := range s[i+1:] {
		if c < '0' || c > '9' || d == 1 {
			break
		}
		d /= 10
	}
	return d
}

func (v *Value) print(b *strings.Builder) {
	if v.Quoted {
		printQuoted(b, v.whole[0])
		return
	}
	for i, w := range v.Words {
		if i > 0 {
			b.WriteByte(' ')
		}
		w.print(b)
	}
}

func printQuoted(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

// print writes a word so that the lexer reads it as one.
func (p Pattern) print(b *strings.Builder) {
	if len(p) == 1 {
		switch strings.ToLower(p[0]) {
		case "and", "or":
			b.WriteString(`\` + p[0])
			return
		case "not": // \n would be a line feed
			b.WriteString(p[0][:1] + `\` + p[0][1:])
			return
		}
	}
	for i, piece := range p {
		if i > 0 {
			b.WriteByte('*')
		}
		for _, r := range piece {
			switch {
			case r == '\n':
				b.WriteString(`\n`)
			case r == '\r':
				b.WriteString(`\r`)
			case r == '\t':
				b.WriteString(`\t`)
			case isSpecial(r) || r == '*' || isSpace(r):
				b.WriteByte('\\')
				b.WriteRune(r)
			default:
				b.WriteRune(r)
			}
		}
	}
}
