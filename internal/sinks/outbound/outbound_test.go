// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/sinks"
)

func mustNew(t *testing.T, cfg Config) *http.Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(t *testing.T, c *http.Client, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func TestProxyComesFromTheConfigurationAlone(t *testing.T) {
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.String() + " " + r.Header.Get("Proxy-Authorization"))
		_, _ = w.Write([]byte("through the proxy"))
	}))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("soc", "proxy-password")
	body, err := get(t, mustNew(t, Config{Proxy: u.String()}), "http://hooks.example.test/x")
	if err != nil || body != "through the proxy" || asked.Load() != "http://hooks.example.test/x Basic c29jOnByb3h5LXBhc3N3b3Jk" {
		t.Errorf("%q, %v; the proxy saw %v", body, err, asked.Load())
	}

	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	tr, ok := mustNew(t, Config{}).Transport.(*http.Transport)
	if !ok || tr.Proxy != nil {
		t.Error("the environment's proxy is used")
	}
}

func TestPrivateCA(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("private"))
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	defer srv.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if body, err := get(t, mustNew(t, Config{CA: ca}), srv.URL); err != nil || body != "private" {
		t.Errorf("%q, %v", body, err)
	}
	if _, err := get(t, mustNew(t, Config{}), srv.URL); err == nil {
		t.Error("an unknown authority is trusted")
	}
}

func TestRedirectsStayOnTheHost(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	defer other.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/near":
			http.Redirect(w, r, "/here", http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusTemporaryRedirect)
		default:
			_, _ = w.Write([]byte("here"))
		}
	}))
	defer srv.Close()
	c := mustNew(t, Config{})
	if body, err := get(t, c, srv.URL+"/near"); err != nil || body != "here" {
		t.Errorf("%q, %v", body, err)
	}
	if _, err := get(t, c, srv.URL+"/away"); !errors.Is(err, errRedirect) {
		t.Errorf("to another host: %v", err)
	}
	if _, err := get(t, c, srv.URL+"/loop"); err == nil {
		t.Error("a loop of redirects was followed")
	}
}

func TestTimeout(t *testing.T) {
	hang := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(hang)
	if _, err := get(t, mustNew(t, Config{Timeout: 20 * time.Millisecond}), srv.URL); err == nil {
		t.Error("no time-out")
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"proxy scheme": {Proxy: "socks5://soc:hunter2@proxy:1080"}, "proxy host": {Proxy: "http://"},
		"proxy junk": {Proxy: "http://soc:hunter2@bad host/"}, "ca": {CA: []byte("not PEM")},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the password", name)
		}
	}
}

func TestErrorsShowNoURL(t *testing.T) {
	_, err := get(t, mustNew(t, Config{}), "http://127.0.0.1:1/hook/very-secret-token")
	if err == nil {
		t.Fatal("somebody listens on port 1")
	}
	failed := Failed(err)
	var again *sinks.RetryError
	if strings.Contains(failed.Error(), "very-secret") || !errors.As(failed, &again) || !again.Refused {
		t.Errorf("%v", failed)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := Secret("hunter2")
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "config", struct{ S Secret }{s})
	data, err := json.Marshal(struct{ S Secret }{s})
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %s %q %#v %+v", s, s, s, s, struct{ S Secret }{s}), string(data), log.String(),
	} {
		if strings.Contains(out, "hunter2") {
			t.Errorf("printed: %s", out)
		}
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal does not reveal")
	}
}

func TestRetryAfter(t *testing.T) {
	f := func(header string, want time.Duration) {
		t.Helper()
		h := http.Header{}
		h.Set("Retry-After", header)
		if got := RetryAfter(h, time.Minute); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
	f("7", 7*time.Second)
	f(" 30 ", 30*time.Second)
	f("0", time.Second)
	f("", time.Minute)
	f("soon", time.Minute)
	f("-5", time.Minute)
	f("99999999999999999999", time.Minute)
	f("Wed, 02 Sep 2020 02:10:00 GMT", time.Second) // in the past
	h := http.Header{"Retry-After": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}}
	if got := RetryAfter(h, 0); got < 55*time.Minute || got > time.Hour {
		t.Errorf("a date an hour ahead: %s", got)
	}
}

func TestCheck(t *testing.T) {
	for code, want := range map[int]string{
		200: "ok", 204: "ok", 302: "permanent", 400: "permanent", 401: "permanent", 404: "permanent", 408: "again",
		410: "permanent", 425: "again", 429: "refused", 500: "again", 502: "again", 503: "again",
	} {
		err := Check(&http.Response{StatusCode: code, Header: http.Header{}})
		var again *sinks.RetryError
		got := "ok"
		switch {
		case errors.Is(err, sinks.ErrPermanent):
			got = "permanent"
		case errors.As(err, &again) && again.Refused:
			got = "refused"
		case err != nil:
			got = "again"
		}
		if got != want {
			t.Errorf("%d: %s, want %s", code, got, want)
		}
	}
}
