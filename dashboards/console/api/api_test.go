// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/asset"
)

// TestRoles: every route lets through exactly the roles that access.Can allows its action, whoever they are; without a
// principal none; and what concerns the whole province takes somebody who sees it.
func TestRoles(t *testing.T) {
	inv, err := asset.Load(asset.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var who access.Principal
	var unknown error
	s := &server{Config: Config{Inventory: func() *asset.Inventory { return inv },
		Principal: func(*http.Request) (access.Principal, error) { return who, unknown }}}
	try := func(r route) *httptest.ResponseRecorder {
		r.handle = func(w http.ResponseWriter, r *request) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		method, path, _ := strings.Cut(r.pattern, " ")
		rec := httptest.NewRecorder()
		s.guard(r).ServeHTTP(rec, httptest.NewRequest(method, path, nil))
		return rec
	}
	for _, r := range s.routes() {
		unknown = nil
		for _, role := range append(access.Roles(), "", "root") {
			for _, units := range [][]string{{access.AllUnits}, {"so"}, nil} {
				who = access.Principal{Actor: "lan", Roles: []access.Role{role}, Units: units}
				want := http.StatusForbidden
				bounded := !slices.Contains(units, access.AllUnits)
				if access.Can(role, r.action) && !(bounded && slices.Contains(whole, r.action)) {
					want = http.StatusNoContent
				}
				if rec := try(r); rec.Code != want {
					t.Errorf("%s as %q of %v: %d, want %d", r.pattern, role, units, rec.Code, want)
				}
			}
		}
		unknown = errors.New("no token")
		rec := try(r)
		if rec.Code != http.StatusUnauthorized || rec.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s without a token: %d", r.pattern, rec.Code)
		}
	}
}

// TestOpenAPI: the document has every route and no other, and names what their paths hold.
func TestOpenAPI(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, In string }
		}
	}
	if err := yaml.Unmarshal(openapi, &doc); err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			written[strings.ToUpper(method)+" /api/v1"+path] = true
			for _, part := range strings.Split(path, "/") {
				name, ok := strings.CutPrefix(part, "{")
				named := slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool {
					return p.In == "path" && p.Name == strings.TrimSuffix(name, "}")
				})
				if ok && !named {
					t.Errorf("%s %s does not say what %s is", method, path, part)
				}
			}
		}
	}
	for _, r := range (&server{}).routes() {
		if !written[r.pattern] {
			t.Errorf("openapi.yml lacks %s", r.pattern)
		}
		delete(written, r.pattern)
	}
	for p := range written {
		t.Errorf("openapi.yml has %s, the program has not", p)
	}
}

