// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package webhook_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/sinks/outbound"
	"github.com/haidang-soc/haidang/internal/sinks/sinktest"
	"github.com/haidang-soc/haidang/internal/sinks/webhook"
)

const secret = "bí mật dùng chung, đủ dài"

func TestConformance(t *testing.T) {
	sinktest.Run(t, sinktest.Kind{
		New: func(t *testing.T, client *http.Client, base string) sinks.Sink {
			s, err := webhook.New(webhook.Config{
				URL: outbound.Secret(base + "/hook/token-in-the-path"), Secret: secret, Client: client,
			})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Peer: func() (http.Handler, func() int) {
			var mu sync.Mutex
			keys := map[string]bool{}
			h := func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err == nil {
					err = webhook.Verify(secret, r.Header.Get(webhook.SignatureHeader), body, time.Now())
				}
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				keys[r.Header.Get("Idempotency-Key")] = true
			}
			return http.HandlerFunc(h), func() int {
				mu.Lock()
				defer mu.Unlock()
				return len(keys)
			}
		},
		Secrets: []string{secret, "token-in-the-path"},
	})
}

func TestBodyDisclosesNoMoreThanAllowed(t *testing.T) {
	const who, what, system, original = "198.51.100.7", "Dò mật khẩu", "Cổng dịch vụ công", "Failed password"
	for how, want := range map[sinks.Disclosure][4]bool{
		sinks.Pointer: {},
		sinks.Summary: {false, true, true, false},
		sinks.Full:    {true, true, true, true},
	} {
		body, err := webhook.Body(sinktest.Delivery(1, how))
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range []string{who, what, system, original} {
			if strings.Contains(string(body), text) != want[i] {
				t.Errorf("%s: %q in the body: %v, want %v\n%s", how, text, !want[i], want[i], body)
			}
		}
		for _, text := range []string{`"kind":"signal"`, `"severity":"high"`, `"level":3`, "https://soc.example/alerts/0100"} {
			if !strings.Contains(string(body), text) {
				t.Errorf("%s: %s is missing in %s", how, text, body)
			}
		}
		for _, name := range []string{"lan.tran", "so-kh"} {
			if how != sinks.Full && strings.Contains(string(body), name) {
				t.Errorf("%s names %s: %s", how, name, body)
			}
		}
	}
}

func TestSeveralAlertsAreAnArray(t *testing.T) {
	d := sinktest.Delivery(1, sinks.Pointer)
	d.States = append(d.States, &alert.State{Alert: &alert.Alert{ID: alert.ID{2}, Update: 1}})
	d.Links = append(d.Links, "")
	body, err := webhook.Body(d)
	if err != nil || body[0] != '[' || strings.Count(string(body), `"kind":"signal"`) != 2 {
		t.Errorf("%s, %v", body, err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	body := []byte(`{"a":1}`)
	good := webhook.Sign(secret, now, body)
	for name, f := range map[string]func() error{
		"other body":   func() error { return webhook.Verify(secret, good, []byte(`{"a":2}`), now) },
		"other secret": func() error { return webhook.Verify("another one", good, body, now) },
		"too old":      func() error { return webhook.Verify(secret, good, body, now.Add(webhook.Tolerance+time.Second)) },
		"too early":    func() error { return webhook.Verify(secret, good, body, now.Add(-webhook.Tolerance-time.Second)) },
		"other time":   func() error { return webhook.Verify(secret, strings.Replace(good, "t=179", "t=178", 1), body, now) },
		"no header":    func() error { return webhook.Verify(secret, "", body, now) },
		"not hex":      func() error { return webhook.Verify(secret, "t=1790000000,v1=xyz", body, now) },
		"no time":      func() error { return webhook.Verify(secret, "t=x,v1=00", body, now) },
	} {
		if f() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := webhook.Verify(secret, good, body, now.Add(webhook.Tolerance)); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]webhook.Config{
		"no url":       {Secret: secret, Client: http.DefaultClient},
		"password":     {URL: "https://u:p@example.org/", Secret: secret, Client: http.DefaultClient},
		"short secret": {URL: "https://example.org/", Secret: "short", Client: http.DefaultClient},
		"no client":    {URL: "https://example.org/", Secret: secret},
	} {
		if _, err := webhook.New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		} else if strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: the error repeats the URL", name)
		}
	}
}
