// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// bulk is one request: what is left of it belongs to the goroutine of deliver while it runs.
type bulk struct {
	body  []byte
	items []item
	last  uint64 // sequence of the last record in it
	doubt bool   // events of it may be in the cluster: they are looked up first

	done chan struct{}
	err  error // after done
	told bool  // err was returned to the caller
}

// item is one action and its document: body[from:to], the document doc bytes behind from.
type item struct {
	id            string
	seq           uint64
	signal        bool
	from, doc, to int
}

func (b *bulk) full(c Config) bool { return len(b.body) >= c.BulkBytes || len(b.items) >= c.BulkItems }

// unknownError says that a request may or may not have been carried out.
type unknownError struct{ error }

func (e unknownError) Unwrap() error { return e.error }

// deliver returns nil once every item is stored, known or a dead letter. What the cluster cannot take now (429) is sent
// again after a pause, until ctx is done; anything else is left in b for the next try.
func (s *Store) deliver(ctx context.Context, b *bulk) error {
	if err := s.install(ctx); err != nil {
		return err
	}
	if b.doubt {
		left, err := s.missing(ctx, b)
		if err != nil {
			return err
		}
		b.items, b.doubt = left, false
	}
	pause, size := s.cfg.Wait, len(b.items)
	for len(b.items) > 0 {
		size = min(size, len(b.items))
		left, after, err := s.send(ctx, b, b.items[:size])
		took := len(left) < size
		b.items = append(left, b.items[size:]...)
		switch {
		case errors.Is(err, errTooLarge) && size > 1:
			size /= 2
			continue
		case err != nil:
			b.doubt = b.doubt || errors.As(err, new(unknownError))
			return err
		case len(left) == 0:
			continue
		}
		s.counts.waited.Add(uint64(len(left)))
		if took {
			pause = s.cfg.Wait
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(pause, after)):
		}
		pause = min(2*pause, 64*s.cfg.Wait)
	}
	b.body = nil
	return nil
}

var errTooLarge = errors.New("store/elastic: indexing: the request is too large: " +
	"raise http.max_content_length, or the limit of the proxy before it")

type bulkAnswer struct {
	Items []map[string]itemAnswer `json:"items"` // one member each, named after the action
}

type itemAnswer struct {
	Status int         `json:"status"`
	Error  *itemReason `json:"error"`
}

type itemReason struct {
	Type   string `json:"type"`
	Reason string `json:"reason"`
	Cause  *struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	} `json:"caused_by"`
}

func (r *itemReason) String() string {
	if r == nil {
		return "no reason given"
	}
	text := r.Type
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	if r.Cause != nil {
		text += ": " + r.Cause.Type + ": " + r.Cause.Reason
	}
	return text
}

// send tries items once. It returns those that are to be sent again, and the least pause before that; with an error
// those about which nothing is decided.
func (s *Store) send(ctx context.Context, b *bulk, items []item) (left []item, after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	res, err := esapi.BulkRequest{Body: newBody(b, items),
		FilterPath: []string{"errors", "items.*.status", "items.*.error"}}.Do(ctx, s.client)
	if err != nil {
		return items, 0, unknownError{fmt.Errorf("store/elastic: indexing: %w", err)}
	}
	defer drain(res)
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		return items, retryAfter(res), nil
	case res.StatusCode == http.StatusRequestEntityTooLarge && len(items) > 1:
		return items, 0, errTooLarge
	case res.StatusCode == http.StatusRequestEntityTooLarge:
		err := s.bury(b, items[0], res.StatusCode, "the document is too large")
		return nil, 0, err
	case res.StatusCode != http.StatusOK:
		err := fmt.Errorf("store/elastic: indexing: %w", answered(res))
		if res.StatusCode >= 500 || res.StatusCode == http.StatusRequestTimeout {
			err = unknownError{err}
		}
		return items, 0, err
	}
	var answer bulkAnswer
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer); err != nil {
		return items, 0, unknownError{fmt.Errorf("store/elastic: indexing: reading the answer: %w", err)}
	}
	if len(answer.Items) != len(items) {
		return items, 0, unknownError{fmt.Errorf("store/elastic: indexing: an answer about %d documents to %d",
			len(answer.Items), len(items))}
	}
	return s.sort(b, items, &answer)
}

