// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

const (
	defaultLimit = 100
	maxLimit     = 10_000
	maxBuckets   = 4
	maxPage      = 32 << 20 // bytes of documents, after which a page ends early
	maxBars      = 20_000   // of a histogram
)

// query reads q, from and to. Without from the last 24 hours are meant, without to everything up to now.
func (s *server) query(r *request) (store.Query, error) {
	v := r.URL.Query()
	var expr *kql.Expr
	if q := v.Get("q"); strings.TrimSpace(q) != "" {
		e, err := kql.Parse(q)
		if err != nil {
			return store.Query{}, err
		}
		expr = e
	}
	now := s.Now()
	to, err := moment(v.Get("to"), now, now.Add(6*time.Minute)) // clocks may run ahead by five
	if err != nil {
		return store.Query{}, badRequest("to: %v", err)
	}
	from, err := moment(v.Get("from"), now, now.Add(-24*time.Hour))
	if err != nil {
		return store.Query{}, badRequest("from: %v", err)
	}
	if to.Before(from) {
		return store.Query{}, badRequest("from: %s is after to, %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	return store.NewQuery(r.scope, expr, from, to), nil
}

// moment reads RFC 3339, a day, now, or now-<duration> such as now-15m, now-7d.
func moment(s string, now, otherwise time.Time) (time.Time, error) {
	t, err := instant(s, now, otherwise)
	if err == nil && (t.Year() < 1970 || t.Year() > 2200) {
		err = badRequest("%q is not between the years 1970 and 2200", s)
	}
	return t, err
}

func instant(s string, now, otherwise time.Time) (time.Time, error) {
	switch {
	case s == "":
		return otherwise, nil
	case s == "now":
		return now, nil
	case strings.HasPrefix(s, "now-"):
		d, err := span(s[4:])
		return now.Add(-d), err
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, badRequest("%q is neither RFC 3339, a day such as 2026-11-24, nor now-15m", s)
	}
	return t, nil
}

// span is time.ParseDuration with days.
func span(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err := strconv.ParseUint(n, 10, 16)
		return time.Duration(days) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

func limit(v url.Values, otherwise, most int) (int, error) {
	s := v.Get("limit")
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0, badRequest("limit: %q is not between 1 and %d", s, most)
	}
	return n, nil
}

// events answers {"events": [...], "after": "..."}, newest first; after is empty on the last page.
func (s *server) events(w http.ResponseWriter, r *request) error {
	q, err := s.query(r)
	if err != nil {
		return err
	}
	v := r.URL.Query()
	n, err := limit(v, defaultLimit, maxLimit)
	if err != nil {
		return err
	}
	q.Limit, q.After = n+1, v.Get("after")
	if _, _, err := q.Place(); err != nil {
		return badRequest("%v", err)
	}
	flat := v.Get("flat") == "true"
	docs := make([]json.RawMessage, 0, min(n, 1000))
	after, last, size := "", "", 0
	for e, err := range s.Events.Events(r.Context(), q) {
		if err != nil {
			return err
		}
		if len(docs) == n || size > maxPage {
			after = last
			break
		}
		doc := event.AppendJSON(nil, e, flat)
		size += len(doc)
		docs = append(docs, doc)
		last = store.After(e)
	}
	return answer(w, http.StatusOK, map[string]any{"events": docs, "after": after})
}

// stats counts by up to four buckets: histogram:1h, top:source.ip:10, distinct:user.name.
func (s *server) stats(w http.ResponseWriter, r *request) error {
	q, err := s.query(r)
	if err != nil {
		return err
	}
	var by []store.Bucket
	for _, text := range r.URL.Query()["by"] {
		b, err := bucket(text)
		if err != nil {
			return err
		}
		by = append(by, b)
	}
	if len(by) > maxBuckets {
		return badRequest("by: at most %d buckets", maxBuckets)
	}
	if err := store.Validate(by); err != nil {
		return badRequest("by: %v", err)
	}
	from, to := q.Range()
	for _, b := range by {
		if b.Kind == store.KindHistogram && (to-from)/int64(b.Interval) > maxBars {
			return badRequest("by: bars of %v between from and to would be over %d: take longer ones", b.Interval, maxBars)
		}
	}
	var last store.Table
	for t, err := range s.Events.Stats(r.Context(), q, by...) {
		if err != nil {
			return err
		}
		last = t
	}
	return answer(w, http.StatusOK, last)
}

func bucket(text string) (store.Bucket, error) {
	kind, rest, _ := strings.Cut(text, ":")
	switch kind {
	case "histogram":
		d, err := span(rest)
		if err != nil {
			return store.Bucket{}, badRequest("by: histogram:%s: %v", rest, err)
		}
		return store.Histogram(d), nil
	case "top":
		field, count, found := strings.Cut(rest, ":")
		n := 10
		if found {
			var err error
			if n, err = strconv.Atoi(count); err != nil || n < 1 || n > 10_000 {
				return store.Bucket{}, badRequest("by: top: %q is not between 1 and 10000", count)
			}
		}
		return store.Top(field, n), nil
	case "distinct":
		return store.Distinct(rest), nil
	}
	return store.Bucket{}, badRequest("by: %q: use histogram:1h, top:source.ip:10 or distinct:user.name", text)
}

// fields lists the fields of the events that a query finds.
func (s *server) fields(w http.ResponseWriter, r *request) error {
	q, err := s.query(r)
	if err != nil {
		return err
	}
	list, err := s.Events.Fields(r.Context(), q)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]any{"fields": list})
}
