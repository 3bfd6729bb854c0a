// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

func parseCorrelation(doc, n *node) (*Correlation, error) {
	m, err := parseMeta(doc)
	if err != nil {
		return nil, err
	}
	if err := n.only("correlation", "type", "rules", "aliases", "group-by", "timespan", "condition",
		"generate"); err != nil {
		return nil, err
	}
	c := &Correlation{Meta: m}
	if c.Generate, err = parseGenerate(doc, n); err != nil {
		return nil, err
	}
	word, err := n.textOf("type")
	if err != nil {
		return nil, err
	}
	if c.Type = correlationTypeNamed(word); c.Type == 0 {
		return nil, n.refuse("correlation: type %q is not known", oneLine(word))
	}
	if c.Rules, err = n.textsOf("rules"); err != nil {
		return nil, err
	}
	c.rulesPos = n.pos
	if v := n.get("rules"); v != nil {
		c.rulesPos = v.pos
	}
	if c.GroupBy, err = n.textsOf("group-by"); err != nil {
		return nil, err
	}
	if c.Aliases, err = parseAliases(n.get("aliases")); err != nil {
		return nil, err
	}
	span := n.get("timespan")
	if span == nil || !span.isScalar() {
		return nil, n.refuse("correlation: timespan is missing")
	}
	if c.Timespan, err = ParseTimespan(span.text); err != nil {
		return nil, span.at(err)
	}
	if err := c.parseCondition(n); err != nil {
		return nil, err
	}
	return c, c.check(n)
}

// parseGenerate reads generate from the document or from the correlation section; two that differ are refused.
func parseGenerate(doc, n *node) (bool, error) {
	outer, err := doc.flagOf("generate")
	if err != nil {
		return false, err
	}
	inner, err := n.flagOf("generate")
	if err != nil {
		return false, err
	}
	if doc.get("generate") != nil && n.get("generate") != nil && outer != inner {
		return false, n.get("generate").refuse("generate is given twice and differs")
	}
	return outer || inner, nil
}

func correlationTypeNamed(word string) CorrelationType {
	switch word {
	case "temporal_extended":
		return Temporal
	case "temporal_ordered_extended":
		return TemporalOrdered
	case "":
		return 0
	}
	for t := EventCount; t <= TemporalOrdered; t++ {
		if t.String() == word {
			return t
		}
	}
	return 0
}

// ParseTimespan reads a timespan: a whole number and one of s, m, h, d (and w, M, y as pySigma has them).
func ParseTimespan(text string) (time.Duration, error) {
	if text == "" {
		return 0, Refusal{Reason: "timespan is empty"}
	}
	number, unit := text[:len(text)-1], text[len(text)-1]
	seconds := map[byte]int64{'s': 1, 'm': 60, 'h': 3600, 'd': 86400, 'w': 604800, 'M': 2629746, 'y': 31556952}[unit]
	n, err := strconv.ParseUint(number, 10, 32)
	if seconds == 0 || err != nil || n == 0 || number[0] == '+' {
		return 0, Refusal{Reason: fmt.Sprintf("timespan %q: want a whole number above 0 and s, m, h or d", oneLine(text))}
	}
	if int64(n) > math.MaxInt64/int64(time.Second)/seconds {
		return 0, Refusal{Reason: fmt.Sprintf("timespan %q is too long", oneLine(text))}
	}
	return time.Duration(int64(n)*seconds) * time.Second, nil
}

func parseAliases(n *node) ([]Alias, error) {
	if n == nil {
		return nil, nil
	}
	if !n.isMap {
		return nil, n.refuse("aliases must be a map, not %s", n.what())
	}
	var list []Alias
	for _, f := range n.fields {
		if !f.value.isMap || len(f.value.fields) == 0 {
			return nil, f.value.refuse("aliases: %s must be a map of rule name to field, not %s", oneLine(f.key), f.value.what())
		}
		a := Alias{Name: f.key}
		for _, e := range f.value.fields {
			if e.value.kind != scalarText {
				return nil, e.value.refuse("aliases: the field of %s must be a text, not %s", oneLine(e.key), e.value.what())
			}
			a.Fields = append(a.Fields, AliasField{Rule: e.key, Field: e.value.text})
		}
		list = append(list, a)
	}
	return list, nil
}

