// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package kql

import (
	"cmp"
	"net/netip"
	"strings"
	"sync"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/event/fulltext"
)

// IDField is the name under which a query finds an event by its id.
const IDField = "_id"

// Match reports whether the event is what the query asks for. It is the definition of the language: stores answer by
// it. Safe for concurrent use.
//
// A field with several values matches when one of them does. A String compares in NFC, with case; the text fields of
// [IsText] by tokens; a number as a number; an address also with a CIDR; a time with the interval that the value names.
func Match(e *Expr, ev event.Event) bool {
	switch e.Op {
	case All:
		return true
	case And:
		for _, a := range e.Args {
			if !Match(a, ev) {
				return false
			}
		}
		return true
	case Or:
		for _, a := range e.Args {
			if Match(a, ev) {
				return true
			}
		}
		return false
	case Not:
		return !Match(e.Args[0], ev)
	case Text:
		return matchText(&e.Value, ev)
	}
	return matchField(e, ev)
}

// IsText reports whether a field is compared by tokens instead of as a whole.
func IsText(id event.FieldID) bool {
	switch id {
	case event.Message, event.EventOriginal, event.ErrorMessage:
		return true
	}
	return false
}

func matchField(e *Expr, ev event.Event) bool {
	if e.Field.Wildcard() {
		return matchAnyField(e, ev)
	}
	switch name := e.Field[0]; name {
	case IDField:
		return e.Op == Exists || matchString(e, ev.ID().String())
	case "haidang.text":
		switch e.Op {
		case Is:
			return matchText(&e.Value, ev)
		case Exists:
			return len(AppendText(nil, ev)) > 0
		}
		return false
	default:
		id, ok := event.Lookup(name)
		if !ok {
			return false
		}
		v, ok := ev.Get(id)
		return ok && matchValue(e, id, v)
	}
}

func matchAnyField(e *Expr, ev event.Event) bool {
	for id, v := range ev.Fields() {
		if id != event.HaidangText && e.Field.Match(id.Name()) && matchValue(e, id, v) {
			return true
		}
	}
	for _, id := range [...]event.FieldID{event.Timestamp, event.EventCreated, event.EventIngested} {
		if v, ok := ev.Get(id); ok && e.Field.Match(id.Name()) && matchValue(e, id, v) {
			return true
		}
	}
	return false
}

func matchValue(e *Expr, id event.FieldID, v event.Value) bool {
	if e.Op == Exists {
		return v.Len() > 0
	}
	if e.Op == Is && IsText(id) {
		m := newTextMatcher(&e.Value)
		defer m.free()
		for x := range v.All {
			m.add(x)
		}
		return m.all()
	}
	if v.Kind() != event.List {
		return matchOne(e, v)
	}
	for x := range v.All {
		if matchOne(e, x) {
			return true
		}
	}
	return false
}

func matchOne(e *Expr, v event.Value) bool {
	q := &e.Value
	switch v.Kind() {
	case event.String:
		return matchString(e, v.Str())
	case event.Int:
		if i, ok := q.Int(); ok {
			return holds(e.Op, cmp.Compare(v.Int(), i))
		}
		if f, ok := q.Float(); ok {
			return holds(e.Op, cmp.Compare(v.Float(), f))
		}
	case event.Float:
		if f, ok := q.Float(); ok {
			return v.Float() == v.Float() && holds(e.Op, cmp.Compare(v.Float(), f))
		}
	case event.IP:
		if p, ok := q.Prefix(); ok {
			return matchAddr(e.Op, v.IP(), p)
		}
	case event.Time:
		if lo, hi, ok := q.Time(); ok {
			return matchTime(e.Op, v.Time(), lo, hi)
		}
	case event.Bool:
		text, ok := q.Plain()
		return ok && e.Op == Is && (text == "true" && v.Bool() || text == "false" && !v.Bool())
	}
	if e.Op == Is && q.whole.Wildcard() {
		var buf [64]byte
		return q.whole.Match(string(v.AppendText(buf[:0])))
	}
	return false
}

func matchString(e *Expr, s string) bool {
	q := &e.Value
	if e.Op != Is {
		return holds(e.Op, strings.Compare(fulltext.NFC(s), q.whole[0]))
	}
	if q.whole.Match(fulltext.NFC(s)) {
		return true
	}
	// A CIDR also finds an address that a sender wrote into a text field.
	if p, ok := q.Prefix(); ok && !p.IsSingleIP() {
		a, err := netip.ParseAddr(s)
		return err == nil && p.Contains(a.Unmap().WithZone(""))
	}
	return false
}

func matchAddr(op Op, a netip.Addr, p netip.Prefix) bool {
	if op == Is {
		return p.Contains(a)
	}
	return p.IsSingleIP() && holds(op, a.Compare(p.Addr()))
}

// matchTime compares with an interval: after it, from its begin, before it, up to its end.
func matchTime(op Op, t, lo, hi int64) bool {
	switch op {
	case Is:
		return t >= lo && t < hi
	case Less:
		return t < lo
	case LessEq:
		return t < hi
	case Greater:
		return t >= hi
	}
	return t >= lo
}

func holds(op Op, order int) bool {
	switch op {
	case Is:
		return order == 0
	case Less:
		return order < 0
	case LessEq:
		return order <= 0
	case Greater:
		return order > 0
	}
	return order >= 0
}

// matchText looks for the value in everything that AppendText holds, each value apart.
func matchText(q *Value, ev event.Event) bool {
	m := newTextMatcher(q)
	defer m.free()
	for id, v := range ev.Fields() {
		if id == event.HaidangText {
			continue
		}
		if v.Kind() != event.List {
			m.add(v)
		} else {
			for x := range v.All {
				m.add(x)
			}
		}
		if m.all() {
			return true
		}
	}
	return false
}

// textMatcher finds the groups of a query in one value after the other.
type textMatcher struct {
	q    *Value
	left int
	met  []bool

	tokens fulltext.Tokens
}

var textMatchers = sync.Pool{New: func() any { return new(textMatcher) }}

func newTextMatcher(q *Value) *textMatcher {
	m := textMatchers.Get().(*textMatcher)
	m.q, m.left = q, len(q.groups)
	if m.left == 0 {
		m.left = -1 // a value without a token is found nowhere
	}
	m.met = append(m.met[:0], make([]bool, len(q.groups))...)
	return m
}

func (m *textMatcher) free() {
	m.q = nil
	textMatchers.Put(m)
}

func (m *textMatcher) all() bool { return m.left == 0 }

func (m *textMatcher) add(v event.Value) {
	if m.left <= 0 {
		return
	}
	switch v.Kind() {
	case event.String:
		m.tokens.Read(v.Str())
	case event.IP:
		var buf [64]byte
		m.tokens.Read(string(v.AppendText(buf[:0])))
	default:
		return
	}
	for i, g := range m.q.groups {
		if !m.met[i] && m.has(g) {
			m.met[i] = true
			m.left--
		}
	}
}

func (m *textMatcher) has(group []token) bool {
	for at := 0; at+len(group) <= m.tokens.Len(); at++ {
		ok := true
		for j := range group {
			if !group[j].match(m.tokens.At(at + j)) {
				ok = false
				break
			}
		}
		if ok {
			return true
		}
	}
	return false
}
