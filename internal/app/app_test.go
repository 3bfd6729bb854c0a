// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/app/config"
)

const testRule = `
title: Thử nghiệm đăng nhập sai
id: 5b6f9a52-6f0e-4b5e-9d0b-3c1c2f0a7e11
description: Một lần đăng nhập sai
level: high
logsource: {product: linux, service: sshd}
detection:
  sel:
    event.action: ssh_login
    event.outcome: failure
  condition: sel
`

// startApp runs a server with the given configuration until the test ends.
func startApp(t *testing.T, yaml string) *App {
	t.Helper()
	dir := t.TempDir()
	c, err := config.Parse(filepath.Join(dir, "haidang.yml"), []byte("data: data\nhttp: {listen: \"127.0.0.1:0\"}\n"+
		"spool: {reserve: 1}\n"+yaml))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	a, err := Open(t.Context(), Options{Config: c, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return a
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

// eventually waits for a condition; the deadline is a guard against hanging.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(90 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("%s: it did not come", what)
		case <-tick.C:
		}
	}
}

// dial connects to the listener main, once it listens, until the test ends.
func dial(t *testing.T, a *App, network string) net.Conn {
	t.Helper()
	var list []net.Addr
	eventually(t, "the listener", func() bool {
		list = a.ListenerAddrs("main")
		return len(list) > 0
	})
	conn, err := net.Dial(network, list[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func writeRule(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rule.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSpine is the sentence in one test: a datagram in, an alert out of a webhook.
func TestSpine(t *testing.T) {
	got := make(chan string, 16)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
	}))
	defer hook.Close()
	a := startApp(t, fmt.Sprintf(`
builtin_rules: false
rules: [%q]
collectors:
  - syslog: {name: main, listen: "127.0.0.1:0"}
sinks:
  - webhook: {url: %q, secret: "0123456789abcdef0123", min_severity: info, disclose: full}
`, writeRule(t, testRule), hook.URL))
	conn := dial(t, a, "udp")
	defer conn.Close()
	fmt.Fprintf(conn, "<38>%s dvc-web-01 sshd[4711]: Failed password for root from 203.0.113.9 port 40001 ssh2",
		time.Now().Format(time.Stamp))
	select {
	case body := <-got:
		t.Logf("%s", body)
	case <-time.After(90 * time.Second):
		t.Fatal("no alert reached the webhook")
	}
	eventually(t, "the event in the index", func() bool { return a.store.Counts().Stored > 0 })
}
