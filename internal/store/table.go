// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// BucketKind is the kind of a bucket.
type BucketKind uint8

// The kinds of buckets. Histogram and Top split events into rows, one key each; Distinct adds a number to every row.
const (
	KindHistogram BucketKind = iota + 1
	KindTop
	KindDistinct
)

// Bucket says how events are counted.
type Bucket struct {
	Kind     BucketKind
	Field    string        // Top, Distinct
	Interval time.Duration // Histogram: at least a millisecond
	Offset   time.Duration // Histogram: intervals begin at multiples of Interval, plus this
	N        int           // Top: how many values, those of the most events; 0: 10
}

// Histogram counts by intervals of event time. Their key is the begin in RFC 3339, UTC. Empty intervals have no row.
func Histogram(interval time.Duration) Bucket { return Bucket{Kind: KindHistogram, Interval: interval} }

// Top counts by the values of a field, the n that occur in most events; equal counts in the order of the values. An
// event with several values counts for each, an event without the field for none.
func Top(field string, n int) Bucket { return Bucket{Kind: KindTop, Field: field, N: n} }

// Distinct counts the different values of a field, exactly.
func Distinct(field string) Bucket { return Bucket{Kind: KindDistinct, Field: field} }

// Validate reports what is wrong with the buckets.
func Validate(by []Bucket) error {
	if len(by) > 6 {
		return fmt.Errorf("store stats: %d buckets: at most 6", len(by))
	}
	for _, b := range by {
		switch b.Kind {
		case KindHistogram:
			if b.Interval < time.Millisecond {
				return fmt.Errorf("store stats: an interval of %v: at least 1ms", b.Interval)
			}
		case KindTop, KindDistinct:
			if b.Field == "" {
				return fmt.Errorf("store stats: a bucket without a field")
			}
			if b.N < 0 || b.N > 10_000 {
				return fmt.Errorf("store stats: the top %d values: at most 10,000", b.N)
			}
		default:
			return fmt.Errorf("store stats: bucket of unknown kind %d", b.Kind)
		}
	}
	return nil
}

// Table is a result of counting.
type Table struct {
	Rows  []Row   `json:"rows"`  // histogram keys ascending, top values by their rank
	Total uint64  `json:"total"` // events counted, those in no row as well
	Done  float64 `json:"done"`  // how much of the interval is in it, 1: all
}

// Row is a number of events: one key for each Histogram and Top, one number for each Distinct, in the order asked for.
type Row struct {
	Keys     []string `json:"keys,omitempty"`
	Count    uint64   `json:"count"`
	Distinct []uint64 `json:"distinct,omitempty"`
}

// Counter gathers counts for a Table: drivers share it, so that rank, order and rounding are the same in all. One
// goroutine may use it at a time. Memory grows with the number of different keys.
type Counter struct {
	by    []Bucket
	rows  map[string]*counted
	sums  []map[string]uint64 // of each bucket: the events of every key
	total uint64
}

type counted struct {
	keys []string
	n    uint64
	sets []map[string]struct{}
}

// NewCounter returns an empty Counter. The buckets must be valid.
func NewCounter(by []Bucket) *Counter {
	c := &Counter{by: slices.Clone(by), rows: map[string]*counted{}, sums: make([]map[string]uint64, len(by))}
	for i := range by {
		c.sums[i] = map[string]uint64{}
	}
	return c
}

// AddEvent counts one event.
func (c *Counter) AddEvent(e event.Event) {
	values := make([][]string, len(c.by))
	for i, b := range c.by {
		if b.Kind == KindHistogram {
			values[i] = []string{b.Key(e.Time())}
			continue
		}
		values[i] = FieldValues(e, b.Field)
	}
	c.Add(1, values)
}

// FieldValues returns the different values of a field in their canonical text.
func FieldValues(e event.Event, field string) []string {
	if field == "_id" {
		return []string{e.ID().String()}
	}
	id, ok := event.Lookup(field)
	if !ok {
		return nil
	}
	v, _ := e.Get(id)
	var texts []string
	for x := range v.All {
		if s := x.String(); !slices.Contains(texts, s) {
			texts = append(texts, strings.Clone(s))
		}
	}
	return texts
}

