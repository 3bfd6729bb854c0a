// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"maps"
	"slices"
	"strconv"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/event"
)

// router decides which rules an event's own log source contradicts. It is built with the Set and then immutable.
type router struct {
	rows    []source
	fields  []routeField
	code    []FieldID
	wants   []sigma.LogSource // the different log sources of rules
	index   map[sigma.LogSource]int32
	refuses [][]bool        // by row, by index into wants: contradicted
	known   map[string]bool // categories that rows name
}

// routeField is a field that tells the log source.
type routeField struct {
	ids []FieldID
	by  map[string][]int32 // rows by folded value
}

// unrouted is the row of an event whose log source is not known, unasked of one that has not been looked at.
const (
	unrouted = -1
	unasked  = -2
)

func newRouter(m Mapping) router {
	r := router{rows: m.sources, index: map[sigma.LogSource]int32{}, refuses: make([][]bool, len(m.sources)),
		known: map[string]bool{}}
	at := map[string]int{}
	for i := range m.sources {
		s := &m.sources[i]
		n, ok := at[s.field]
		if !ok {
			n = len(r.fields)
			at[s.field] = n
			r.fields = append(r.fields, routeField{ids: m.idsOf(s.field), by: map[string][]int32{}})
		}
		for _, c := range s.categories {
			r.known[c] = true
		}
		r.fields[n].by[s.value] = append(r.fields[n].by[s.value], int32(i))
	}
	r.code = m.idsOf("event.code")
	return r
}

// idsOf returns a field and the Sigma names that stand for it.
func (m Mapping) idsOf(name string) []FieldID {
	var ids []FieldID
	add := func(n string) {
		if id, ok := event.Intern(n); ok {
			ids = append(ids, id)
		}
	}
	add(name)
	for _, sigmaName := range slices.Sorted(maps.Keys(m.names)) {
		if slices.Contains(m.names[sigmaName], name) {
			add(sigmaName)
		}
	}
	return ids
}

// sourceOf numbers a rule's log source and learns which rows contradict it.
func (r *router) sourceOf(l sigma.LogSource) int32 {
	l.Definition = ""
	if x, ok := r.index[l]; ok {
		return x
	}
	x := int32(len(r.wants))
	r.wants = append(r.wants, l)
	r.index[l] = x
	for i := range r.rows {
		r.refuses[i] = append(r.refuses[i], r.rows[i].contradicts(l, r.known))
	}
	return x
}

// row returns the row that tells the log source of an event.
func (r *router) row(ev Event, sc *Scratch) int32 {
	for i := range r.fields {
		for _, id := range r.fields[i].ids {
			v, ok := ev.Get(id)
			if !ok || v.Kind() != event.String {
				continue
			}
			text := v.Str()
			rows, ok := r.fields[i].by[text]
			if !ok {
				sc.word = sc.word[:0]
				for j := range len(text) {
					sc.word = append(sc.word, lower(text[j]))
				}
				rows, ok = r.fields[i].by[string(sc.word)]
			}
			if ok {
				return r.withCode(rows, ev)
			}
		}
	}
	return unrouted
}

func (r *router) withCode(rows []int32, ev Event) int32 {
	if len(rows) == 1 && r.rows[rows[0]].code == "" {
		return rows[0]
	}
	var buf [24]byte
	code := buf[:0]
	for _, id := range r.code {
		if v, ok := ev.Get(id); ok {
			if v.Kind() == event.Int {
				code = strconv.AppendInt(code, v.Int(), 10)
			} else {
				code = v.AppendText(code)
			}
			break
		}
	}
	general := int32(unrouted)
	for _, x := range rows {
		switch r.rows[x].code {
		case "":
			general = x
		case string(code):
			return x
		}
	}
	return general
}
