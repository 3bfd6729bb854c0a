// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/event/fulltext"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// filter is a query in the library's language. It finds every regular row that the query means; when exact, no other.
type filter struct {
	text  string
	exact bool
}

const (
	everything = "*"
	nothing    = "!*"
)

var unknown = filter{everything, false}

// searchFilter finds every row that may match: the regular ones by their columns, the odd ones by their full text.
func (enc *encoder) searchFilter(e *kql.Expr) string {
	f := enc.translate(e)
	if f.text == everything {
		return everything
	}
	return "(" + f.text + ") or " + enc.oddFilter(e)
}

// oddFilter finds every odd row that may match.
func (enc *encoder) oddFilter(e *kql.Expr) string {
	cold := encoder{} // without columns
	odd := quote(colOdd)
	switch f := cold.translate(e); f.text {
	case everything:
		return "(" + odd + ":*)"
	case nothing:
		return "(" + odd + ":=" + oddText + ")"
	default:
		return "(" + odd + ":* (" + odd + ":=" + oddText + " or (" + f.text + ")))"
	}
}

func quote(s string) string { return strconv.Quote(s) }

// translate turns a query into a filter on the columns.
func (enc *encoder) translate(e *kql.Expr) filter {
	switch e.Op {
	case kql.All:
		return filter{everything, true}
	case kql.Not:
		f := enc.translate(e.Args[0])
		switch {
		case !f.exact:
			return unknown
		case f.text == everything:
			return filter{nothing, true}
		case f.text == nothing:
			return filter{everything, true}
		}
		return filter{"!(" + f.text + ")", true}
	case kql.And:
		return enc.and(e.Args)
	case kql.Or:
		return enc.or(e.Args)
	case kql.Text:
		return textFilter(&e.Value)
	}
	return enc.field(e)
}

func (enc *encoder) and(args []*kql.Expr) filter {
	var texts []string
	exact := true
	for _, a := range args {
		f := enc.translate(a)
		exact = exact && f.exact
		if f.text == nothing {
			return filter{nothing, true}
		}
		if f.text != everything {
			texts = append(texts, "("+f.text+")")
		}
	}
	if len(texts) == 0 {
		return filter{everything, exact}
	}
	return filter{strings.Join(texts, " "), exact}
}

func (enc *encoder) or(args []*kql.Expr) filter {
	var texts []string
	exact := true
	for _, a := range args {
		f := enc.translate(a)
		exact = exact && f.exact
		if f.text == everything {
			return f
		}
		if f.text != nothing {
			texts = append(texts, "("+f.text+")")
		}
	}
	if len(texts) == 0 {
		return filter{nothing, exact}
	}
	return filter{strings.Join(texts, " or "), exact}
}

// textFilter looks for the tokens of a value in haidang.text.
func textFilter(v *kql.Value) filter {
	groups := v.Groups()
	if len(groups) == 0 {
		return filter{nothing, true}
	}
	var texts []string
	exact := true
	for _, g := range groups {
		f := groupFilter(g)
		exact = exact && f.exact
		if f.text != everything {
			texts = append(texts, f.text)
		}
	}
	if len(texts) == 0 {
		return filter{everything, exact}
	}
	return filter{strings.Join(texts, " "), exact}
}

// groupFilter looks for tokens side by side. Runs of whole tokens are phrases; a last token that ends with its only
// star is a prefix; of any other pattern the longest piece must be there.
func groupFilter(g []kql.Word) filter {
	var texts, run []string
	exact := true
	flush := func(suffix string) {
		if len(run) > 0 {
			texts = append(texts, quote(colText)+":"+quote(strings.Join(run, " "))+suffix)
		}
		run = nil
	}
	for i, w := range g {
		exact = exact && !w.Marked
		switch p := w.Pieces; {
		case !p.Wildcard():
			run = append(run, p[0])
			continue
		case len(p) == 2 && p[1] == "" && p[0] != "" && i == len(g)-1:
			run = append(run, p[0])
			flush("*")
			continue
		default:
			flush("")
			exact = false
			longest := ""
			for _, piece := range p {
				if len(piece) > len(longest) {
					longest = piece
				}
			}
			if longest != "" {
				texts = append(texts, quote(colText)+":*"+quote(longest)+"*")
			}
		}
	}
	flush("")
	if len(texts) == 0 {
		return filter{everything, exact}
	}
	return filter{strings.Join(texts, " "), exact}
}

func (enc *encoder) field(e *kql.Expr) filter {
	if e.Field.Wildcard() {
		if e.Op == kql.Is {
			return coldFilter(e)
		}
		return unknown
	}
	name := e.Field[0]
	switch name {
	case kql.IDField:
		if s, ok := e.Value.Plain(); ok && e.Op == kql.Is && s != "" {
			return filter{quote(colID) + ":=" + quote(s), true}
		}
		return unknown
	case colText:
		if e.Op == kql.Is {
			return textFilter(&e.Value)
		}
		return unknown
	}
	id, ok := event.Lookup(name)
	if !ok {
		return unknown // a name may be registered between here and the match
	}
	if i, hot := enc.index[id]; hot {
		return hotFilter(&enc.cols[i], e)
	}
	switch {
	case id == event.Timestamp:
		return timeFilter(e)
	case e.Op == kql.Is && kql.IsText(id):
		f := textFilter(&e.Value)
		if f.text == nothing {
			return f
		}
		return filter{f.text, false}
	case e.Op == kql.Is:
		return coldFilter(e)
	}
	return unknown
}

