// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/haidang-soc/haidang/internal/access"
)

// openPeople opens the key-value bucket of people and tokens, and the audit.
func (a *App) openPeople(ctx context.Context) (err error) {
	kv, err := a.nats.JetStream().CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "people", History: 8,
		Storage: jetstream.FileStorage})
	if err != nil {
		return fmt.Errorf("people: opening their bucket: %w", err)
	}
	if a.audit, err = access.OpenAudit(filepath.Join(a.cfg.Data, "audit.ndjson"), a.tail.tell); err != nil {
		return err
	}
	a.people, err = access.New(access.Config{KV: kv, Audit: a.audit})
	return err
}

// principalKey is the context's key for who makes a request.
type principalKey struct{}

// principal finds who makes a request: whoever came through the socket in the data directory, else the bearer of a
// token.
func (a *App) principal(r *http.Request) (access.Principal, error) {
	if p, ok := r.Context().Value(principalKey{}).(access.Principal); ok {
		return p, nil
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return access.Principal{}, errNoToken
	}
	return a.people.Authenticate(r.Context(), token, r.RemoteAddr)
}

// authorize is what /v1/spool asks.
func (a *App) authorize(r *http.Request) (func(source string) bool, error) {
	p, err := a.principal(r)
	if err != nil {
		return nil, err
	}
	return p.MayDeliver, nil
}
