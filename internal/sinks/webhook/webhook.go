// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package webhook sends alerts as signed JSON to an HTTP endpoint.
//
// The body is the alert as an ECS document; a receiver must verify X-Haidang-Signature over the very bytes it got,
// before it parses them, and treat two requests with one Idempotency-Key as one.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/sinks/outbound"
)

// Config says where to send.
type Config struct {
	URL    outbound.Secret // some receivers keep a token in it
	Secret outbound.Secret // shared with the receiver, at least 16 bytes
	Client *http.Client    // from outbound.New
}

// Sink posts alerts to one endpoint.
type Sink struct{ cfg Config }

// New checks the configuration and opens nothing.
func New(cfg Config) (*Sink, error) {
	if err := outbound.CheckURL(cfg.URL.Reveal()); err != nil {
		return nil, fmt.Errorf("webhook: url: %w", err)
	}
	if len(cfg.Secret.Reveal()) < 16 {
		return nil, errors.New("webhook: secret: needs at least 16 bytes; openssl rand -hex 32 makes a good one")
	}
	if cfg.Client == nil {
		return nil, errors.New("webhook: without a client")
	}
	return &Sink{cfg: cfg}, nil
}

// Send posts the delivery once.
func (s *Sink) Send(ctx context.Context, d *sinks.Delivery) (sinks.Receipt, error) {
	body, err := Body(d)
	if err != nil {
		return sinks.Receipt{}, sinks.Permanent(fmt.Errorf("webhook: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return sinks.Receipt{}, sinks.Permanent(errors.New("webhook: making the request: the URL is not usable"))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "haidang")
	req.Header.Set("Idempotency-Key", d.Key)
	req.Header.Set(SignatureHeader, Sign(s.cfg.Secret.Reveal(), time.Now(), body))
	resp, err := s.cfg.Client.Do(req)
	if err != nil {
		return sinks.Receipt{}, fmt.Errorf("webhook: posting: %w", outbound.Failed(err))
	}
	defer func() { _ = resp.Body.Close() }()
	answer := outbound.Body(resp)
	if err := outbound.Check(resp); err != nil {
		return sinks.Receipt{}, fmt.Errorf("webhook: posting: %w", err)
	}
	return sinks.Receipt{State: sinks.Done, Answer: answer}, nil
}

// Body returns what is posted: one ECS document, or an array where the delivery holds several alerts.
func Body(d *sinks.Delivery) ([]byte, error) {
	if len(d.States) == 1 {
		return d.States[0].AppendJSON(nil, d.Links[0], d.Change)
	}
	body := []byte{'['}
	for i, s := range d.States {
		if i > 0 {
			body = append(body, ',')
		}
		var err error
		if body, err = s.AppendJSON(body, d.Links[i], d.Change); err != nil {
			return nil, err
		}
	}
	return append(body, ']'), nil
}
