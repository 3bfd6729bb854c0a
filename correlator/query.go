// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/event"
)

const maxQuery = 4 << 10

// query is the KQL that lists an alert's events: rule, group and interval.
func (e *Engine) query(ep *episode) string {
	var b strings.Builder
	m := e.meta(ep.table)
	for i, v := range splitKey(ep.g.key) {
		var list []string
		for _, f := range m.groupAt(i).fields {
			switch {
			case v == "":
				list = append(list, "not "+f+": *")
			case f == event.HaidangOrigin.Name():
				list = append(list, originQuery(v)...)
			default:
				list = append(list, f+": "+quote(v))
			}
		}
		if len(list) > 0 {
			b.WriteString(join(list, " or ") + " and ")
		}
	}
	if m.query != "" {
		b.WriteString(m.query + " and ")
	}
	at := func(ns int64) string { return quote(time.Unix(0, ns).UTC().Format(time.RFC3339Nano)) }
	b.WriteString("@timestamp >= " + at(ep.a.First) + " and @timestamp <= " + at(ep.a.Last))
	return b.String()
}

// originQuery finds the events of an origin, whichever field names it.
func originQuery(name string) []string {
	list := []string{event.HaidangOrigin.Name() + ": " + quote(name)}
	addr, host, relayed := strings.Cut(name, " ")
	switch _, err := netip.ParseAddr(addr); {
	case err != nil:
		return append(list, event.AgentID.Name()+": "+quote(name))
	case relayed:
		return append(list, "("+event.ObserverIP.Name()+": "+quote(addr)+" and "+event.HostName.Name()+": "+quote(host)+")")
	}
	return append(list, event.ObserverIP.Name()+": "+quote(addr))
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

// said is a part of a rule in KQL. What KQL cannot say is widened, at worst to "", which is everything; then it is not
// exact, and its negation cannot be said at all.
type said struct {
	q     string
	exact bool
}

func not(s said) said {
	if !s.exact || s.q == "" {
		return said{}
	}
	return said{"not " + s.q, true}
}

// all joins parts that must all hold: one that cannot be said is left out.
func all(parts []said) said {
	out := said{exact: true}
	var list []string
	for _, p := range parts {
		out.exact = out.exact && p.exact
		if p.q != "" {
			list = append(list, p.q)
		}
	}
	if len(list) > 0 {
		out.q = join(list, " and ")
	}
	return out
}

// either joins parts of which one must hold: one that cannot be said makes the whole everything.
func either(parts []said) said {
	out := said{exact: true}
	var list []string
	for _, p := range parts {
		if p.q == "" {
			return said{}
		}
		out.exact = out.exact && p.exact
		list = append(list, p.q)
	}
	if len(list) > 0 {
		out.q = join(list, " or ")
	}
	return out
}

// ruleQuery says in KQL what a detection matches, or more; "" where that would be everything. The log source is left
// out: the fields of its events say it again.
func ruleQuery(r *sigma.Rule, name func(field string) string) string {
	var any []said
	for _, c := range r.Conditions {
		any = append(any, nodeQuery(r, c.Root, name))
	}
	if q := either(any).q; len(q) <= maxQuery {
		return q
	}
	return ""
}

func nodeQuery(r *sigma.Rule, n *sigma.Node, name func(string) string) said {
	var parts []said
	switch n.Op {
	case sigma.NodeRef, sigma.NodeOneOf, sigma.NodeAllOf:
		for _, d := range r.Select(n) {
			parts = append(parts, detectionQuery(d, name))
		}
	default:
		for _, c := range n.Nodes {
			parts = append(parts, nodeQuery(r, c, name))
		}
	}
	switch n.Op {
	case sigma.NodeNot:
		return not(all(parts))
	case sigma.NodeOr, sigma.NodeOneOf:
		return either(parts)
	}
	return all(parts)
}

func detectionQuery(d *sigma.Detection, name func(string) string) said {
	var any []said
	for _, g := range d.Any {
		var items []said
		for i := range g.All {
			items = append(items, itemQuery(&g.All[i], name))
		}
		any = append(any, all(items))
	}
	return either(any)
}

func itemQuery(it *sigma.Item, name func(string) string) said {
	field := ""
	if it.Field != "" {
		if field = name(it.Field); field == "" {
			return said{}
		}
	}
	var values []said
	for _, v := range it.Values {
		var any []said
		for i := range v.Atoms {
			q := atomQuery(field, &v.Atoms[i])
			any = append(any, said{q, q != "" && !hasOne(v.Atoms[i].Pattern)})
		}
		values = append(values, either(any))
	}
	out := either(values)
	if it.All {
		out = all(values)
	}
	if it.Negate {
		return not(out)
	}
	return out
}

// hasOne reports whether a pattern has a ?, which is widened to *.
func hasOne(p sigma.Pattern) bool {
	return slices.ContainsFunc(p, func(x sigma.Part) bool { return x.Wildcard == sigma.AnyOne })
}

func atomQuery(field string, a *sigma.Atom) string {
	is := ""
	if field != "" {
		is = field + ": "
	}
	switch a.Kind {
	case sigma.AtomText:
		if s, ok := a.Pattern.Plain(); ok {
			if s == "" || !askable(field, s) {
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

// askable reports whether a field can have a text at all: an address field has addresses.
func askable(field, text string) bool {
	if id, ok := event.Lookup(field); !ok || id.Type() != event.IP {
		return true
	}
	_, err := netip.ParseAddr(text)
	return err == nil
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