// sort goes through the answer item by item.
func (s *Store) sort(b *bulk, items []item, answer *bulkAnswer) (left []item, _ time.Duration, err error) {
	var refused, first = 0, ""
	unknown := false
	for i, it := range items {
		var a itemAnswer // no answer has status 0
		for _, a = range answer.Items[i] {
			break
		}
		switch {
		case a.Status == http.StatusOK || a.Status == http.StatusCreated:
			s.counts.stored.Add(1)
		case a.Status == http.StatusConflict: // held already; of an alert, this version or a later one
			s.counts.known.Add(1)
		case a.Status == http.StatusBadRequest || a.Status == http.StatusRequestEntityTooLarge:
			if err2 := s.bury(b, it, a.Status, a.Error.String()); err2 != nil {
				left, err = append(left, it), err2
			}
		case a.Status == http.StatusTooManyRequests:
			left = append(left, it)
		default: // not this document's fault: the operator's to mend, or passing
			unknown = unknown || a.Status >= 500 || a.Status == 0
			if a.Status == http.StatusNotFound { // the alias, perhaps, with its index
				s.uninstall()
			}
			if refused++; first == "" {
				first = fmt.Sprintf("%d %s", a.Status, a.Error)
			}
			left = append(left, it)
		}
	}
	if refused > 0 && err == nil {
		err = fmt.Errorf("store/elastic: indexing: %d of %d documents refused, the first with %s", refused, len(items), first)
		if unknown {
			err = unknownError{err}
		}
	}
	return left, 0, err
}

// bury keeps a document that the cluster will never take.
func (s *Store) bury(b *bulk, it item, status int, reason string) error {
	err := s.dead.add(deadLetter{ID: it.id, Seq: it.seq, Status: status, Reason: reason,
		Action: json.RawMessage(bytes.TrimSpace(b.body[it.from : it.from+it.doc])),
		Event:  json.RawMessage(bytes.TrimSpace(b.body[it.from+it.doc : it.to]))})
	if err == nil {
		s.counts.dead.Add(1)
	}
	return err
}

// newBody returns the body of a request of some of b's items: without a copy where they stand side by side.
func newBody(b *bulk, items []item) io.Reader {
	var parts []io.Reader
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && items[j].from == items[j-1].to {
			j++
		}
		parts = append(parts, bytes.NewReader(b.body[items[i].from:items[j-1].to]))
		i = j
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return io.MultiReader(parts...)
}

const (
	maxAnswer = 64 << 20 // bytes of an answer
	maxError  = 4 << 10  // bytes of an error that are shown
	maxAfter  = time.Minute
)

func retryAfter(res *esapi.Response) time.Duration {
	n, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxAfter)
}

// answered is the error of an answer that is none of success.
func answered(res *esapi.Response) error {
	data, _ := io.ReadAll(io.LimitReader(res.Body, maxError))
	var answer struct {
		Error itemReason `json:"error"`
	}
	if json.Unmarshal(data, &answer) != nil || answer.Error.Type == "" {
		answer.Error.Type = fmt.Sprintf("%.300q", data)
	}
	return &answerError{res.StatusCode, answer.Error}
}

// answerError is an answer that is none of success.
type answerError struct {
	status int
	reason itemReason
}

func (e *answerError) Error() string { return fmt.Sprintf("it answered %d %s", e.status, &e.reason) }

// drain reads the rest of an answer, so that the connection can be used again.
func drain(res *esapi.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	_ = res.Body.Close()
}
