// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package ingest is the acknowledged way into the spool: POST /v1/spool takes batches that are numbered by their
// sender and answers how far each source is safe. Agents and relays use it, through Client.
//
// The rule a reader would otherwise break: an answer speaks for each source apart. A sender goes on from what was
// acknowledged even when the status says that another of its sources was refused.
package ingest

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// Authorizer tells which sources a request may write to. An error answers 401; what allowed refuses answers 403, and
// nothing of the request is written.
type Authorizer func(r *http.Request) (allowed func(source string) bool, err error)

// Dropper takes declared drops; *spool.Spool is one.
type Dropper interface {
	WriteDrop(ctx context.Context, d spool.Drop) error
}

// Config says where requests go.
type Config struct {
	Out       event.Writer  // what the batches are written to: the decoders, with the spool behind them
	Drops     Dropper       // nil: declared drops are refused
	Authorize Authorizer    // must be set
	Timeout   time.Duration // for reading a body, and again for writing it, after which it answers 503; 0: 60 s
	Parallel  int           // requests at once, each of at most 16 MiB body; more are answered 503; 0: 64
}

// maxWriting is how many requests are decoded and written at once, each of at most 64 MiB in memory.
const maxWriting = 8

// Handler serves POST /v1/spool, whatever path it is mounted at. Safe for concurrent use.
type Handler struct {
	cfg     Config
	slots   chan struct{}
	writing chan struct{}
	refused [len(reasons)]atomic.Uint64
}

// reasons are the status codes that refuse, and what a metric calls them.
var reasons = [...]struct {
	status int
	name   string
}{{http.StatusInternalServerError, "error"}, {http.StatusBadRequest, "malformed"},
	{http.StatusUnauthorized, "unauthorized"}, {http.StatusForbidden, "foreign_source"},
	{http.StatusMethodNotAllowed, "method"}, {http.StatusConflict, "hole_or_epoch"},
	{http.StatusRequestEntityTooLarge, "too_large"}, {http.StatusUnsupportedMediaType, "encoding"},
	{http.StatusServiceUnavailable, "busy_or_full"}}

// Refused yields how many requests were refused, for each reason. Safe at any time.
func (h *Handler) Refused(yield func(reason string, n uint64) bool) {
	for i := range reasons {
		if !yield(reasons[i].name, h.refused[i].Load()) {
			return
		}
	}
}

// New returns a Handler. It panics when Out or Authorize is missing, since that is a mistake in the program.
func New(cfg Config) *Handler {
	if cfg.Out == nil || cfg.Authorize == nil {
		panic("ingest: Config without Out or Authorize")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 60 * time.Second
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = 64
	}
	return &Handler{cfg: cfg, slots: make(chan struct{}, cfg.Parallel), writing: make(chan struct{}, maxWriting)}
}

// Problem is the body of an answer that refuses something (RFC 9457). Source, Epoch and Last are set with 409: where
// the source must go on. Acks are the sources of the request that are safe all the same.
type Problem struct {
	Title   string      `json:"title"`
	Status  int         `json:"status"`
	Detail  string      `json:"detail,omitempty"`
	Source  string      `json:"source,omitempty"`
	Epoch   uint64      `json:"epoch"`
	First   uint64      `json:"first"` // where the refused batch began
	Last    uint64      `json:"last"`
	Early   bool        `json:"early,omitempty"`   // see spool.ErrHole
	Current uint64      `json:"current,omitempty"` // epoch, when the refused one is over
	Acks    []spool.Ack `json:"acks,omitempty"`
}

// ServeHTTP answers 200 with [{source, epoch, last}], or a Problem: 400 for a body that is no request of ours, 401 and
// 403 by the Authorizer, 409 for a hole or an epoch that is over, 413 over the limits, 503 with Retry-After when the
// spool is full or too slow.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.refuse(w, Problem{Status: http.StatusMethodNotAllowed})
		return
	}
	allowed, err := h.cfg.Authorize(r)
	if err != nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
		h.refuse(w, Problem{Status: http.StatusUnauthorized, Detail: err.Error()})
		return
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		w.Header().Set("Retry-After", "1")
		h.refuse(w, Problem{Status: http.StatusServiceUnavailable, Detail: "too many requests at once"})
		return
	}
	// A recorder in a test knows no deadlines, and a slow sender is cut off by the one here.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.cfg.Timeout))
	body, status, err := readBody(w, r)
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.Timeout)
	defer cancel()
	var items []item
	if err == nil {
		select {
		case h.writing <- struct{}{}:
			defer func() { <-h.writing }()
		case <-ctx.Done():
			w.Header().Set("Retry-After", "5")
			h.refuse(w, problemOf(ctx.Err()))
			return
		}
		status = http.StatusBadRequest
		items, err = parse(body)
	}
	switch {
	case errors.Is(err, errTooLarge):
		h.refuse(w, Problem{Status: http.StatusRequestEntityTooLarge, Detail: err.Error()})
		return
	case err != nil:
		h.refuse(w, Problem{Status: status, Detail: err.Error()})
		return
	}
	for _, it := range items {
		if !allowed(it.source()) {
			h.refuse(w, Problem{Status: http.StatusForbidden, Source: it.source(), Detail: "source is not this sender's"})
			return
		}
		if it.drop != nil && h.cfg.Drops == nil {
			h.refuse(w, Problem{Status: http.StatusBadRequest, Detail: "declared drops are not taken here"})
			return
		}
	}
	acks, p := h.write(ctx, items)
	if p.Status != 0 {
		if p.Status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "5")
		}
		p.Acks = acks
		h.refuse(w, p)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(acks)
}

