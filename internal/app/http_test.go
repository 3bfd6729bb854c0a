// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
)

// TestSecrets: what is secret is in no metric, no log, no answer and no error, also when sending fails.
func TestSecrets(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer hook.Close()
	s := newSite(t, fmt.Sprintf(`
builtin_rules: false
rules: [rule.yml]
sinks:
  - webhook: {url: "%s/services/hook-in-url", secret: signing-secret-123456, min_severity: info}
  - slack: {channel: C0123456789, token: xoxb-slack-secret, api: "%s/", min_severity: info}
`, hook.URL, hook.URL))
	s.write("rule.yml", detection("A", "an"))
	a := s.open()
	s.run(a)
	if err := a.people.AddPerson(t.Context(), "t", access.Person{ID: "lan", Name: "Lan",
		Roles: []access.Role{access.Admin}, Units: []string{"*"}}); err != nil {
		t.Fatal(err)
	}
	token, stored, err := a.people.Issue(t.Context(), "t", access.Token{Name: "t", Person: "lan"})
	if err != nil {
		t.Fatal(err)
	}
	s.line(a, "x", failed("an"))
	eventually(t, "both sinks' failures", func() bool {
		failed := 0
		for _, k := range a.sinks.Status() {
			if k.Failed > 0 {
				failed++
			}
		}
		return failed == 2
	})
	texts := map[string]string{"log": s.log.String()}
	for _, path := range []string{"/metrics", "/readyz", "/healthz", "/api/v1/sinks", "/api/v1/tokens", "/api/v1/people",
		"/api/v1/sources", "/api/v1/alerts", "/api/v1/nothing"} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+a.HTTPAddr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || len(body) == 0 {
			t.Errorf("%s: %v, %d bytes", path, err, len(body))
		}
		texts[path] = string(body)
	}
	for where, text := range texts {
		for _, secret := range []string{"signing-secret", "hook-in-url", "xoxb-slack", token[len(token)-24:], stored.Hash} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %s:\n%s", where, secret, text)
			}
		}
	}
	if !strings.Contains(texts["/readyz"], "deliveries wait") {
		t.Errorf("/readyz does not tell of the sinks: %s", texts["/readyz"])
	}
	if !strings.Contains(texts["/metrics"], "haidang_sink_waiting") {
		t.Error("/metrics does not tell of the sinks")
	}
}

// TestStop: a stop ends streams at once, lets requests under way finish, and leaves no handler behind.
func TestStop(t *testing.T) {
	s := newSite(t, "builtin_rules: false\n")
	a := s.open()
	stop := s.run(a)
	if err := a.people.AddPerson(t.Context(), "t", access.Person{ID: "lan", Name: "Lan",
		Roles: []access.Role{access.Admin}, Units: []string{"*"}}); err != nil {
		t.Fatal(err)
	}
	token, _, err := a.people.Issue(t.Context(), "t", access.Token{Name: "t", Person: "lan"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+a.HTTPAddr()+"/api/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	stream, err := http.DefaultClient.Do(r)
	if err != nil || stream.StatusCode != 200 {
		t.Fatalf("%v, %+v", err, stream)
	}
	defer stream.Body.Close()
	// A request whose body has not come yet: it is under way.
	c, err := net.Dial("tcp", a.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body := `{"id":"mai","name":"Mai","roles":["viewer"],"units":[]}`
	fmt.Fprintf(c, "POST /api/v1/people HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\n"+
		"Content-Length: %d\r\n\r\n", token, len(body))
	in := bufio.NewReader(c)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	if rest, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("the stream ended with %v after %q", err, rest)
	}
	fmt.Fprint(c, body)
	if answer, err := io.ReadAll(in); err != nil || !strings.Contains(string(answer), " 201 Created") {
		t.Errorf("the request under way: %v\n%s", err, answer)
	}
	<-stopped
	if _, err := net.Dial("tcp", a.HTTPAddr()); err == nil {
		t.Error("it still listens")
	}
}

// TestListenerFails: a listener that fails ends the server, which the parent starts again.
func TestListenerFails(t *testing.T) {
	a := newSite(t, "builtin_rules: false\n").open()
	defer a.Close()
	w, err := a.listenHTTP(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.net.Close()
	if err := w.run(t.Context()); err == nil {
		t.Error("no error")
	}
	if _, err := net.Dial("unix", filepath.Join(a.cfg.Data, "api.sock")); err == nil {
		t.Error("the other listener still serves")
	}
}

func TestCapped(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	limited := capped(l, 2)
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := limited.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(time.Minute)) // against hanging
		return c
	}
	dial()
	first := <-accepted
	dial()
	<-accepted
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("a third connection is open")
	}
	first.Close()
	first.Close() // frees one place only
	dial()
	<-accepted
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("closing twice made two places")
	}
}

// TestStrict: a listener with parser: strict refuses what is neither RFC 5424 nor RFC 3164; another one takes it.
func TestStrict(t *testing.T) {
	s := newSite(t, `builtin_rules: false
store: {sync: 1s}
collectors:
  - syslog: {name: nghiem, listen: "127.0.0.1:0", parser: strict}
  - syslog: {name: rong, listen: "127.0.0.1:0"}
`)
	a := s.open()
	s.run(a)
	s.line(a, "nghiem", "không có đầu dòng")
	s.line(a, "rong", "không có đầu dòng")
	eventually(t, "both events", func() bool { return found(t, a, "haidang.listener: (nghiem or rong)") == 2 })
	for listener, want := range map[string]int{"nghiem": 1, "rong": 0} {
		if n := found(t, a, "event.kind: pipeline_error and haidang.listener: "+listener); n != want {
			t.Errorf("%s: %d pipeline errors", listener, n)
		}
	}
}

// TestDataDirectory: two servers do not share one, a later format is not touched, and a path too long for the socket is
// told as such.
func TestDataDirectory(t *testing.T) {
	s := newSite(t, "builtin_rules: false\n")
	a := s.open()
	c, err := s.load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Config: c}); err == nil || !strings.Contains(err.Error(), "in use by another haidang") {
		t.Errorf("a second server: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(c.Data, "version"), []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Config: c}); err == nil || !strings.Contains(err.Error(), `format "99"`) {
		t.Errorf("a later format: %v", err)
	}
	if _, err := listenUnix("/" + strings.Repeat("x", 120) + "/api.sock"); err == nil || !strings.Contains(err.Error(), "shorter path") {
		t.Errorf("a long path: %v", err)
	}
}
