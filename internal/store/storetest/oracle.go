// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"sort"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// oracle answers queries from a slice.
type oracle struct{ events []event.Event }

func newOracle(records []*spool.Record) *oracle {
	o := &oracle{}
	for _, r := range records {
		for _, b := range r.Batches {
			for e := range b.Events() {
				o.events = append(o.events, e)
			}
		}
	}
	sort.Slice(o.events, func(i, j int) bool {
		a, b := o.events[i], o.events[j]
		if a.Time() != b.Time() {
			return a.Time() > b.Time()
		}
		x, y := a.ID(), b.ID()
		return bytes.Compare(x[:], y[:]) > 0
	})
	return o
}

// find returns what a scope may see of a query, newest first.
func (o *oracle) find(scope access.Scope, e *kql.Expr, from, to time.Time) []event.Event {
	var list []event.Event
	for _, ev := range o.events {
		if !from.IsZero() && ev.Time() < from.UnixNano() || !to.IsZero() && ev.Time() >= to.UnixNano() {
			continue
		}
		if scope.Allows(values(ev, "haidang.unit.id")...) && kql.Match(e, ev) {
			list = append(list, ev)
		}
	}
	return list
}

func values(e event.Event, field string) []string {
	id, ok := event.Lookup(field)
	if !ok {
		return nil
	}
	v, ok := e.Get(id)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	var list []string
	for i := range v.Len() {
		if s := v.At(i).String(); !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	return list
}

type row struct {
	n    uint64
	sets []map[string]bool
}

// count counts events by the keys of the buckets; a row's name is its keys, each with a line feed.
func (o *oracle) count(events []event.Event, by []store.Bucket) (rows map[string]*row, total uint64) {
	top := map[int]map[string]bool{}
	for i, b := range by {
		if b.Kind != store.KindTop {
			continue
		}
		n := map[string]int{}
		for _, e := range events {
			for _, v := range values(e, b.Field) {
				n[v]++
			}
		}
		var keys []string
		for k := range n {
			keys = append(keys, k)
		}
		sort.Slice(keys, func(x, y int) bool {
			if n[keys[x]] != n[keys[y]] {
				return n[keys[x]] > n[keys[y]]
			}
			return keys[x] < keys[y]
		})
		top[i] = map[string]bool{}
		for j, k := range keys {
			if j < b.N {
				top[i][k] = true
			}
		}
	}
	rows = map[string]*row{}
	for _, e := range events {
		names := []string{""}
		var found [][]string
		for i, b := range by {
			var keys []string
			switch b.Kind {
			case store.KindHistogram:
				at := time.Unix(0, e.Time()).UTC().Add(-b.Offset).Truncate(b.Interval).Add(b.Offset)
				keys = []string{at.Format(time.RFC3339Nano)}
			case store.KindTop:
				for _, v := range values(e, b.Field) {
					if top[i][v] {
						keys = append(keys, v)
					}
				}
			case store.KindDistinct:
				found = append(found, values(e, b.Field))
				continue
			}
			var next []string
			for _, n := range names {
				for _, k := range keys {
					next = append(next, n+k+"\n")
				}
			}
			names = next
		}
		for _, n := range names {
			r := rows[n]
			if r == nil {
				r = &row{}
				for range found {
					r.sets = append(r.sets, map[string]bool{})
				}
				rows[n] = r
			}
			r.n++
			for i, vs := range found {
				for _, v := range vs {
					r.sets[i][v] = true
				}
			}
		}
	}
	return rows, uint64(len(events))
}
