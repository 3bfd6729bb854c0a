// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// ErrNoScope is the answer to a Query that NewQuery did not make.
var ErrNoScope = errors.New("store query: it has no scope: make it with store.NewQuery")

// Query asks for events. It is a value; the zero Query is refused by every driver.
type Query struct {
	Limit int    // at most so many events; 0: all
	After string // events behind this place only, as After wrote it; "": from the newest

	filter   *kql.Expr
	from, to int64
}

// NewQuery asks for the events of [from, to) that match expr (nil: all) and that the scope allows. A zero time is no
// bound.
func NewQuery(scope access.Scope, expr *kql.Expr, from, to time.Time) Query {
	if expr == nil {
		expr = kql.Everything()
	}
	q := Query{filter: expr, from: math.MinInt64, to: math.MaxInt64}
	if !scope.All() {
		units := make([]*kql.Expr, 0, len(scope.Units()))
		for _, u := range scope.Units() {
			units = append(units, kql.Equals("haidang.unit.id", u))
		}
		q.filter = kql.AllOf(kql.AnyOf(units...), expr)
	}
	if !from.IsZero() {
		q.from = unixNano(from)
	}
	if !to.IsZero() {
		q.to = unixNano(to)
	}
	return q
}

// unixNano is t.UnixNano, at the ends of its range where t is beyond.
func unixNano(t time.Time) int64 {
	switch {
	case t.Year() < 1678:
		return math.MinInt64
	case t.Year() > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// Filter returns what an event must match, the scope included.
func (q Query) Filter() (*kql.Expr, error) {
	if q.filter == nil {
		return nil, ErrNoScope
	}
	return q.filter, nil
}

// Range returns the half-open interval of event time, unix ns.
func (q Query) Range() (from, to int64) { return q.from, q.to }

// Place is the place of an event in the order that Events yields.
type Place struct {
	Time int64
	ID   event.ID
}

// PlaceOf returns the place of an event.
func PlaceOf(e event.Event) Place { return Place{e.Time(), e.ID()} }

// After returns Query.After for the events behind e.
func After(e event.Event) string { return PlaceOf(e).String() }

// String returns the opaque text of a place.
func (p Place) String() string {
	var b [24]byte
	binary.BigEndian.PutUint64(b[:], uint64(p.Time))
	copy(b[8:], p.ID[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Place returns the place that After names; false when After is empty.
func (q Query) Place() (Place, bool, error) {
	if q.After == "" {
		return Place{}, false, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil || len(b) != 24 {
		return Place{}, false, fmt.Errorf("store query: reading after=%.100q: it is not a place in a result", q.After)
	}
	p := Place{Time: int64(binary.BigEndian.Uint64(b))}
	copy(p.ID[:], b[8:])
	return p, true, nil
}
