// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"github.com/haidang-soc/haidang/correlator/sigma/eval"
	"github.com/haidang-soc/haidang/internal/event"
)

// fields are the ids under which events may carry one field of a rule, the best first.
type fields []event.FieldID

// fieldMap knows the ECS fields that a field name in a rule means.
type fieldMap struct{ mapping eval.Mapping }

// field returns the ids of a field and the name of the best of them; false when the process has no room for the name.
func (m fieldMap) field(name string) (fields, string, bool) {
	var ids fields
	best := ""
	for _, n := range m.mapping.Names(name) {
		if id, ok := event.Intern(n); ok {
			ids = append(ids, id)
			if best == "" {
				best = n
			}
		}
	}
	return ids, best, len(ids) > 0
}

// of returns the value of the first of the fields that an event has.
func (f fields) of(ev event.Event) (event.Value, bool) {
	for _, id := range f {
		if v, ok := ev.Get(id); ok {
			return v, true
		}
	}
	return event.Value{}, false
}
