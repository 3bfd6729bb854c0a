// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func serve(t *testing.T, status int, body string) *Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	c, err := New(Config{Server: s.URL + "/"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNew(t *testing.T) {
	for _, bad := range []Config{{Server: "soc.tinh.example"}, {Server: "://x"}, {Data: t.TempDir()}} {
		if _, err := New(bad); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

// TestProblem: the server's own words are what the person reads, whatever stands between.
func TestProblem(t *testing.T) {
	for body, want := range map[string]string{
		`{"title":"not found","status":404,"detail":"no such alert"}`: "not found: no such alert",
		`{"title":"not found"}`: "not found",
		`<html>proxy</html>`:    "404 Not Found",
		``:                      "404 Not Found",
	} {
		err := serve(t, 404, body).Do(t.Context(), "GET", "/alerts/x", nil, nil)
		var p *Problem
		if !errors.As(err, &p) || err.Error() != want {
			t.Errorf("%q: %v", body, err)
		}
	}
	p := Problem{Line: 2, Column: 3}
	if got := p.Caret("một\nậ ("); got != "ậ (\n  ^" {
		t.Errorf("%q", got)
	}
}

func TestStream(t *testing.T) {
	c := serve(t, 200, ": alive\n\nid: 1\nevent: alert\ndata: {\"a\":1}\n\nid: 2\nevent: alert\ndata: {\"a\":2}\n\n")
	var got []string
	err := c.Stream(t.Context(), "/stream", func(data []byte) error {
		got = append(got, string(data))
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "ended the stream") || strings.Join(got, " ") != `{"a":1} {"a":2}` {
		t.Errorf("%v, %v", err, got)
	}
	enough := errors.New("enough")
	if err := c.Stream(t.Context(), "/stream", func([]byte) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	err = c.Stream(ctx, "/stream", func([]byte) error {
		stop()
		return nil
	})
	if err != nil {
		t.Errorf("stopped: %v", err)
	}
}