func (c *Correlation) parseCondition(n *node) (err error) {
	v := n.get("condition")
	switch {
	case v == nil && c.temporal():
		c.Threshold = Threshold{{Op: GTE, Value: float64(len(c.Rules))}}
		return nil
	case v == nil:
		return n.refuse("correlation: condition is missing")
	case v.kind == scalarText:
		return c.parseExtended(v)
	case !v.isMap:
		return v.refuse("condition must be a map such as {gte: 10}, not %s", v.what())
	}
	if c.Field, err = v.textsOf("field"); err != nil {
		return err
	}
	if c.Threshold, err = parseThreshold(v, "field", "percentile"); err != nil {
		return err
	}
	p := v.get("percentile")
	switch {
	case c.Type == ValueMedian:
		c.Percentile = 50
	case p == nil && c.Type == ValuePercentile:
		return v.refuse("condition: value_percentile needs percentile: 0 to 100")
	}
	if p != nil {
		if c.Type != ValuePercentile || p.kind != scalarInt && p.kind != scalarFloat || !(p.num >= 0 && p.num <= 100) {
			return p.refuse("condition: percentile is a number from 0 to 100, for value_percentile only")
		}
		c.Percentile = p.num
	}
	return nil
}

func (c *Correlation) temporal() bool { return c.Type == Temporal || c.Type == TemporalOrdered }

// parseExtended reads the condition of Sigma 2.2: an expression over the rules of a temporal correlation.
func (c *Correlation) parseExtended(v *node) error {
	if !c.temporal() {
		return v.refuse("condition: an expression is for temporal types only; want a map such as {gte: 10}")
	}
	expr, err := ParseCondition(v.text)
	if err != nil {
		return v.at(err)
	}
	if hasQuantifier(expr) {
		return v.refuse("condition: \"of\" is not supported between rules")
	}
	names := expr.Names(nil)
	if len(c.Rules) == 0 {
		c.Rules = names
	}
	for _, name := range append(slices.Clone(names), c.Rules...) {
		if !slices.Contains(names, name) || !slices.Contains(c.Rules, name) {
			return v.refuse("condition: rules and condition do not name the same rules: %q", oneLine(name))
		}
	}
	c.Expr = expr
	return nil
}

func hasQuantifier(n *Node) bool {
	return n.Op == NodeOneOf || n.Op == NodeAllOf || slices.ContainsFunc(n.Nodes, hasQuantifier)
}

// check refuses what cannot be right whatever the referenced rules are.
func (c *Correlation) check(n *node) error {
	counts := c.Type == EventCount || c.temporal()
	switch {
	case len(c.Rules) == 0:
		return n.refuse("correlation: rules is missing")
	case counts && len(c.Field) > 0:
		return n.get("condition").refuse("condition: field is not for %s", c.Type)
	case !counts && len(c.Field) == 0:
		return n.get("condition").refuse("condition: %s needs field", c.Type)
	case !counts && c.Type != ValueCount && len(c.Field) > 1:
		return n.get("condition").refuse("condition: %s takes one field", c.Type)
	case c.Haidang.AllowSameEvent && c.Type != TemporalOrdered:
		return n.refuse("haidang: allow_same_event is for temporal_ordered only")
	case c.Expr != nil && len(c.Haidang.ByLevel) > 0:
		return n.refuse("haidang: by_level and a condition expression exclude each other")
	case len(c.Haidang.GroupBy) > 0:
		return n.refuse("haidang: group_by is for detections; a correlation has group-by")
	}
	for i, r := range c.Rules {
		if slices.Contains(c.Rules[:i], r) {
			return n.get("rules").refuse("correlation: rule %q is listed twice", oneLine(r))
		}
	}
	return nil
}
