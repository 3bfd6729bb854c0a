// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/correlator/sigma"
)

const maxQuery = 4 << 10

// query is the KQL that lists an alert's events: rule, group and interval.
func (e *Engine) query(ep *episode) string {
	var b strings.Builder
	m := e.meta(ep.table)
	for i, v := range splitKey(ep.g.key) {
		var either []string
		for _, f := range m.groupAt(i).fields {
			if v == "" {
				either = append(either, "not "+f+": *")
			} else {
				either = append(either, f+": "+quote(v))
			}
		}
		if len(either) > 0 {
			b.WriteString(join(either, " or ") + " and ")
		}
	}
	if m.query != "" {
		b.WriteString(m.query + " and ")
	}
	at := func(ns int64) string { return quote(time.Unix(0, ns).UTC().Format(time.RFC3339Nano)) }
	b.WriteString("@timestamp >= " + at(ep.a.First) + " and @timestamp <= " + at(ep.a.Last))
	return b.String()
}

// quote writes a text as a KQL phrase.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ", "\r", " ", "\t", " ").Replace(s) + `"`
}

// join puts a list into parentheses unless it has one member.
func join(list []string, word string) string {
	if len(list) == 1 {
		return list[0]
	}
	return "(" + strings.Join(list, word) + ")"
}

// ruleQuery says in KQL what a detection matches; "" where KQL cannot say it. The log source is left out: the fields
// of its events say it again.
func ruleQuery(r *sigma.Rule, name func(field string) string) string {
	var any []string
	for _, c := range r.Conditions {
		q := nodeQuery(r, c.Root, name)
		if q == "" {
			return ""
		}
		any = append(any, q)
	}
	if q := join(any, " or "); len(any) > 0 && len(q) <= maxQuery {
		return q
	}
	return ""
}

func nodeQuery(r *sigma.Rule, n *sigma.Node, name func(string) string) string {
	var parts []string
	word := " and "
	switch n.Op {
	case sigma.NodeRef, sigma.NodeOneOf, sigma.NodeAllOf:
		if n.Op == sigma.NodeOneOf {
			word = " or "
		}
		for _, d := range r.Select(n) {
			parts = append(parts, detectionQuery(d, name))
		}
	default:
		if n.Op == sigma.NodeOr {
			word = " or "
		}
		for _, c := range n.Nodes {
			parts = append(parts, nodeQuery(r, c, name))
		}
	}
	for _, p := range parts {
		if p == "" {
			return ""
		}
	}
	if len(parts) == 0 {
		return ""
	}
	if q := join(parts, word); n.Op == sigma.NodeNot {
		return "not " + q
	} else {
		return q
	}
}

func detectionQuery(d *sigma.Detection, name func(string) string) string {
	var any []string
	for _, g := range d.Any {
		var all []string
		for i := range g.All {
			q := itemQuery(&g.All[i], name)
			if q == "" {
				return ""
			}
			all = append(all, q)
		}
		if len(all) == 0 {
			return ""
		}
		any = append(any, join(all, " and "))
	}
	if len(any) == 0 {
		return ""
	}
	return join(any, " or ")
}

func itemQuery(it *sigma.Item, name func(string) string) string {
	field := ""
	if it.Field != "" {
		field = name(it.Field)
		if field == "" {
			return ""
		}
	}
	var parts []string
	for _, v := range it.Values {
		var any []string
		for _, a := range v.Atoms {
			q := atomQuery(field, &a)
			if q == "" {
				return ""
			}
			any = append(any, q)
		}
		if len(any) == 0 {
			return ""
		}
		parts = append(parts, join(any, " or "))
	}
	if len(parts) == 0 {
		return ""
	}
	word := " or "
	if it.All {
		word = " and "
	}
	q := join(parts, word)
	if it.Negate {
		q = "not " + q
	}
	return q
}

func atomQuery(field string, a *sigma.Atom) string {
	is := ""
	if field != "" {
		is = field + ": "
	}
	switch a.Kind {
	case sigma.AtomText:
		if s, ok := a.Pattern.Plain(); ok {
			if s == "" {
				return ""
			}
			return is + quote(s)
		}
		if field == "" {
			if len(a.Pattern) == 3 && a.Pattern[0].Wildcard == sigma.AnyMany && a.Pattern[2].Wildcard == sigma.AnyMany {
				return quote(a.Pattern[1].Text)
			}
			return ""
		}
		return is + wild(a.Pattern)
	case sigma.AtomNumber:
		n := strconv.FormatFloat(a.Number, 'f', -1, 64)
		switch a.Op {
		case sigma.EQ:
			return is + n
		case sigma.NEQ:
			return "not " + is + n
		}
		op := map[sigma.Operator]string{sigma.GT: " > ", sigma.GTE: " >= ", sigma.LT: " < ", sigma.LTE: " <= "}[a.Op]
		return field + op + n
	case sigma.AtomCIDR:
		return is + quote(a.Prefix.String())
	case sigma.AtomExists:
		if a.Want {
			return is + "*"
		}
		return "not " + is + "*"
	case sigma.AtomNull:
		return "not " + is + "*"
	}
	return ""
}

// wild writes a pattern with * where KQL allows it; ? is widened to *, which lists a little more.
func wild(p sigma.Pattern) string {
	var b strings.Builder
	for _, part := range p {
		if part.Wildcard != sigma.Literal {
			if s := b.String(); !strings.HasSuffix(s, "*") || strings.HasSuffix(s, `\*`) {
				b.WriteByte('*')
			}
			continue
		}
		for _, c := range part.Text {
			if c == ' ' || strings.ContainsRune(`\():<>"*{}`, c) {
				b.WriteByte('\\')
			}
			b.WriteRune(c)
		}
	}
	return b.String()
}
