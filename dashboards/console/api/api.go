// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package api serves /api/v1: what the console, the command line and scripts speak.
//
// Every handler asks two things before it answers: may this principal do that (access.Can), and what may it see
// (access.Scope). No query reaches the store or the alert log without the scope. Errors are RFC 9457 problems with a
// text for people; lists page by an opaque after. openapi.yml describes it, and a test holds it to the handlers.
package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/store"
)

// Config is what the API speaks about.
type Config struct {
	Events    store.Querier
	Alerts    *alert.Log
	People    *access.Store
	Inventory func() *asset.Inventory
	// Principal finds who makes a request; an error answers 401.
	Principal func(*http.Request) (access.Principal, error)
	// Rules lists the rules in use.
	Rules func() []Rule
	// Sources lists what was taken in, by listener and sender.
	Sources func() []Source
	// Reload reads configuration, inventory and rules anew and returns the refused rules.
	Reload func(context.Context) ([]string, error)
	// Sinks are the ways alerts go out.
	Sinks *sinks.Set
	// PublicURL is the start of the link to an alert.
	PublicURL string
	Now       func() time.Time // nil is time.Now
}

// Rule is a rule in use.
type Rule struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Level       string   `json:"level"`
	Tags        []string `json:"tags,omitempty"`
	Steps       []string `json:"steps,omitempty"`
}

// Source is a listener and its counts.
type Source struct {
	Name   string            `json:"name"`
	Kind   string            `json:"kind"`
	Counts map[string]uint64 `json:"counts"`
}

//go:embed openapi.yml
var openapi []byte

// maxBody is the size of a request's body, in bytes, above which it is refused.
const maxBody = 1 << 20

type server struct{ Config }

// request is a request whose principal is known.
type request struct {
	*http.Request
	principal access.Principal
	scope     access.Scope
}

// route is one operation: what it needs and what answers it.
type route struct {
	pattern string
	action  access.Action
	handle  func(http.ResponseWriter, *request) error
}

func (s *server) routes() []route {
	return []route{
		{"GET /api/v1/events", access.ReadEvents, s.events},
		{"GET /api/v1/stats", access.ReadEvents, s.stats},
		{"GET /api/v1/fields", access.ReadEvents, s.fields},
		{"GET /api/v1/alerts", access.ReadAlerts, s.alerts},
		{"GET /api/v1/alerts/{id}", access.ReadAlerts, s.alert},
		{"POST /api/v1/alerts/{id}/actions", access.ActOnAlerts, s.act},
		{"GET /api/v1/verification", access.ReadAudit, s.verify},
		{"GET /api/v1/systems", access.ReadSystems, s.systems},
		{"GET /api/v1/rules", access.ReadRules, s.rules},
		{"GET /api/v1/sources", access.ReadSystems, s.sources},
		{"GET /api/v1/sinks", access.ReadSystems, s.sinks},
		{"GET /api/v1/sinks/{name}/dead", access.Reload, s.deadLetters},
		{"POST /api/v1/sinks/{name}/retry", access.Reload, s.retryLetters},
		{"GET /api/v1/stream", access.ReadAlerts, s.stream},
		{"POST /api/v1/reload", access.Reload, s.reload},
		{"GET /api/v1/people", access.ReadPeople, s.people},
		{"POST /api/v1/people", access.ManagePeople, s.addPerson},
		{"PATCH /api/v1/people/{id}", access.ManagePeople, s.changePerson},
		{"GET /api/v1/tokens", access.ManagePeople, s.tokens},
		{"POST /api/v1/tokens", access.ManagePeople, s.issue},
		{"DELETE /api/v1/tokens/{id}", access.ManagePeople, s.revoke},
	}
}

// New returns the handler of everything under /api/v1/.
func New(c Config) http.Handler {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &server{c}
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.guard(r))
	}
	mux.HandleFunc("GET /api/v1/openapi.yml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openapi)
	})
	mux.HandleFunc("/api/v1/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, &problem{Status: http.StatusNotFound, Title: "no such resource", Detail: r.Method + " " + r.URL.Path})
	})
	return mux
}

// guard lets a request through to a route's handler if its principal may do that.
func (s *server) guard(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		p, err := s.Principal(req)
		if err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, &problem{Status: http.StatusUnauthorized, Title: "who are you?", Detail: err.Error()})
			return
		}
		if !p.May(r.action) {
			refuse(w, &problem{Status: http.StatusForbidden, Title: "not allowed",
				Detail: p.Actor + " has no role that allows " + string(r.action)})
			return
		}
		req.Body = http.MaxBytesReader(w, req.Body, maxBody)
		err = r.handle(w, &request{req, p, p.Scope(s.Inventory().UnitsUnder)})
		if err == nil || req.Context().Err() != nil {
			return
		}
		var known *problem
		if !errors.As(err, &known) {
			known = explain(err)
		}
		refuse(w, known)
	})
}

func answer(w http.ResponseWriter, status int, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // who left does not read the error either
	return nil
}

func body(r *request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badRequest("the body is no JSON of this operation: %v", err)
	}
	return nil
}
