// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "time"

// CorrelationType is what a correlation computes over the matches of a group within its timespan. The parser accepts
// all eight; an engine must refuse those it does not run.
type CorrelationType uint8

// The correlation types of Sigma 2.1.0, and value_median of pySigma (which equals value_percentile with 50).
const (
	EventCount CorrelationType = iota + 1
	ValueCount
	ValueSum
	ValueAvg
	ValuePercentile
	ValueMedian
	Temporal
	TemporalOrdered
)

// String returns the word of the specification.
func (t CorrelationType) String() string {
	switch t {
	case EventCount:
		return "event_count"
	case ValueCount:
		return "value_count"
	case ValueSum:
		return "value_sum"
	case ValueAvg:
		return "value_avg"
	case ValuePercentile:
		return "value_percentile"
	case ValueMedian:
		return "value_median"
	case Temporal:
		return "temporal"
	case TemporalOrdered:
		return "temporal_ordered"
	default:
		return ""
	}
}

// Operator compares a number that was computed with the number in a rule.
type Operator uint8

// The operators of a correlation's condition.
const (
	GT Operator = iota + 1
	GTE
	LT
	LTE
	EQ
	NEQ
)

// String returns the word of the specification.
func (o Operator) String() string {
	switch o {
	case GT:
		return "gt"
	case GTE:
		return "gte"
	case LT:
		return "lt"
	case LTE:
		return "lte"
	case EQ:
		return "eq"
	case NEQ:
		return "neq"
	default:
		return ""
	}
}

// Holds reports whether got stands in the operator's relation to want.
func (o Operator) Holds(got, want float64) bool {
	switch o {
	case GT:
		return got > want
	case GTE:
		return got >= want
	case LT:
		return got < want
	case LTE:
		return got <= want
	case EQ:
		return got == want
	case NEQ:
		return got != want
	default:
		return false
	}
}

// Rising reports whether more matches can only make the operator true, never false: such a condition is decided at
// the event that completes it, all others when the window closes.
func (o Operator) Rising() bool { return o == GT || o == GTE }

// Bound is one criterion of a threshold.
type Bound struct {
	Op    Operator
	Value float64
}

// Threshold is a conjunction of bounds (a range has two).
type Threshold []Bound

// Holds reports whether got satisfies every bound.
func (t Threshold) Holds(got float64) bool {
	for _, b := range t {
		if !b.Op.Holds(got, b.Value) {
			return false
		}
	}
	return true
}

// Rising reports whether every bound is Rising.
func (t Threshold) Rising() bool {
	for _, b := range t {
		if !b.Op.Rising() {
			return false
		}
	}
	return true
}

// Alias makes one group-by key of differently named fields: by the name or id of a rule, the field in its events.
type Alias struct {
	Name   string
	Fields []AliasField
}

// AliasField is the field that stands for an alias in the events of one rule.
type AliasField struct {
	Rule  string
	Field string
}

// Correlation is a statement about several events. It is immutable after Parse and safe for concurrent readers.
type Correlation struct {
	Meta
	Type CorrelationType
	// Rules are the ids or names of the detections or correlations it looks at, in the order of the file.
	Rules []string
	// GroupBy names fields or aliases; empty is one group for everything.
	GroupBy []string
	Aliases []Alias
	// Timespan is greater than zero. A window is (t - Timespan, t] in event time.
	Timespan time.Duration
	// Threshold is the condition. For temporal types without one it is gte: len(Rules).
	Threshold Threshold
	// Field names the fields whose values are counted, summed or averaged: several are counted as tuples.
	Field []string
	// Percentile is 0 to 100 for ValuePercentile (50 for ValueMedian), and only used there.
	Percentile float64
	// Expr is the extended condition of the temporal types ("a and not b"), nil where Threshold decides.
	Expr *Node
	// Generate asks for alerts of the referenced rules as well.
	Generate bool
	rulesPos Pos
}

// ThresholdAt returns the threshold for an information system of that level: the by_level entry of the highest listed
// level that is not above it, so that a higher level never gets a laxer threshold by omission; below the lowest listed
// level, and for level 0 (none), the condition itself.
func (c *Correlation) ThresholdAt(level int) Threshold {
	t := c.Threshold
	for _, l := range c.Haidang.ByLevel {
		if l.Level <= level {
			t = l.Threshold
		}
	}
	return t
}

// AliasField returns the field that key (a group-by entry) means in the events of a rule, and whether it is known
// there: an alias without an entry for the rule is not.
func (c *Correlation) AliasField(key string, rule *Meta) (string, bool) {
	for _, a := range c.Aliases {
		if a.Name != key {
			continue
		}
		for _, f := range a.Fields {
			if rule.Is(f.Rule) {
				return f.Field, true
			}
		}
		return "", false
	}
	return key, true
}
