// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"fmt"
	"regexp"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/event/fulltext"
)

// Compile makes a Set of rules. A rule that cannot be compiled is in the refusals and never matches; the others keep
// their index. It registers the names of the rules' fields with package event.
func Compile(rules []*sigma.Rule, m Mapping) (*Set, []Refusal) {
	c := compiler{
		set:     &Set{rules: rules, folder: newFolder()},
		mapping: m,
		fields:  map[string]int32{},
		known:   map[string]int32{},
	}
	c.set.router = newRouter(m)
	var refused []Refusal
	for i, r := range rules {
		root, err := c.rule(r)
		if err != nil {
			refused = append(refused, Refusal{Pos: r.Pos, Rule: r.Key(), Reason: err.Error()})
			root = -1
		}
		c.set.roots = append(c.set.roots, root)
		c.set.sources = append(c.set.sources, c.set.router.sourceOf(rules[i].LogSource))
	}
	c.index()
	c.tables()
	return c.set, refused
}

type compiler struct {
	set        *Set
	mapping    Mapping
	fields     map[string]int32           // logical fields by name
	known      map[string]int32           // atoms by what they compare
	detections map[*sigma.Detection]int32 // of the rule at hand
}

func (c *compiler) rule(r *sigma.Rule) (int32, error) {
	c.detections = map[*sigma.Detection]int32{}
	var roots []int32
	for i := range r.Conditions {
		n, err := c.condition(r, r.Conditions[i].Root)
		if err != nil {
			return 0, err
		}
		roots = append(roots, n)
	}
	return c.join(opOr, roots), nil
}

func (c *compiler) condition(r *sigma.Rule, n *sigma.Node) (int32, error) {
	switch n.Op {
	case sigma.NodeRef, sigma.NodeOneOf, sigma.NodeAllOf:
		var nodes []int32
		for _, d := range r.Select(n) {
			x, err := c.detection(d)
			if err != nil {
				return 0, err
			}
			nodes = append(nodes, x)
		}
		if len(nodes) == 0 {
			return 0, fmt.Errorf("condition: no detection is named %q", n.Name)
		}
		if n.Op == sigma.NodeAllOf {
			return c.join(opAnd, nodes), nil
		}
		return c.join(opOr, nodes), nil
	}
	var nodes []int32
	for _, child := range n.Nodes {
		x, err := c.condition(r, child)
		if err != nil {
			return 0, err
		}
		nodes = append(nodes, x)
	}
	switch n.Op {
	case sigma.NodeNot:
		return c.not(nodes[0]), nil
	case sigma.NodeAnd:
		return c.join(opAnd, nodes), nil
	default:
		return c.join(opOr, nodes), nil
	}
}

func (c *compiler) detection(d *sigma.Detection) (int32, error) {
	if n, ok := c.detections[d]; ok {
		return n, nil
	}
	var groups []int32
	for i := range d.Any {
		var items []int32
		for j := range d.Any[i].All {
			x, err := c.item(&d.Any[i].All[j])
			if err != nil {
				return 0, err
			}
			items = append(items, x)
		}
		groups = append(groups, c.join(opAnd, items))
	}
	n := c.join(opOr, groups)
	c.detections[d] = n
	return n, nil
}

func (c *compiler) item(it *sigma.Item) (int32, error) {
	field := int32(keywordField)
	if it.Field != "" {
		var err error
		if field, err = c.field(it.Field); err != nil {
			return 0, err
		}
	}
	var values []int32
	for i := range it.Values {
		var atoms []int32
		for j := range it.Values[i].Atoms {
			x, err := c.atom(field, &it.Values[i].Atoms[j])
			if err != nil {
				return 0, err
			}
			atoms = append(atoms, c.add(node{op: opAtom, arg: x}))
		}
		values = append(values, c.join(opOr, atoms))
	}
	op := opOr
	if it.All {
		op = opAnd
	}
	n := c.join(op, values)
	if it.Negate {
		n = c.not(n)
	}
	return n, nil
}

// field returns the logical field of a name; at least one of the names it stands for must be known to package event.
func (c *compiler) field(name string) (int32, error) {
	if f, ok := c.fields[name]; ok {
		return f, nil
	}
	l := logical{name: name}
	for _, candidate := range c.mapping.candidates(name) {
		if id, ok := event.Intern(candidate); ok {
			l.ids = append(l.ids, id)
		}
	}
	if len(l.ids) == 0 {
		return 0, fmt.Errorf("field %q: too many different field names", name)
	}
	f := int32(len(c.set.logical))
	c.set.logical = append(c.set.logical, l)
	c.fields[name] = f
	return f, nil
}

func (c *compiler) add(n node) int32 {
	c.set.nodes = append(c.set.nodes, n)
	return int32(len(c.set.nodes) - 1)
}

// join makes one node of several; the children of a small one of the same operation are taken in.
func (c *compiler) join(op nodeOp, nodes []int32) int32 {
	var flat []int32
	for _, x := range nodes {
		if n := c.set.nodes[x]; n.op == op && n.n <= 64 {
			flat = append(flat, c.set.children[n.arg:n.arg+n.n]...)
		} else {
			flat = append(flat, x)
		}
	}
	if len(flat) == 1 {
		return flat[0]
	}
	at := int32(len(c.set.children))
	c.set.children = append(c.set.children, flat...)
	return c.add(node{op: op, arg: at, n: int32(len(flat))})
}

