// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"slices"
	"strconv"
)

func parseHaidang(n *node) (h Haidang, err error) {
	if n == nil {
		return h, nil
	}
	if err := n.only("haidang", "by_level", "group_by", "context", "steps", "count", "null_group",
		"allow_same_event"); err != nil {
		return h, err
	}
	for _, f := range [...]struct {
		key string
		to  *[]string
	}{{"group_by", &h.GroupBy}, {"context", &h.Context}, {"steps", &h.Steps}} {
		if *f.to, err = n.textsOf(f.key); err != nil {
			return h, err
		}
	}
	if len(h.Steps) > MaxSteps {
		return h, n.get("steps").refuse("haidang: %d steps, at most %d are allowed", len(h.Steps), MaxSteps)
	}
	if h.NullGroup, err = n.flagOf("null_group"); err != nil {
		return h, err
	}
	if h.AllowSameEvent, err = n.flagOf("allow_same_event"); err != nil {
		return h, err
	}
	count, err := n.textOf("count")
	if err != nil {
		return h, err
	}
	switch count {
	case "", "events":
	case "matches":
		h.CountMatches = true
	default:
		return h, n.get("count").refuse("haidang: count %q: want events or matches", oneLine(count))
	}
	h.ByLevel, err = parseByLevel(n.get("by_level"))
	return h, err
}

func parseByLevel(n *node) ([]LevelThreshold, error) {
	if n == nil {
		return nil, nil
	}
	if !n.isMap || len(n.fields) == 0 {
		return nil, n.refuse("haidang: by_level must be a map of level to condition, not %s", n.what())
	}
	var list []LevelThreshold
	for _, f := range n.fields {
		level, err := strconv.Atoi(f.key)
		if err != nil || level < 1 || level > 5 {
			return nil, Refusal{Pos: f.pos,
				Reason: fmt.Sprintf("haidang: by_level: %q is not a level from 1 to 5", oneLine(f.key))}
		}
		if !f.value.isMap {
			return nil, f.value.refuse("haidang: by_level: want a condition such as {gte: 5}, not %s", f.value.what())
		}
		t, err := parseThreshold(f.value)
		if err != nil {
			return nil, err
		}
		list = append(list, LevelThreshold{Level: level, Threshold: t})
	}
	slices.SortFunc(list, func(a, b LevelThreshold) int { return a.Level - b.Level })
	return list, nil
}

// parseThreshold reads the operators of a condition map; the keys in skip belong to somebody else.
func parseThreshold(n *node, skip ...string) (Threshold, error) {
	var t Threshold
	for _, f := range n.fields {
		if slices.Contains(skip, f.key) {
			continue
		}
		op := operatorNamed(f.key)
		if op == 0 {
			return nil, Refusal{Pos: f.pos, Reason: fmt.Sprintf("condition: unknown operator %q", oneLine(f.key))}
		}
		if f.value.kind != scalarInt && f.value.kind != scalarFloat {
			return nil, f.value.refuse("condition: %s needs a number, not %s", f.key, f.value.what())
		}
		t = append(t, Bound{Op: op, Value: f.value.num})
	}
	if len(t) == 0 {
		return nil, n.refuse("condition: no operator; want gt, gte, lt, lte, eq or neq")
	}
	return t, nil
}

func operatorNamed(word string) Operator {
	for o := GT; o <= NEQ; o++ {
		if o.String() == word {
			return o
		}
	}
	return 0
}
