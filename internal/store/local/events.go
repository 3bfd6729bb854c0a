// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/VictoriaLogs/lib/logstorage"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// Limits of what a search holds in memory at once. Events are fetched window by window, backwards in time; a window
// that holds more is made smaller.
const (
	windowRows  = 4096
	windowBytes = 32 << 20
	firstWindow = int64(10 * time.Second)
)

var errTooMany = errors.New("more rows than a window takes")

// Events implements store.Querier.
func (s *Store) Events(ctx context.Context, q store.Query) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		left := q.Limit
		err := s.events(ctx, q, func(e event.Event) bool {
			if !yield(e, nil) {
				return false
			}
			left--
			return left != 0
		})
		if err != nil {
			yield(event.Event{}, err)
		}
	}
}

// Export calls fn for every event, newest first, until it returns false: what a backup or a check reads. An event is
// valid until fn returns.
func (s *Store) Export(ctx context.Context, fn func(event.Event) bool) error {
	return s.scan(ctx, scanRange{from: math.MinInt64, to: math.MaxInt64, filter: everything}, fn)
}

// events calls fn for the events of a query in order until it returns false.
func (s *Store) events(ctx context.Context, q store.Query, fn func(event.Event) bool) error {
	expr, err := q.Filter()
	if err != nil {
		return err
	}
	place, paged, err := q.Place()
	if err != nil {
		return err
	}
	r := scanRange{filter: s.enc.searchFilter(expr), limit: q.Limit}
	r.from, r.to = q.Range()
	if paged && place.Time < math.MaxInt64 {
		r.to = min(r.to, place.Time+1)
	}
	return s.scan(ctx, r, func(e event.Event) bool {
		if paged && comparePlaces(store.PlaceOf(e), place) <= 0 {
			return true
		}
		if !kql.Match(expr, e) {
			return true
		}
		return fn(e)
	})
}

// comparePlaces orders as Events yields: newest first, then the highest id.
func comparePlaces(a, b store.Place) int {
	return cmp.Or(cmp.Compare(b.Time, a.Time), slices.Compare(b.ID[:], a.ID[:]))
}

// scanRange is what scan reads: the rows of [from, to) that a filter of the library finds.
type scanRange struct {
	from, to int64
	filter   string
	limit    int                // how many the caller will want, 0: all
	progress func(t int64) bool // called after each window: all from t on has been read; false ends
}