func (c *compiler) not(x int32) int32 {
	if n := c.set.nodes[x]; n.op == opNot {
		return n.arg
	}
	return c.add(node{op: opNot, arg: x})
}

// atom returns the atom of a comparison, one for all rules that make it.
func (c *compiler) atom(field int32, a *sigma.Atom) (int32, error) {
	switch a.Kind {
	case sigma.AtomText:
		return c.text(field, a), nil
	case sigma.AtomNumber:
		return c.intern(atom{kind: atomNumber, field: field, op: a.Op, num: a.Number, pre: c.present(field)}), nil
	case sigma.AtomRegexp:
		return c.regexp(field, a.Regexp)
	case sigma.AtomCIDR:
		return c.intern(atom{kind: atomCIDR, field: field, net: a.Prefix, pre: c.present(field)}), nil
	case sigma.AtomNull:
		return c.intern(atom{kind: atomAbsent, field: field, pre: -1}), nil
	case sigma.AtomExists:
		if a.Want {
			return c.present(field), nil
		}
		return c.intern(atom{kind: atomAbsent, field: field, pre: -1}), nil
	case sigma.AtomFieldRef:
		other, err := c.field(a.Ref.Field)
		if err != nil {
			return 0, err
		}
		return c.intern(atom{kind: atomFieldRef, field: field, other: other, part: a.Ref.Part, pre: c.present(field)}), nil
	default:
		return 0, fmt.Errorf("comparison %d is not implemented", a.Kind)
	}
}

// present returns the atom that fires when a field is there; -1 for keywords, whose field is the whole event.
func (c *compiler) present(field int32) int32 {
	if field == keywordField {
		return -1
	}
	return c.intern(atom{kind: atomPresent, field: field, pre: -1})
}

func (c *compiler) intern(a atom) int32 {
	re, wild := "", ""
	if a.re != nil {
		re = a.re.String()
	}
	if a.wild != nil {
		wild = fmt.Sprintf("%q", a.wild.segments)
	}
	key := fmt.Sprint(a.kind, a.place, a.cased, a.part, a.op, a.field, a.other, a.num, a.net, len(a.text), a.text,
		len(re), re, wild)
	if x, ok := c.known[key]; ok {
		return x
	}
	x := int32(len(c.set.atoms))
	c.set.atoms = append(c.set.atoms, a)
	c.known[key] = x
	return x
}

// text makes an atom of a text pattern: eager where it is one literal with stars at its ends at most, and nothing
// cased; else lazy, behind its longest literal.
func (c *compiler) text(field int32, a *sigma.Atom) int32 {
	p := a.Pattern
	if field == keywordField {
		// A keyword is looked for anywhere in the message.
		p = append(append(sigma.Pattern{{Wildcard: sigma.AnyMany}}, p...), sigma.Part{Wildcard: sigma.AnyMany})
	}
	lits, at, before, after, ones := 0, -1, false, false, false
	for i, part := range p {
		switch part.Wildcard {
		case sigma.Literal:
			lits++
			if at < 0 || len(part.Text) > len(p[at].Text) {
				at = i
			}
		case sigma.AnyOne:
			ones = true
		case sigma.AnyMany:
			before, after = before || lits == 0, lits > 0
		}
	}
	if lits == 0 && !ones && len(p) > 0 {
		return c.present(field) // only stars
	}
	lit := atom{kind: atomLiteral, field: field, pre: -1}
	if at >= 0 {
		lit.text = c.set.folder.fold(p[at].Text)
	}
	simple := lits <= 1 && !ones
	if simple {
		switch {
		case before && after:
			lit.place = placeContains
		case before:
			lit.place = placeSuffix
		case after:
			lit.place = placePrefix
		}
		if !a.Cased {
			return c.intern(lit)
		}
	} else {
		lit.place = placeContains
	}
	w := atom{kind: atomWildcard, field: field, cased: a.Cased, pre: c.present(field)}
	if lit.text != "" || simple {
		w.pre = c.intern(lit)
	}
	q := make(sigma.Pattern, len(p))
	for i, part := range p {
		if q[i] = part; part.Wildcard == sigma.Literal {
			if q[i].Text = fulltext.NFC(part.Text); !a.Cased {
				q[i].Text = c.set.folder.fold(part.Text)
			}
		}
	}
	w.wild = newWildcard(q)
	return c.intern(w)
}

func (c *compiler) regexp(field int32, text string) (int32, error) {
	text = fulltext.NFC(text)
	re, err := regexp.Compile(text)
	if err != nil {
		return 0, fmt.Errorf("regular expression %q: %w", text, err)
	}
	a := atom{kind: atomRegexp, field: field, re: re, pre: c.present(field)}
	if lit := c.set.folder.fold(requiredLiteral(text)); lit != "" {
		a.pre = c.intern(atom{kind: atomLiteral, field: field, place: placeContains, text: lit, pre: -1})
	}
	return c.intern(a), nil
}
