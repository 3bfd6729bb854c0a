// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/app/client"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

const threeFailures = `title: một lần
name: once
logsource: {product: linux, service: sshd}
detection: {sel: {event.action: ssh_login, event.outcome: failure}, condition: sel}
---
title: ba lần
id: 5b6f9a52-6f0e-4b5e-9d0b-3c1c2f0a7e33
level: medium
correlation: {type: event_count, rules: [once], group-by: [source.ip], timespan: 30m, condition: {gte: 3}}
`

// TestRestart: a server that is stopped between the events of a window goes on with it; alerts and what people did to
// them stay, and nothing is told twice.
func TestRestart(t *testing.T) {
	s := newSite(t, "builtin_rules: false\nrules: [rule.yml]\n")
	s.write("rule.yml", threeFailures+"---\n"+detection("A", "an"))
	a := s.open()
	stop := s.run(a)
	s.line(a, "x", failed("an"))
	s.line(a, "x", failed("an"))
	eventually(t, "the detection", func() bool { return raised(t, a)["A"] != nil })
	id := raised(t, a)["A"].Alert.ID
	_, err := a.alerts.Act(t.Context(), access.Everything(), alert.Action{Kind: alert.Acknowledge, Alert: id, Actor: "lan"})
	if err != nil {
		t.Fatal(err)
	}
	if raised(t, a)["ba lần"] != nil {
		t.Error("raised at the second of three")
	}
	stop()

	a = s.open()
	if x := raised(t, a)["A"]; x == nil || x.Alert.ID != id || x.Status != alert.StatusAcknowledged {
		t.Fatalf("after the restart: %+v", x)
	}
	stop = s.run(a)
	s.line(a, "x", failed("an"))
	s.line(a, "x", later())
	eventually(t, "the correlation", func() bool { return raised(t, a)["ba lần"] != nil })
	if x := raised(t, a)["ba lần"].Alert; x.Count != 3 {
		t.Errorf("%d events", x.Count)
	}
	if x := raised(t, a)["A"]; x.Alert.ID != id {
		t.Errorf("another alert: %+v", x)
	}
	stop()
	if n, _, err := a.alerts.Verify(t.Context()); err == nil && n == 0 {
		t.Error("the log is empty")
	}

	a = s.open()
	before, _ := a.alerts.Head()
	stop = s.run(a)
	eventually(t, "the correlator", func() bool { return a.correlated.Load() != nil })
	stop()
	if x := raised(t, a); len(x) != 2 || x["ba lần"] == nil || x["ba lần"].Alert.Count != 3 || x["A"] == nil {
		t.Errorf("after a start without events: %+v", x)
	}
	if after, _ := a.alerts.Head(); after > before+2 { // updates of what the run before had counted and not told
		t.Errorf("%d entries before, %d after a start without events", before, after)
	}
}

// TestSocket: the command line's socket is its owner's only, and who comes through it is an administrator by name; what
// was done there is in the audit, and an event of the system soc, once, also over a restart.
func TestSocket(t *testing.T) {
	s := newSite(t, "builtin_rules: false\nstore: {sync: 1s}\n")
	a := s.open()
	stop := s.run(a)
	info, err := os.Stat(filepath.Join(s.dir, "data", "api.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	c, err := client.New(client.Config{Data: filepath.Join(s.dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	var p access.Person
	in := access.Person{ID: "lan", Name: "Nguyễn Thị Lan", Roles: []access.Role{access.Admin}, Units: []string{"*"}}
	if err := c.Do(t.Context(), "POST", "/people", in, &p); err != nil || p.Name != in.Name {
		t.Fatalf("the first person: %v, %+v", err, p)
	}
	remote, err := client.New(client.Config{Server: "http://" + a.HTTPAddr()})
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Do(t.Context(), "GET", "/people", nil, nil); err == nil || !strings.Contains(err.Error(), "haidang people token") {
		t.Errorf("without a token: %v", err)
	}
	var made struct{ Token string }
	if err := c.Do(t.Context(), "POST", "/tokens", access.Token{Name: "t", Person: "lan"}, &made); err != nil {
		t.Fatal(err)
	}
	remote, err = client.New(client.Config{Server: "http://" + a.HTTPAddr(), Token: made.Token})
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Do(t.Context(), "GET", "/people", nil, nil); err != nil {
		t.Errorf("with a token: %v", err)
	}
	entries := audited(t, a)
	if len(entries) < 2 || !strings.HasPrefix(entries[0].Actor, "unix:") || entries[0].Action != "person.add" {
		t.Fatalf("%+v", entries)
	}
	eventually(t, "the audit in the store", func() bool { return found(t, a, "event.dataset: haidang.audit") == len(entries) })
	stop()

	a = s.open()
	stop = s.run(a)
	c, err = client.New(client.Config{Data: filepath.Join(s.dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), "PATCH", "/people/lan", map[string]bool{"off": true}, nil); err != nil {
		t.Fatal(err)
	}
	want := len(audited(t, a))
	eventually(t, "the new entry", func() bool { return found(t, a, "event.action: person.change") > 0 })
	if n := found(t, a, "event.dataset: haidang.audit and haidang.system.id: soc"); n != want {
		t.Errorf("%d entries, %d events", want, n)
	}
	stop()
}

func audited(t *testing.T, a *App) (list []access.Entry) {
	t.Helper()
	for e, err := range a.audit.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// found counts the events that a query finds.
func found(t *testing.T, a *App, query string) (n int) {
	t.Helper()
	expr, err := kql.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	q := store.NewQuery(access.Everything(), expr, now.Add(-time.Hour), now.Add(time.Hour))
	for _, err := range a.store.Events(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// TestStoreDown: a server without its store collects, correlates and says so: to probes, in the log and by an alert.
func TestStoreDown(t *testing.T) {
	s := newSite(t, "")
	s.opt.StoreDown = true
	a := s.open()
	s.run(a)
	eventually(t, "the alert", func() bool { return raised(t, a)["Máy chủ haidang chạy không có kho tìm kiếm"] != nil })
	r := a.readiness()
	if r.Ready || !strings.Contains(strings.Join(r.Problems, " "), "store is down") {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(s.log.String(), "the store is down") {
		t.Error("the log does not say it")
	}
	for _, err := range a.Events().Events(t.Context(), store.NewQuery(access.Everything(), nil, time.Time{}, time.Time{})) {
		if err == nil || !strings.Contains(err.Error(), "spool") {
			t.Errorf("searching: %v", err)
		}
	}
}