// timeFilter compares with @timestamp, which every row has.
func timeFilter(e *kql.Expr) filter {
	if e.Op == kql.Exists {
		return filter{everything, true}
	}
	lo, hi, ok := e.Value.Time()
	if !ok {
		return unknown
	}
	at := func(t int64) string { return time.Unix(0, t).UTC().Format("2006-01-02T15:04:05.000000000Z") }
	switch e.Op {
	case kql.Is:
		return filter{"_time:[" + at(lo) + "," + at(hi) + ")", true}
	case kql.Less:
		return filter{"_time:<" + at(lo), true}
	case kql.LessEq:
		return filter{"_time:<" + at(hi), true}
	case kql.Greater:
		return filter{"_time:>=" + at(hi), true}
	}
	return filter{"_time:>=" + at(lo), true}
}

// coldFilter looks in the full text for the tokens that a field without a column must have. Only texts and addresses
// are in the full text, so nothing that may be a number, a truth or a time helps.
func coldFilter(e *kql.Expr) filter {
	s, plain := e.Value.Plain()
	if !plain || s == "true" || s == "false" {
		return unknown
	}
	if _, ok := e.Value.Float(); ok {
		return unknown
	}
	if _, _, ok := e.Value.Time(); ok {
		return unknown
	}
	folded := fulltext.Fold(s)
	if folded == "" {
		return unknown
	}
	text := quote(colText) + ":" + quote(folded)
	if groups := e.Value.Groups(); len(groups) > 1 && e.Field.Wildcard() {
		text = textFilter(&e.Value).text // the field may be one that is compared by tokens, in any order
	}
	if p, ok := e.Value.Prefix(); ok {
		if !p.IsSingleIP() {
			return unknown
		}
		text = "(" + text + " or " + quote(colText) + ":" + quote(fulltext.Fold(p.Addr().String())) + ")"
	}
	return filter{text, false}
}

func hotFilter(c *column, e *kql.Expr) filter {
	name := quote(c.name)
	if e.Op == kql.Exists {
		return filter{name + ":*", true}
	}
	switch c.kind {
	case event.Int:
		return intFilter(name, e)
	case event.IP:
		return addrFilter(name, e)
	}
	if e.Op != kql.Is {
		return unknown
	}
	if p, ok := e.Value.Prefix(); ok && !p.IsSingleIP() {
		return unknown
	}
	if s, plain := e.Value.Plain(); plain {
		if s == "" || c.list && strings.Contains(s, separator) {
			return filter{nothing, true}
		}
		if c.list {
			return filter{name + ":*" + quote(separator+s+separator) + "*", true}
		}
		return filter{name + ":=" + quote(s), true}
	}
	return patternFilter(name, c.list, e.Value.Pattern())
}

// patternFilter matches a whole value, or one of a list, with wildcards.
func patternFilter(name string, list bool, p kql.Pattern) filter {
	var re strings.Builder
	re.WriteString("(?s)")
	begin, any, end := "^", ".*", "$"
	if list {
		begin, any, end = separator, "[^"+separator+"]*", separator
	}
	re.WriteString(begin)
	for i, piece := range p {
		if i > 0 {
			re.WriteString(any)
		}
		re.WriteString(regexp.QuoteMeta(piece))
	}
	re.WriteString(end)
	return filter{name + ":* " + name + ":~" + quote(re.String()), true}
}

func intFilter(name string, e *kql.Expr) filter {
	if e.Value.Pattern().Wildcard() {
		return patternFilter(name, false, e.Value.Pattern())
	}
	n, ok := e.Value.Int()
	if !ok || n > 1<<52 || n < -1<<52 {
		return unknown
	}
	num := strconv.FormatInt(n, 10)
	switch e.Op {
	case kql.Is:
		return filter{name + ":=" + quote(num), true}
	case kql.Less:
		return filter{name + ":<" + num, true}
	case kql.LessEq:
		return filter{name + ":<=" + num, true}
	case kql.Greater:
		return filter{name + ":>" + num, true}
	}
	return filter{name + ":>=" + num, true}
}

func addrFilter(name string, e *kql.Expr) filter {
	if e.Op != kql.Is {
		return unknown
	}
	if e.Value.Pattern().Wildcard() {
		return patternFilter(name, false, e.Value.Pattern())
	}
	p, ok := e.Value.Prefix()
	switch {
	case !ok:
		return unknown
	case p.IsSingleIP():
		return filter{name + ":=" + quote(p.Addr().String()), true}
	case p.Addr().Is4():
		return filter{name + ":ipv4_range(" + quote(p.String()) + ")", true}
	}
	// The library takes an IPv4 address for one mapped into IPv6; a network of IPv6 has none for us.
	mapped := netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff})
	return filter{name + ":ipv6_range(" + quote(p.String()) + ")", !p.Contains(mapped)}
}
