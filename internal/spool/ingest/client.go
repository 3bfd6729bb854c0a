// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// Client sends batches to a Handler. It tries once; who retries sends the same batches again. Safe for concurrent use.
type Client struct {
	URL  string                // of the handler, for example https://soc.example/v1/spool
	HTTP *http.Client          // nil: http.DefaultClient
	Auth func(r *http.Request) // sets what the Authorizer asks for; nil: nothing
	Gzip bool                  // batches are compressed already: only worth it for very small ones
}

// RetryError says that nothing is wrong with what was sent: send it again after the given time.
type RetryError struct {
	After time.Duration
	Err   error
}

// Error says why.
func (e *RetryError) Error() string { return fmt.Sprintf("%v; again in %v", e.Err, e.After) }

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }

// StatusError is an answer that sending again does not change.
type StatusError struct{ Problem Problem }

// Error names status and detail.
func (e *StatusError) Error() string {
	return fmt.Sprintf("spool ingest: answered %d %s: %s", e.Problem.Status, e.Problem.Title, e.Problem.Detail)
}

// Send sends batches, in order, and returns how far each source is safe, also beside an error. Errors: *spool.ErrHole
// and *spool.ErrEpoch of a source that must go on elsewhere, *RetryError, *StatusError; any other leaves the outcome
// open, and sending the same batches again is right.
func (c *Client) Send(ctx context.Context, batches ...*event.Batch) ([]spool.Ack, error) {
	body := AppendStart(nil)
	for _, b := range batches {
		body = AppendBatch(body, b)
	}
	return c.post(ctx, body)
}

// Write sends one batch: a Client is an event.Writer.
func (c *Client) Write(ctx context.Context, b *event.Batch) error {
	_, err := c.Send(ctx, b)
	return err
}

// WriteDrop declares that units of a source will never come.
func (c *Client) WriteDrop(ctx context.Context, d spool.Drop) error {
	body, err := AppendDrop(AppendStart(nil), d)
	if err == nil {
		_, err = c.post(ctx, body)
	}
	return err
}

func (c *Client) post(ctx context.Context, body []byte) ([]spool.Ack, error) {
	if c.Gzip {
		var z bytes.Buffer
		zw := gzip.NewWriter(&z)
		_, err := zw.Write(body)
		if err2 := zw.Close(); err != nil || err2 != nil {
			return nil, fmt.Errorf("spool ingest: compressing: %w", err)
		}
		body = z.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("spool ingest: making the request: %w", err)
	}
	req.Header.Set("Content-Type", ContentType)
	if c.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if c.Auth != nil {
		c.Auth(req)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("spool ingest: sending: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("spool ingest: reading the answer: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		var acks []spool.Ack
		if err := json.Unmarshal(answer, &acks); err != nil {
			return nil, fmt.Errorf("spool ingest: reading the answer: %w", err)
		}
		return acks, nil
	}
	var p Problem
	if json.Unmarshal(answer, &p) != nil || p.Status != resp.StatusCode {
		p = Problem{Detail: fmt.Sprintf("%.200s", answer)} // a proxy's answer
	}
	p.Status, p.Title = resp.StatusCode, http.StatusText(resp.StatusCode)
	return p.Acks, p.err(resp.Header)
}

// err is the error a sender acts on.
func (p Problem) err(h http.Header) error {
	switch {
	case p.Status == http.StatusConflict && p.Source != "" && p.Current != 0:
		return &spool.ErrEpoch{Source: p.Source, Epoch: p.Epoch, Current: p.Current, Last: p.Last}
	case p.Status == http.StatusConflict && p.Source != "":
		return &spool.ErrHole{Source: p.Source, Epoch: p.Epoch, First: p.First, Last: p.Last, Early: p.Early}
	case p.Status >= 500 || p.Status == http.StatusTooManyRequests || p.Status == http.StatusRequestTimeout:
		return &RetryError{After: retryAfter(h), Err: &StatusError{p}}
	}
	return &StatusError{p}
}
