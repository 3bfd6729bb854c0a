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
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/backup"
	"github.com/haidang-soc/haidang/internal/ledger"
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
	// Retention tells how the classes fill the disk.
	Retention func() (*Retention, error)
	// VerifyDay compares a closed day with its manifests.
	VerifyDay func(ctx context.Context, day string) (*DayVerification, error)
	// Images are what a backup is copied from.
	Images *backup.Images
	// Ledger keeps the books of the pipeline.
	Ledger Ledger
	// PublicURL is the start of the link to an alert.
	PublicURL string
	// Stopping is closed when the server begins to stop: streams end, other requests may finish. nil never stops.
	Stopping <-chan struct{}
	Now      func() time.Time // nil is time.Now
}

// ErrUnavailable is what a Querier's error wraps when it cannot answer now and will later: it is answered with 503.
var ErrUnavailable = errors.New("not available now")

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
	// Balance is its row of the ledger: what became of what it took, over all runs.
	Balance *ledger.Row `json:"balance,omitempty"`
}

//go:embed openapi.yml
var openapi []byte

// maxBody is the size of a request's body, in bytes, above which it is refused.
const maxBody = 1 << 20

type server struct {
	Config
	streams atomic.Int64 // open now
}

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
		{"GET /api/v1/ledger", access.ReadSystems, s.ledger},
		{"GET /api/v1/ledger/origins", access.ReadSystems, s.ledgerOrigins},
		{"POST /api/v1/ledger/adopt", access.Reload, s.adopt},
		{"GET /api/v1/sinks", access.ReadSystems, s.sinks},
		{"GET /api/v1/sinks/{name}/dead", access.Reload, s.deadLetters},
		{"POST /api/v1/sinks/{name}/retry", access.Reload, s.retryLetters},
		{"GET /api/v1/stream", access.ReadAlerts, s.stream},
		{"POST /api/v1/reload", access.Reload, s.reload},
		{"GET /api/v1/retention", access.ReadSystems, s.retention},
		{"GET /api/v1/verification/events", access.ReadAudit, s.verifyEvents},
		{"POST /api/v1/backup", access.ManagePeople, s.makeImage},
		{"GET /api/v1/backup/{id}/file", access.ManagePeople, s.imageFile},
		{"DELETE /api/v1/backup/{id}", access.ManagePeople, s.dropImage},
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
	s := &server{Config: c}
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.guard(r))
	}
	mux.HandleFunc("GET /api/v1/openapi.yml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openapi)
	})
	mux.HandleFunc("/api/v1/", func(w http.ResponseWriter, r *http.Request) {
		if allowed := methods(mux, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			refuse(w, &problem{Status: http.StatusMethodNotAllowed, Title: "method not allowed",
				Detail: r.URL.Path + " takes " + strings.Join(allowed, " and ")})
			return
		}
		refuse(w, &problem{Status: http.StatusNotFound, Title: "no such resource", Detail: r.Method + " " + r.URL.Path})
	})
	return mux
}

// methods are those that a resource takes, none where there is no such resource.
func methods(mux *http.ServeMux, r *http.Request) (list []string) {
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		try := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(try); strings.HasPrefix(pattern, m+" ") {
			list = append(list, m)
		}
	}
	return list
}

// whole are the actions that concern the whole province: who sees a part of it only may not do them, whatever the role.
var whole = []access.Action{access.ManagePeople, access.Reload, access.ReadAudit}

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
		scope := p.Scope(s.Inventory().UnitsUnder)
		if slices.Contains(whole, r.action) && !scope.All() {
			refuse(w, &problem{Status: http.StatusForbidden, Title: "not allowed",
				Detail: p.Actor + " sees single units only: " + string(r.action) + " concerns the whole province"})
			return
		}
		req.Body = http.MaxBytesReader(w, req.Body, maxBody)
		err = r.handle(w, &request{req, p, scope})
		if err == nil {
			return
		}
		if req.Context().Err() != nil { // nobody listens, or the server stops: no answer would say that it was done
			err = &problem{Status: http.StatusServiceUnavailable, Title: "interrupted", Detail: err.Error()}
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
	head(w, "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // who left does not read the error either
	return nil
}

// head sets what every answer says: it holds what only its reader may see, and is what it says it is.
func head(w http.ResponseWriter, contentType string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

func body(r *request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil && d.More() {
		err = errors.New("more follows the first document")
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &problem{Status: http.StatusRequestEntityTooLarge, Title: "too large",
			Detail: "the body may have 1 MiB"}
	}
	if err != nil {
		return badRequest("the body is no JSON of this operation: %v", err)
	}
	return nil
}