// write writes the items: those of a source one after another, the sources at once, so that they share records.
func (h *Handler) write(ctx context.Context, items []item) (acks []spool.Ack, p Problem) {
	var order []string
	bySource := map[string][]item{}
	for _, it := range items {
		if _, ok := bySource[it.source()]; !ok {
			order = append(order, it.source())
		}
		bySource[it.source()] = append(bySource[it.source()], it)
	}
	done := make([]*spool.Ack, len(order))
	errs := make([]error, len(order))
	limit := make(chan struct{}, 32)
	var wg sync.WaitGroup
	for i, source := range order {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			done[i], errs[i] = h.writeSource(ctx, bySource[source])
		})
	}
	wg.Wait()
	acks = []spool.Ack{} // [] in JSON
	for i, a := range done {
		if a != nil {
			acks = append(acks, *a)
		}
		if q := problemOf(errs[i]); q.Status != 0 && (p.Status == 0 || q.Status == http.StatusConflict) {
			p = q
		}
	}
	return acks, p
}

// writeSource writes the items of one source and returns how far they are safe.
func (h *Handler) writeSource(ctx context.Context, items []item) (*spool.Ack, error) {
	var ack *spool.Ack
	for _, it := range items {
		if d := it.drop; d != nil {
			if err := h.cfg.Drops.WriteDrop(ctx, *d); err != nil {
				return ack, err
			}
			ack = &spool.Ack{Source: d.Source, Epoch: d.Epoch, Last: d.Last}
			continue
		}
		if err := h.cfg.Out.Write(ctx, it.batch); err != nil {
			return ack, err
		}
		ack = &spool.Ack{Source: it.batch.Source(), Epoch: it.batch.Epoch(), Last: it.batch.Last()}
	}
	return ack, nil
}

// problemOf says what an error of the spool is over HTTP.
func problemOf(err error) Problem {
	var hole *spool.ErrHole
	var over *spool.ErrEpoch
	switch {
	case err == nil:
		return Problem{}
	case errors.As(err, &hole):
		return Problem{Status: http.StatusConflict, Detail: err.Error(), Source: hole.Source, Epoch: hole.Epoch,
			First: hole.First, Last: hole.Last, Early: hole.Early}
	case errors.As(err, &over):
		return Problem{Status: http.StatusConflict, Detail: err.Error(), Source: over.Source, Epoch: over.Epoch,
			Last: over.Last, Current: over.Current}
	case errors.Is(err, spool.ErrFull), errors.Is(err, spool.ErrClosed), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, context.Canceled):
		return Problem{Status: http.StatusServiceUnavailable, Detail: err.Error()}
	}
	return Problem{Status: http.StatusInternalServerError, Detail: err.Error()}
}

// readBody reads at most MaxBody bytes, before and after gzip.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, status int, err error) {
	var in io.Reader = http.MaxBytesReader(w, r.Body, MaxBody)
	switch enc := strings.ToLower(r.Header.Get("Content-Encoding")); enc {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, http.StatusBadRequest, fmt.Errorf("gzip: %w", err)
		}
		defer z.Close()
		in = z
	default:
		return nil, http.StatusUnsupportedMediaType, fmt.Errorf("content encoding %.20q: send gzip or none", enc)
	}
	body, err = io.ReadAll(io.LimitReader(in, MaxBody+1))
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) || len(body) > MaxBody {
		return nil, 0, fmt.Errorf("%w: over %d bytes", errTooLarge, MaxBody)
	}
	if err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("reading the body: %w", err)
	}
	return body, 0, nil
}

// refuse answers with a problem, and counts it.
func (h *Handler) refuse(w http.ResponseWriter, p Problem) {
	n := 0
	for i := range reasons {
		if reasons[i].status == p.Status {
			n = i
		}
	}
	h.refused[n].Add(1)
	p.Title = http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// retryAfter reads the header of an answer: whole seconds, as we and proxies send it.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 5 * time.Second
	}
	return min(time.Duration(n)*time.Second, 10*time.Minute)
}
