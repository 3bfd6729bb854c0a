// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"strings"
)

func parseRule(n, detection *node) (*Rule, error) {
	m, err := parseMeta(n)
	if err != nil {
		return nil, err
	}
	r := &Rule{Meta: m}
	if r.LogSource, err = parseLogSource(n); err != nil {
		return nil, err
	}
	if h := n.get("haidang"); len(m.Haidang.ByLevel) > 0 || m.Haidang.CountMatches || m.Haidang.NullGroup ||
		m.Haidang.AllowSameEvent {
		return nil, h.refuse("haidang: by_level, count, null_group and allow_same_event are for correlations only")
	}
	if !detection.isMap {
		return nil, detection.refuse("detection must be a map, not %s", detection.what())
	}
	var conditions *node
	left := maxRuleAtoms
	for _, f := range detection.fields {
		switch f.key {
		case "condition":
			conditions = f.value
			continue
		case "timeframe":
			return nil, Refusal{Pos: f.pos, Reason: "detection: timeframe is obsolete; write a correlation document instead"}
		}
		d := Detection{Name: f.key, Pos: f.pos}
		if d.Any, err = parseSearch(f.value, &left); err != nil {
			return nil, refusal(err, f.pos, "")
		}
		r.Detections = append(r.Detections, d)
	}
	if conditions == nil {
		return nil, detection.refuse("detection: condition is missing")
	}
	return r, parseConditions(r, conditions)
}

func parseLogSource(n *node) (s LogSource, err error) {
	v := n.get("logsource")
	if v == nil {
		return s, n.refuse("logsource is missing")
	}
	if !v.isMap {
		return s, v.refuse("logsource must be a map, not %s", v.what())
	}
	for _, f := range [...]struct {
		key string
		to  *string
	}{{"category", &s.Category}, {"product", &s.Product}, {"service", &s.Service}, {"definition", &s.Definition}} {
		if *f.to, err = v.textOf(f.key); err != nil {
			return s, err
		}
	}
	s.Category, s.Product, s.Service = strings.ToLower(s.Category), strings.ToLower(s.Product), strings.ToLower(s.Service)
	if s.Category == "" && s.Product == "" && s.Service == "" {
		return s, v.refuse("logsource: one of category, product and service is needed")
	}
	return s, nil
}

func parseConditions(r *Rule, v *node) error {
	list := v.items
	if v.isScalar() {
		list = []*node{v}
	}
	if len(list) == 0 {
		return v.refuse("condition must be a text or a list of texts")
	}
	for _, item := range list {
		if item.kind != scalarText {
			return item.refuse("condition must be a text, not %s", item.what())
		}
		root, err := ParseCondition(item.text)
		if err != nil {
			return item.at(err)
		}
		if err := checkNames(r, root); err != nil {
			return item.at(err)
		}
		r.Conditions = append(r.Conditions, Condition{Text: item.text, Root: root, Pos: item.pos})
	}
	return nil
}

// checkNames refuses a condition that names a detection which is not there.
func checkNames(r *Rule, n *Node) error {
	if n.Name != "" && len(r.Select(n)) == 0 {
		return Refusal{Reason: fmt.Sprintf("condition: no detection is named %q", n.Name)}
	}
	for _, c := range n.Nodes {
		if err := checkNames(r, c); err != nil {
			return err
		}
	}
	return nil
}

// parseSearch reads a detection: a map (all of its items), a list of maps (any), texts (keywords, any), or one text.
// left is how many atoms the rule may still have.
func parseSearch(v *node, left *int) ([]Group, error) {
	if v.isMap {
		g, err := parseGroup(v, left)
		return []Group{g}, err
	}
	list := v.items
	if v.isScalar() {
		list = []*node{v}
	}
	if len(list) == 0 {
		return nil, v.refuse("detection: the list is empty")
	}
	var groups []Group
	var keywords []*node
	for _, item := range list {
		switch {
		case item.isMap:
			g, err := parseGroup(item, left)
			if err != nil {
				return nil, err
			}
			groups = append(groups, g)
		case item.isList:
			return nil, item.refuse("detection: a list in a list is not supported")
		default:
			keywords = append(keywords, item)
		}
	}
	if len(keywords) > 0 {
		item, err := newItem("", keywords, left)
		if err != nil {
			return nil, err
		}
		groups = append(groups, Group{All: []Item{item}, Pos: keywords[0].pos})
	}
	return groups, nil
}

func parseGroup(v *node, left *int) (Group, error) {
	g := Group{Pos: v.pos}
	if len(v.fields) == 0 {
		return g, v.refuse("detection: the map is empty")
	}
	for _, f := range v.fields {
		values := f.value.items
		switch {
		case f.value.isMap:
			return g, f.value.refuse("detection: the value of %q must be a text, a number or a list, not a map", oneLine(f.key))
		case f.value.isScalar():
			values = []*node{f.value}
		case len(values) == 0:
			return g, Refusal{Pos: f.pos, Reason: fmt.Sprintf("detection: the list of %q is empty", oneLine(f.key))}
		}
		item, err := newItem(f.key, values, left)
		if err != nil {
			return g, refusal(err, f.pos, "")
		}
		item.Pos = f.pos
		g.All = append(g.All, item)
	}
	return g, nil
}
