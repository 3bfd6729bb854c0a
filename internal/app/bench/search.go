// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/haidang-soc/haidang/deploy/sample"
	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/decoders"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// SearchConfig says what to search in.
type SearchConfig struct {
	Events   int
	Rounds   int    // of each query; 0 is 15
	Data     string // an index of an earlier run is used again; empty is a temporary one, removed at the end
	Seed     uint64
	Progress func(done, total uint64)
}

// Search is one kind of query and how long it took.
type Search struct {
	Name, Query string
	Found       uint64
	P50, P95    time.Duration
	First       time.Duration // until the first event or table, median
}

// SearchReport is what was measured.
type SearchReport struct {
	Events   int
	Fill     time.Duration
	Disk     int64
	Searches []Search
	Cancel   time.Duration // from cancelling a search of everything until it returned
}

// span is over how much event time the events are spread: a day.
const span = 24 * time.Hour

// RunSearch fills a local index with lines of the same shapes as Run's and times searches in it.
func RunSearch(ctx context.Context, c SearchConfig) (rep *SearchReport, err error) {
	if c.Rounds == 0 {
		c.Rounds = 15
	}
	if c.Data == "" {
		if c.Data, err = os.MkdirTemp("", "haidang-bench-"); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.Data)) }()
	}
	st, err := local.Open(local.Config{Dir: filepath.Join(c.Data, "store")})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	rep = &SearchReport{Events: c.Events}
	start := time.Now()
	if err := c.fill(ctx, st); err != nil {
		return nil, err
	}
	rep.Fill, rep.Disk = time.Since(start), size(filepath.Join(c.Data, "store"))
	for _, q := range searches() {
		s, err := c.time(ctx, st, q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.Name, err)
		}
		rep.Searches = append(rep.Searches, s)
	}
	rep.Cancel = cancelled(ctx, st)
	return rep, nil
}

// fill appends the events that the index lacks.
func (c *SearchConfig) fill(ctx context.Context, st *local.Store) error {
	dir, err := os.MkdirTemp("", "haidang-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "inventory.yml")
	if err := os.WriteFile(path, sample.Inventory, 0o600); err != nil {
		return err
	}
	inv, err := asset.Load(asset.Config{Inventory: path})
	if err != nil {
		return err
	}
	const size = 1000
	have := int(st.Cursor().Seq(0)) * size
	r := rand.New(rand.NewPCG(c.Seed, 7))
	kinds, set := shapes(), decoders.New(decoders.Config{})
	b := event.NewBuilder("listener/bench", 1)
	begin := time.Now().Add(-span)
	for done := 0; done < c.Events; done += size {
		at := begin.Add(time.Duration(float64(span) * float64(done) / float64(c.Events)))
		b.Reset("listener/bench", 1)
		for i := range size {
			line := kinds[r.IntN(len(kinds))].line(nil, r, at)
			if done < have {
				continue
			}
			b.Begin(uint64(done+i), 0)
			set.Decode(b, line, &decoders.Meta{Format: "syslog", Site: "dc1", Received: at, Zone: time.Local})
			b.Time(event.Timestamp, at.Add(time.Duration(i)*time.Millisecond).UnixNano())
			inv.Enrich(b, "dc1")
			b.End()
		}
		if done < have {
			continue
		}
		rec := record(uint64(done/size+1), b.Batch(uint64(done), uint64(done+size)))
		if err := st.Append(ctx, rec); err != nil {
			return err
		}
		if done%(100*size) == 0 {
			if c.Progress != nil {
				c.Progress(uint64(done), uint64(c.Events))
			}
			if _, err := st.Sync(ctx); err != nil {
				return err
			}
		}
	}
	_, err = st.Sync(ctx)
	return err
}

// query is a kind of search.
type query struct {
	Name, KQL string
	by        []store.Bucket
}

func searches() []query {
	return []query{
		{"term", "user.name: lan.nguyen", nil},
		{"CIDR", "source.ip: 40.0.0.0/8", nil},
		{"phrase", `message: "invalid user" or message: "đủ điều kiện"`, nil},
		{"word without diacritics", "tiep nhan", nil},
		{"cold field", "http.response.status_code: 500", nil},
		{"histogram", "event.outcome: failure", []store.Bucket{store.Histogram(time.Hour)}},
		{"histogram of all", "", []store.Bucket{store.Histogram(time.Hour)}},
		{"top 10 hosts", "", []store.Bucket{store.Top("host.name", 10)}},
	}
}

// time runs a query several times: the first page of 100 events, or the whole count.
func (c *SearchConfig) time(ctx context.Context, st *local.Store, q query) (Search, error) {
	s := Search{Name: q.Name, Query: q.KQL}
	var expr *kql.Expr
	if q.KQL != "" {
		e, err := kql.Parse(q.KQL)
		if err != nil {
			return s, err
		}
		expr = e
	}
	sq := store.NewQuery(access.Everything(), expr, time.Now().Add(-2*span), time.Now().Add(time.Hour))
	sq.Limit = 100
	var whole, first []time.Duration
	for range c.Rounds {
		start, seen := time.Now(), time.Duration(0)
		s.Found = 0
		if q.by == nil {
			for _, err := range st.Events(ctx, sq) {
				if err != nil {
					return s, err
				}
				if s.Found++; seen == 0 {
					seen = time.Since(start)
				}
			}
		} else {
			for t, err := range st.Stats(ctx, sq, q.by...) {
				if err != nil {
					return s, err
				}
				if s.Found = t.Total; seen == 0 {
					seen = time.Since(start)
				}
			}
		}
		whole, first = append(whole, time.Since(start)), append(first, seen)
	}
	slices.Sort(whole)
	slices.Sort(first)
	s.P50, s.P95, s.First = whole[len(whole)/2], whole[len(whole)*95/100], first[len(first)/2]
	return s, nil
}

// cancelled starts to read everything and stops after the first events.
func cancelled(ctx context.Context, st *local.Store) time.Duration {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q := store.NewQuery(access.Everything(), nil, time.Now().Add(-2*span), time.Now().Add(time.Hour))
	var start time.Time
	n := 0
	for _, err := range st.Events(ctx, q) {
		if err != nil {
			break
		}
		if n++; n == 1000 {
			start = time.Now()
			cancel()
		}
	}
	if start.IsZero() {
		return 0
	}
	return time.Since(start)
}

// Print writes the report for people.
func (r *SearchReport) Print(w io.Writer) error {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	_, err := fmt.Fprintf(w, "%d events, %d bytes each on disk, filled in %s\n\n%-26s %10s %10s %10s %12s\n", r.Events,
		r.Disk/int64(max(r.Events, 1)), r.Fill.Round(time.Second), "search", "p50 ms", "p95 ms", "first ms", "found")
	for _, s := range r.Searches {
		if err == nil {
			_, err = fmt.Fprintf(w, "%-26s %10.1f %10.1f %10.1f %12d\n", s.Name, ms(s.P50), ms(s.P95), ms(s.First), s.Found)
		}
	}
	if err == nil {
		_, err = fmt.Fprintf(w, "\ncancelling a search of everything takes %.1f ms\n", ms(r.Cancel))
	}
	return err
}
