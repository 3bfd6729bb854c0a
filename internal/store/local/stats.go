// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/VictoriaLogs/lib/logstorage"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

const (
	steps   = 8       // parts of a count's interval after which a table is yielded
	oneStep = 100_000 // rows that are counted in one part
)

// Stats implements store.Querier. The library counts the regular rows when the filter is exact and every bucket is a
// column; everything else is counted event by event.
func (s *Store) Stats(ctx context.Context, q store.Query, by ...store.Bucket) iter.Seq2[store.Table, error] {
	return func(yield func(store.Table, error) bool) {
		stopped := false
		err := s.statistics(ctx, q, by, func(t store.Table) bool {
			stopped = !yield(t, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(store.Table{}, err)
		}
	}
}

func (s *Store) statistics(ctx context.Context, q store.Query, by []store.Bucket, yield func(store.Table) bool) error {
	expr, err := q.Filter()
	if err != nil {
		return err
	}
	if err := store.Validate(by); err != nil {
		return err
	}
	s.flush()
	from, to := q.Range()
	from, to, total := s.clip(from, to)
	counter := store.NewCounter(by)
	count := func(e event.Event) bool {
		if kql.Match(expr, e) {
			counter.AddEvent(e)
		}
		return true
	}
	f := s.enc.translate(expr)
	push, ok := s.enc.pushDown(f, by)
	if !ok {
		r := scanRange{from: from, to: to, filter: s.enc.searchFilter(expr)}
		last := to
		stopped := false
		r.progress = func(t int64) bool {
			if t <= from || last-t < (to-from)/steps {
				return true
			}
			last = t
			stopped = !yield(counter.Table(float64(to-t) / float64(to-from)))
			return !stopped
		}
		if err := s.scan(ctx, r, count); err != nil || stopped {
			return err
		}
		yield(counter.Table(1))
		return nil
	}
	width := max((to-from)/steps, int64(time.Minute))
	if total <= oneStep {
		width = max(to-from, 1)
	}
	for hi := to; hi > from; {
		lo := from
		if hi-from > width {
			lo = hi - width
		}
		if err := s.count(ctx, push, lo, hi, counter); err != nil {
			return err
		}
		odd := scanRange{from: lo, to: hi, filter: s.enc.oddFilter(expr)}
		if err := s.scan(ctx, odd, count); err != nil {
			return err
		}
		hi = lo
		if hi > from && !yield(counter.Table(float64(to-hi)/float64(to-from))) {
			return nil
		}
	}
	yield(counter.Table(1))
	return nil
}

// pushed is a count that the library makes.
type pushed struct {
	text string
	by   []pushedBucket
}

type pushedBucket struct {
	bucket store.Bucket
	name   string // of the column in the answer
	list   bool
}

// pushDown returns the library's query; false when it could not give the exact answer.
func (enc *encoder) pushDown(f filter, by []store.Bucket) (pushed, bool) {
	var p pushed
	if !f.exact {
		return p, false
	}
	var names []string
	distinct := 0
	for _, b := range by {
		if b.Kind == store.KindDistinct {
			distinct++
		}
		if b.Kind == store.KindHistogram {
			step := int64(b.Interval)
			offset := ((-int64(b.Offset))%step + step) % step // the library's has the other sign
			names = append(names, "_time:"+strconv.FormatInt(step, 10)+"ns offset "+
				strconv.FormatInt(offset, 10)+"ns")
			p.by = append(p.by, pushedBucket{b, "_time", false})
			continue
		}
		id, _ := event.Lookup(b.Field)
		i, hot := enc.index[id]
		name := quote(b.Field)
		if !hot || slices.Contains(names, name) {
			return p, false
		}
		names = append(names, name)
		p.by = append(p.by, pushedBucket{b, b.Field, enc.cols[i].list})
	}
	histograms := 0
	for _, b := range by {
		if b.Kind == store.KindHistogram {
			histograms++
		}
	}
	if distinct > 1 || histograms > 1 {
		return p, false // the rows would be every combination of their values
	}
	p.text = "(" + f.text + ") !" + quote(colOdd) + ":* | stats "
	if len(names) > 0 {
		p.text += "by (" + strings.Join(names, ", ") + ") "
	}
	p.text += "count() as n"
	return p, true
}

// count adds the library's count of [lo, hi).
func (s *Store) count(ctx context.Context, p pushed, lo, hi int64, counter *store.Counter) error {
	var mu sync.Mutex
	var failed error
	values := make([][]string, len(p.by))
	write := func(db *logstorage.DataBlock) {
		mu.Lock()
		defer mu.Unlock()
		ns := db.GetColumnByName("n")
		cols := make([]*logstorage.BlockColumn, len(p.by))
		for j, b := range p.by {
			cols[j] = db.GetColumnByName(b.name)
		}
		if ns == nil {
			failed = cmp.Or(failed, fmt.Errorf("store/local: a count without a number"))
			return
		}
		for i, text := range ns.Values {
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				failed = cmp.Or(failed, fmt.Errorf("store/local: reading a count: %w", err))
				return
			}
			if n == 0 {
				continue
			}
			for j, b := range p.by {
				values[j] = nil
				if cols[j] == nil || cols[j].Values[i] == "" {
					continue
				}
				values[j] = b.values(strings.Clone(cols[j].Values[i]))
			}
			counter.Add(n, values)
		}
	}
	for _, c := range s.open() {
		if !s.hold() {
			return errClosed
		}
		err := c.run(ctx, p.text, lo, hi-1, write)
		s.life.RUnlock()
		if err = cmp.Or(failed, err); err != nil {
			return err
		}
	}
	return nil
}

// values returns the keys of a row's column.
func (b *pushedBucket) values(text string) []string {
	switch {
	case b.bucket.Kind == store.KindHistogram:
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil
		}
		return []string{b.bucket.Key(t.UnixNano())}
	case b.list:
		list := strings.Split(strings.Trim(text, separator), separator)
		slices.Sort(list)
		return slices.Compact(list)
	}
	return []string{text}
}

// Fields implements store.Querier.
func (s *Store) Fields(ctx context.Context, q store.Query) ([]store.FieldInfo, error) {
	if q.Limit <= 0 {
		q.Limit = 10_000
	}
	fields := store.NewFieldCounter()
	for e, err := range s.Events(ctx, q) {
		if err != nil {
			return nil, err
		}
		fields.Add(e)
	}
	return fields.List(), nil
}
