// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/event"
)

// fieldMap knows which ECS field a field name in a rule means.
type fieldMap struct{}

func (fieldMap) field(_ *sigma.Rule, name string) (event.FieldID, string, bool) {
	id, ok := event.Intern(name)
	return id, name, ok
}

func newMatcher(rules []*sigma.Rule) (matcher, []*sigma.Rule, fieldMap, []sigma.Refusal) {
	return naive(rules), rules, fieldMap{}, nil
}

// naive is a matcher of plain texts, until package eval is there.
type naive []*sigma.Rule

func (n naive) match(e event.Event, hit func(int)) {
	for i, r := range n {
		ok := true
		for _, it := range r.Detections[0].Any[0].All {
			id, _ := event.Intern(it.Field)
			v, _ := e.Get(id)
			ok = ok && v.String() == it.Values[0].Raw
		}
		if ok {
			hit(i)
		}
	}
}