// Add counts n events that have the same values, one list for each bucket.
func (c *Counter) Add(n uint64, values [][]string) {
	c.total += n
	for i, b := range c.by {
		if b.Kind != KindDistinct {
			for _, v := range values[i] {
				c.sums[i][v] += n
			}
		}
	}
	c.spread(n, values, 0, nil)
}

// spread counts the events under every combination of the keys.
func (c *Counter) spread(n uint64, values [][]string, i int, keys []string) {
	if i < len(c.by) {
		if c.by[i].Kind == KindDistinct {
			c.spread(n, values, i+1, keys)
			return
		}
		for _, v := range values[i] {
			c.spread(n, values, i+1, append(keys, v))
		}
		return
	}
	name := strings.Join(keys, "\x00")
	r := c.rows[name]
	if r == nil {
		r = &counted{keys: slices.Clone(keys)}
		for _, b := range c.by {
			if b.Kind == KindDistinct {
				r.sets = append(r.sets, map[string]struct{}{})
			}
		}
		c.rows[name] = r
	}
	r.n += n
	d := 0
	for i, b := range c.by {
		if b.Kind == KindDistinct {
			for _, v := range values[i] {
				r.sets[d][v] = struct{}{}
			}
			d++
		}
	}
}

// Key returns the key of the interval that an event time, unix ns, lies in.
func (b Bucket) Key(t int64) string {
	step, off := int64(b.Interval), int64(b.Offset)
	r := (t - off) % step
	if r < 0 {
		r += step
	}
	return time.Unix(0, t-r).UTC().Format(time.RFC3339Nano)
}

// Table returns what was counted so far. Without buckets that split it has one row.
func (c *Counter) Table(done float64) Table {
	t := Table{Total: c.total, Done: done, Rows: make([]Row, 0, len(c.rows))}
	ranks := c.ranks()
	type ranked struct {
		row   *counted
		order []int
	}
	var list []ranked
next:
	for _, r := range c.rows {
		x := ranked{row: r, order: make([]int, len(r.keys))}
		for i, k := range r.keys {
			rank, ok := ranks[i][k]
			if !ok {
				continue next
			}
			x.order[i] = rank
		}
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b ranked) int { return slices.Compare(a.order, b.order) })
	for _, x := range list {
		row := Row{Keys: x.row.keys, Count: x.row.n}
		for _, s := range x.row.sets {
			row.Distinct = append(row.Distinct, uint64(len(s)))
		}
		t.Rows = append(t.Rows, row)
	}
	if len(ranks) == 0 && len(t.Rows) == 0 {
		var none []uint64
		for range c.by {
			none = append(none, 0)
		}
		t.Rows = append(t.Rows, Row{Distinct: none})
	}
	return t
}

// ranks gives every key that is shown its place among its bucket's.
func (c *Counter) ranks() []map[string]int {
	var ranks []map[string]int
	for i, b := range c.by {
		if b.Kind == KindDistinct {
			continue
		}
		sums := c.sums[i]
		keys := make([]string, 0, len(sums))
		for k := range sums {
			keys = append(keys, k)
		}
		if b.Kind == KindHistogram {
			slices.SortFunc(keys, compareTimes)
		} else {
			slices.SortFunc(keys, func(x, y string) int {
				return cmp.Or(cmp.Compare(sums[y], sums[x]), strings.Compare(x, y))
			})
			n := b.N
			if n == 0 {
				n = 10
			}
			keys = keys[:min(n, len(keys))]
		}
		rank := make(map[string]int, len(keys))
		for j, k := range keys {
			rank[k] = j
		}
		ranks = append(ranks, rank)
	}
	return ranks
}

// compareTimes orders RFC 3339 texts in UTC, whose fractions differ in length.
func compareTimes(x, y string) int {
	const second = len("2006-01-02T15:04:05")
	if len(x) < second || len(y) < second {
		return strings.Compare(x, y)
	}
	return cmp.Or(strings.Compare(x[:second], y[:second]),
		strings.Compare(strings.TrimSuffix(x[second:], "Z"), strings.TrimSuffix(y[second:], "Z")))
}