// TestProblems: every refusal is an RFC 9457 problem that says what to do otherwise.
func TestProblems(t *testing.T) {
	w := newWorld(t)
	w.person("quantri", access.Admin, access.AllUnits)
	w.person("truc", access.Analyst, access.AllUnits)
	w.raise(0)
	id := alertID(0).String()
	for _, x := range []struct {
		who, method, path, body string
		status                  int
		detail                  string
	}{
		{"", "GET", "/events", "", 401, "no bearer token"},
		{"quantri", "GET", "/events?q=user.name:%20(", "", 400, "1:"},
		{"quantri", "GET", "/stats?q=a:%20b%20and", "", 400, "1:"},
		{"quantri", "GET", "/fields?q=)", "", 400, "1:1"},
		{"quantri", "GET", "/events?limit=0", "", 400, "limit"},
		{"quantri", "GET", "/events?limit=10001", "", 400, "limit"},
		{"quantri", "GET", "/events?after=xyz", "", 400, "after"},
		{"quantri", "GET", "/events?from=h%C3%B4m+qua", "", 400, "from: "},
		{"quantri", "GET", "/events?from=9999-01-01", "", 400, "2200"},
		{"quantri", "GET", "/events?from=2026-02-01&to=2026-01-01", "", 400, "is after to"},
		{"quantri", "GET", "/events?from=now-99999d", "", 400, "from"},
		{"quantri", "GET", "/stats?by=median:a", "", 400, "histogram:1h"},
		{"quantri", "GET", "/stats?by=top:", "", 400, "by: "},
		{"quantri", "GET", "/stats?by=top:a:0", "", 400, "between 1 and 10000"},
		{"quantri", "GET", "/stats?by=histogram:1ms", "", 400, "take longer ones"},
		{"quantri", "GET", "/stats?by=histogram:-1h", "", 400, "by: "},
		{"quantri", "GET", "/stats?by=distinct:a&by=distinct:b&by=distinct:c&by=distinct:d&by=distinct:e", "", 400, "at most 4"},
		{"quantri", "GET", "/alerts?level=6", "", 400, "level"},
		{"quantri", "GET", "/alerts?severity=nghi%C3%AAm", "", 400, "severity"},
		{"quantri", "GET", "/alerts?status=done", "", 400, ""},
		{"quantri", "GET", "/alerts?sort=age", "", 400, ""},
		{"quantri", "GET", "/alerts?after=xyz", "", 400, "after"},
		{"quantri", "GET", "/alerts/12", "", 400, ""},
		{"quantri", "GET", "/alerts/" + alertID(9).String(), "", 404, "no such alert"},
		{"quantri", "POST", "/alerts/" + id + "/actions", `{"kind":"comment"`, 400, "JSON"},
		{"quantri", "POST", "/alerts/" + id + "/actions", `{"kind":"comment"} {}`, 400, "more follows"},
		{"quantri", "POST", "/alerts/" + id + "/actions", `{"kind":"comment","nota":"x"}`, 400, "nota"},
		{"quantri", "POST", "/alerts/" + id + "/actions", `{"kind":"comment","actor":"mai"}`, 400, "set by the server"},
		{"quantri", "POST", "/alerts/" + id + "/actions", `{"kind":"comment","note":"` + strings.Repeat("x", maxBody) + `"}`,
			413, "1 MiB"},
		{"quantri", "POST", "/alerts/" + id + "/actions", `{"kind":"raised"}`, 409, ""},
		{"quantri", "POST", "/alerts/" + id + "/actions", `{"kind":"close"}`, 409, ""},
		{"truc", "POST", "/alerts/" + id + "/actions", `{"kind":"declare"}`, 403, "lead"},
		{"quantri", "POST", "/alerts/" + alertID(9).String() + "/actions", `{"kind":"acknowledge"}`, 404, "no such alert"},
		{"quantri", "POST", "/people", `{"id":"truc","name":"Trực","roles":["analyst"]}`, 409, "exists already"},
		{"quantri", "POST", "/people", `{"id":"Trực","name":"","roles":["boss"]}`, 400, "a-z"},
		{"quantri", "PATCH", "/people/truc", `{"roles":["boss"]}`, 400, "boss"},
		{"quantri", "PATCH", "/people/nobody", `{"off":true}`, 404, "not found"},
		{"quantri", "POST", "/tokens", `{"name":"x","roles":["service"]}`, 400, "sources"},
		{"quantri", "POST", "/tokens", `{"name":"x","person":"nobody"}`, 404, "not found"},
		{"quantri", "POST", "/tokens", `{"name":"x","person":"truc","roles":["admin"]}`, 400, "no role"},
		{"quantri", "DELETE", "/tokens/nothing", "", 404, "not found"},
		{"quantri", "GET", "/sinks/nothing/dead", "", 404, "no sink"},
		{"quantri", "GET", "/stream?after=x", "", 400, "after"},
		{"quantri", "GET", "/nothing", "", 404, "GET /api/v1/nothing"},
		{"quantri", "GET", "/alerts/", "", 404, "/api/v1/alerts/"},
		{"quantri", "DELETE", "/events", "", 405, "takes GET"},
		{"quantri", "PUT", "/people", "", 405, "GET and POST"},
		{"truc", "POST", "/reload", "", 403, "config.reload"},
	} {
		var p struct {
			Title, Detail string
			Status        int
			Line, Column  int
		}
		resp := w.ask(x.who, x.method, x.path, x.body, &p)
		if resp.StatusCode != x.status || p.Status != x.status || p.Title == "" || !strings.Contains(p.Detail, x.detail) ||
			resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s %.60s: %d %+v, want %d %q", x.method, x.path, x.body, resp.StatusCode, p, x.status, x.detail)
		}
		if strings.Contains(x.path, "?q=") && (p.Line == 0 || p.Column == 0) {
			t.Errorf("%s: no place: %+v", x.path, p)
		}
		if x.status == 405 && resp.Header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", x.method, x.path)
		}
		if resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be cached", x.method, x.path)
		}
	}
}

// TestTokens: a token's text is told once, its hash never; a revoked one is refused from the next request on.
func TestTokens(t *testing.T) {
	w := newWorld(t)
	w.person("quantri", access.Admin, access.AllUnits)
	w.person("lan", access.Viewer, access.AllUnits)
	var made struct{ Token, ID string }
	if resp := w.ask("quantri", "POST", "/tokens", `{"name":"máy của Lan","person":"lan"}`, &made); resp.StatusCode != 201 {
		t.Fatalf("%d", resp.StatusCode)
	}
	w.tokens["lan"] = made.Token
	var list struct{ Tokens []json.RawMessage }
	w.ask("quantri", "GET", "/tokens", "", &list)
	for _, x := range list.Tokens {
		var token access.Token
		if err := json.Unmarshal(x, &token); err != nil || token.Hash != "" ||
			strings.Contains(string(x), made.Token[len(made.Token)-20:]) {
			t.Errorf("%v: %s", err, x)
		}
	}
	if resp := w.ask("lan", "GET", "/alerts", "", nil); resp.StatusCode != 200 {
		t.Errorf("before: %d", resp.StatusCode)
	}
	if resp := w.ask("quantri", "DELETE", "/tokens/"+made.ID, "", nil); resp.StatusCode != 204 {
		t.Errorf("revoking: %d", resp.StatusCode)
	}
	if resp := w.ask("lan", "GET", "/alerts", "", nil); resp.StatusCode != 401 {
		t.Errorf("after: %d", resp.StatusCode)
	}
}