// scan calls fn for the events of the range, newest first, until it returns false.
func (s *Store) scan(ctx context.Context, r scanRange, fn func(event.Event) bool) error {
	s.flush()
	from, to, total := s.clip(r.from, r.to)
	dec := newDecoder(&s.enc)
	text := dec.query(r.filter)
	b := event.NewBuilder("store", 0)
	want := windowRows // of a window
	if r.limit > 0 {
		want = min(max(r.limit*2, 256), windowRows)
	}
	width := firstWindow
	if share := int64(total) / int64(want); share < math.MaxInt64/8 && from < to {
		width = max((to-from)/(share+1), 1) // as if all matched, evenly spread
	}
	for to > from {
		lo := from
		if to-from > width {
			lo = to - width
		}
		rows, err := s.window(ctx, dec, text, lo, to)
		if errors.Is(err, errTooMany) {
			width = max(min(width, to-from)/4, 1)
			continue
		}
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(rows, 256) {
			b.Reset("store", 0)
			for i := range chunk {
				if err := dec.add(b, &chunk[i]); err != nil {
					return err
				}
			}
			for e := range b.Batch(0, 1).Events() {
				if !fn(e) {
					return nil
				}
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		to = lo
		if r.progress != nil && !r.progress(to) {
			return nil
		}
		switch {
		case len(rows) < want/16 && width < math.MaxInt64/8:
			width *= 4
		case len(rows) > want/2:
			width = max(width/2, 1)
		}
	}
	return nil
}

// query is the library's query for the columns that an event is made of.
func (d *decoder) query(filter string) string {
	var b strings.Builder
	b.WriteString(filter)
	b.WriteString(" | fields _time, ")
	b.WriteString(quote(colID))
	for _, n := range d.names {
		b.WriteString(", ")
		b.WriteString(quote(n))
	}
	return b.String()
}

// clip narrows an interval to that of the rows there are, and says how many there are in all.
func (s *Store) clip(from, to int64) (int64, int64, uint64) {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	total := uint64(0)
	for _, c := range s.open() {
		if !s.hold() {
			break
		}
		var st logstorage.StorageStats
		c.st.UpdateStats(&st)
		s.life.RUnlock()
		if st.PartitionsCount > 0 && st.RowsCount() > 0 {
			lo, hi = min(lo, st.MinTimestamp), max(hi, st.MaxTimestamp)
			total += st.RowsCount()
		}
	}
	if lo > hi {
		return from, from, 0
	}
	return max(from, lo), min(to, hi+1), total
}

// open returns the classes that have rows.
func (s *Store) open() []*class {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*class
	for _, c := range s.classes {
		if c.st != nil {
			list = append(list, c)
		}
	}
	return list
}

// hold keeps the store open until life.RUnlock; false when it is closed.
func (s *Store) hold() bool {
	s.life.RLock()
	if s.closed {
		s.life.RUnlock()
		return false
	}
	return true
}

// window returns the rows of [lo, hi) in order, or errTooMany. All rows of one nanosecond always fit.
func (s *Store) window(ctx context.Context, dec *decoder, text string, lo, hi int64) ([]found, error) {
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var rows []found
	size := 0
	collect := func(db *logstorage.DataBlock) {
		mu.Lock()
		defer mu.Unlock()
		if run.Err() != nil {
			return
		}
		n := len(rows)
		if rows = dec.collect(rows, db); len(rows) == n {
			cancel(fmt.Errorf("store/local: a row without a time or an id"))
			return
		}
		for _, r := range rows[n:] {
			size += len(r.vals[len(r.vals)-1]) + len(r.vals[len(r.vals)-2]) + 500
		}
		if (len(rows) > windowRows || size > windowBytes) && hi-lo > 1 {
			cancel(errTooMany)
		}
	}
	for _, c := range s.open() {
		if !s.hold() {
			return nil, errClosed
		}
		err := c.run(run, text, lo, hi-1, collect)
		s.life.RUnlock()
		if cause := context.Cause(run); cause != nil {
			return nil, cause
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, func(a, b found) int {
		return comparePlaces(store.Place{Time: a.time, ID: a.id}, store.Place{Time: b.time, ID: b.id})
	})
	return rows, nil
}

// collect copies the rows of a block; it appends none when the block lacks what every row has.
func (d *decoder) collect(rows []found, db *logstorage.DataBlock) []found {
	times, ok := db.GetTimestamps(nil)
	ids := db.GetColumnByName(colID)
	if !ok || ids == nil {
		return rows
	}
	start := len(rows)
	vals := make([]string, len(times)*len(d.names))
	for i, t := range times {
		id, err := event.ParseID(ids.Values[i])
		if err != nil {
			return rows[:start]
		}
		n := len(d.names)
		rows = append(rows, found{time: t, id: id, vals: vals[i*n : (i+1)*n : (i+1)*n]})
	}
	for j, name := range d.names {
		col := db.GetColumnByName(name)
		if col == nil {
			continue
		}
		last := ""
		for i, v := range col.Values {
			if v != last { // repeated values share one copy
				last = strings.Clone(v)
			}
			rows[start+i].vals[j] = last
		}
	}
	return rows
}

// run runs a query of the library over [lo, hi], both included; write is called from several goroutines at once.
func (c *class) run(ctx context.Context, text string, lo, hi int64, write func(*logstorage.DataBlock)) error {
	q, err := logstorage.ParseQuery(text)
	if err != nil {
		return fmt.Errorf("store/local: query %s: %w", text, err)
	}
	q.AddTimeFilter(lo, hi)
	var qs logstorage.QueryStats
	qctx := logstorage.NewQueryContext(ctx, &qs, []logstorage.TenantID{{}}, q, false, nil)
	err = c.st.RunQuery(qctx, func(_ uint, db *logstorage.DataBlock) {
		if db.RowsCount() > 0 {
			write(db)
		}
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("store/local: query %s: %w", text, err)
	}
	return nil
}
