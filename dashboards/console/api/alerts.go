// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
)

// alerts lists alerts: status, severity, level, system, rule, assignee, text, from, to, sort, limit, after.
func (s *server) alerts(w http.ResponseWriter, r *request) error {
	f, err := s.filter(r)
	if err != nil {
		return err
	}
	q, err := alert.NewQuery(r.scope, f)
	if err != nil {
		return badRequest("%v", err)
	}
	page, err := s.Alerts.Projection().List(q)
	if err != nil {
		return err
	}
	docs := make([]json.RawMessage, 0, len(page.Items))
	for _, x := range page.Items {
		short := *x
		cut := *x.Alert
		cut.Evidence = nil // of a single alert only
		short.Alert = &cut
		doc, err := s.document(&short)
		if err != nil {
			return err
		}
		docs = append(docs, doc)
	}
	return answer(w, http.StatusOK, map[string]any{"alerts": docs, "total": page.Total, "after": page.Next})
}

func (s *server) filter(r *request) (f alert.Filter, err error) {
	v := r.URL.Query()
	for _, x := range v["status"] {
		f.Status = append(f.Status, alert.Status(x))
	}
	for _, x := range v["severity"] {
		severity, err := alert.ParseSeverity(x)
		if err != nil {
			return f, badRequest("severity: %v", err)
		}
		f.Severity = append(f.Severity, severity)
	}
	for _, x := range v["level"] {
		n, err := strconv.ParseUint(x, 10, 8)
		if err != nil || n > 5 {
			return f, badRequest("level: %q is not between 0 and 5", x)
		}
		f.Level = append(f.Level, uint8(n))
	}
	f.System, f.Rule, f.Assignee = v["system"], v["rule"], v.Get("assignee")
	f.Incident, f.Text, f.Sort = v.Get("incident") == "true", v.Get("text"), alert.Sort(v.Get("sort"))
	f.After = v.Get("after")
	if f.Limit, err = limit(v, defaultLimit, 1000); err != nil {
		return f, err
	}
	now := s.Now()
	for _, x := range []struct {
		name string
		at   *int64
	}{{"from", &f.From}, {"to", &f.To}} {
		if v.Get(x.name) == "" {
			continue
		}
		t, err := moment(v.Get(x.name), now, now)
		if err != nil {
			return f, badRequest("%s: %v", x.name, err)
		}
		*x.at = t.UnixNano()
	}
	return f, nil
}

func (s *server) document(x *alert.State) (json.RawMessage, error) {
	return x.AppendJSON(nil, s.PublicURL+"/alerts/"+x.Alert.ID.String(), "")
}

func (s *server) find(r *request) (*alert.State, error) {
	id, err := alert.ParseID(r.PathValue("id"))
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return s.Alerts.Get(r.scope, id)
}

// alert answers one alert with its evidence and history.
func (s *server) alert(w http.ResponseWriter, r *request) error {
	x, err := s.find(r)
	if err != nil {
		return err
	}
	doc, err := s.document(x)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, doc)
}

// act does what a person asks: the body is an alert.Action without actor and time, which the server sets.
func (s *server) act(w http.ResponseWriter, r *request) error {
	x, err := s.find(r)
	if err != nil {
		return err
	}
	var a alert.Action
	if err := body(r, &a); err != nil {
		return err
	}
	if a.Actor != "" || a.At != 0 || len(a.Clocks) > 0 || !a.Alert.IsZero() && a.Alert != x.Alert.ID {
		return badRequest("alert, actor, at and clocks are set by the server")
	}
	a.Alert, a.Actor, a.At = x.Alert.ID, r.principal.Actor, s.Now().UnixNano()
	if a.Kind == alert.Declare {
		if !r.principal.May(access.DeclareIncident) {
			return &problem{Status: http.StatusForbidden, Title: "not allowed",
				Detail: "declaring an incident starts the legal clocks: it takes the role lead"}
		}
		a.Clocks = s.clocks(x.Alert)
	}
	x, err = s.Alerts.Act(r.Context(), r.scope, a)
	if err != nil {
		return err
	}
	doc, err := s.document(x)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, doc)
}

// clocks are the reporting duties in force for the systems that an alert touches, on the day it was detected.
func (s *server) clocks(a *alert.Alert) (list []alert.Clock) {
	inv := s.Inventory()
	seen := map[string]bool{}
	day := time.Unix(0, a.Since)
	for _, touched := range a.Systems {
		system, ok := inv.System(touched.ID)
		if !ok {
			continue
		}
		for _, d := range inv.Duties(system, day) {
			if !seen[d.ID] {
				seen[d.ID] = true
				list = append(list, clock(d))
			}
		}
	}
	return list
}

func clock(d asset.Duty) alert.Clock {
	return alert.Clock{ID: d.ID, Name: d.Text, After: d.Within,
		Clause: alert.Clause{Text: d.Clause.Text, Certainty: string(d.Certainty)}}
}

// verify walks the hash chain of the alert log.
func (s *server) verify(w http.ResponseWriter, r *request) error {
	n, hash, err := s.Alerts.Verify(r.Context())
	result := map[string]any{"entries": n, "head": hash, "intact": err == nil}
	if err != nil {
		result["error"] = err.Error()
	}
	return answer(w, http.StatusOK, result)
}
