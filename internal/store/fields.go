// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// FieldInfo describes a field of the events that a query finds.
type FieldInfo struct {
	Name  string `json:"name"`
	Type  string `json:"type"`  // the word of the kind of its values, that of a list's elements
	Count uint64 `json:"count"` // events that have it
}

// FieldCounter gathers the fields of events. One goroutine may use it at a time.
type FieldCounter struct{ seen map[event.FieldID]*FieldInfo }

// NewFieldCounter returns an empty FieldCounter.
func NewFieldCounter() *FieldCounter { return &FieldCounter{map[event.FieldID]*FieldInfo{}} }

// Add counts the fields of an event.
func (c *FieldCounter) Add(e event.Event) {
	for _, id := range [...]event.FieldID{event.Timestamp, event.EventCreated, event.EventIngested} {
		if v, ok := e.Get(id); ok {
			c.add(id, v)
		}
	}
	for id, v := range e.Fields() {
		c.add(id, v)
	}
}

func (c *FieldCounter) add(id event.FieldID, v event.Value) {
	f := c.seen[id]
	if f == nil {
		kind := v.Kind()
		if kind == event.List {
			kind = v.At(0).Kind()
		}
		f = &FieldInfo{Name: id.Name(), Type: kind.String()}
		c.seen[id] = f
	}
	f.Count++
}

// List returns the fields by name.
func (c *FieldCounter) List() []FieldInfo {
	list := make([]FieldInfo, 0, len(c.seen))
	for _, f := range c.seen {
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b FieldInfo) int { return strings.Compare(a.Name, b.Name) })
	return list
}
