// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/ledger"
)

// socketGet asks the server over its own socket, as the command line does.
func socketDo(t *testing.T, data, method, path, body string, into any) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(data, "api.sock"))
	}}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://haidang/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatalf("%s: %v: %s", path, err, raw)
		}
	}
	return res.StatusCode
}

// TestLedgerBalances sends through the whole server, twice with a restart between, and finds every line in the book.
func TestLedgerBalances(t *testing.T) {
	dir := t.TempDir()
	sample, err := os.ReadFile(filepath.Join("..", "..", "deploy", "sample", "inventory.yml"))
	if err != nil {
		t.Fatal(err)
	}
	inventory := filepath.Join(dir, "inventory.yml")
	if err := os.WriteFile(inventory, sample, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(filepath.Join(dir, "haidang.yml"), []byte(`
data: data
inventory: inventory.yml
http: {listen: "127.0.0.1:0"}
spool: {reserve: 1}
builtin_rules: false
collectors:
  - syslog: {name: main, listen: "127.0.0.1:0", protocol: tcp, site: dc1}
`))
	if err != nil {
		t.Fatal(err)
	}
	const lines = 500
	var sent uint64
	for run := range 2 {
		log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
		a, err := Open(t.Context(), Options{Config: c, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		conn := dial(t, a, "tcp")
		for i := range lines {
			fmt.Fprintf(conn, "<38>%s dvc-web-01 sshd[%d]: Failed password for root from 203.0.113.9 port %d ssh2\n",
				time.Now().Format(time.Stamp), i+1, 40000+i)
		}
		conn.Close()
		sent += lines
		var row ledger.Row
		eventually(t, "all lines in the book", func() bool {
			var v ledger.View
			if code := socketDo(t, c.Data, "GET", "/ledger", "", &v); code != http.StatusOK {
				t.Fatalf("status %d", code)
			}
			for _, r := range v.Sources {
				if len(r.Troubles) > 0 {
					t.Fatalf("%+v", r)
				}
				if r.Source == "listener/main" {
					row = r
				}
			}
			return v.Balanced && row.Stored == sent && row.Received == sent && row.Waiting == 0
		})
		if row.Accepted != sent || row.Decoded != sent || row.Read != sent || row.Known != 0 || row.At.Accepted != row.At.Stored {
			t.Errorf("run %d: %+v", run, row)
		}
		var page struct{ Origins []ledger.Origin }
		socketDo(t, c.Data, "GET", "/ledger/origins", "", &page)
		found := false
		for _, o := range page.Origins {
			if o.Name == "127.0.0.1" {
				found = true
				if o.Accepted != sent || !strings.Contains(o.LooksLike, "Linux") || o.Site != "dc1" {
					t.Errorf("run %d: %+v", run, o)
				}
			}
		}
		if !found {
			t.Errorf("run %d: no row for the sender: %+v", run, page.Origins)
		}
		if run == 1 {
			adoptOverAPI(t, a, c.Data, inventory)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

func adoptOverAPI(t *testing.T, a *App, data, inventory string) {
	t.Helper()
	var refused struct{ Detail string }
	if code := socketDo(t, data, "POST", "/ledger/adopt", `{"address": "10.10.1.99", "system": "khong-co"}`, &refused); code != 422 ||
		!strings.Contains(refused.Detail, "khong-co") {
		t.Errorf("%d %+v", code, refused)
	}
	if code := socketDo(t, data, "POST", "/ledger/adopt", `{"address": "mười", "system": "portal"}`, nil); code != 400 {
		t.Errorf("status %d", code)
	}
	before := a.inventory.Get().Version()
	var done struct{ Inventory string }
	if code := socketDo(t, data, "POST", "/ledger/adopt",
		`{"address": "10.10.1.99", "system": "portal", "site": "dc1"}`, &done); code != 200 {
		t.Fatalf("status %d", code)
	}
	if done.Inventory == before || a.inventory.Get().Version() != done.Inventory {
		t.Errorf("the inventory in use is %s, before %s, answered %s", a.inventory.Get().Version(), before, done.Inventory)
	}
	text, _ := os.ReadFile(inventory)
	if !strings.Contains(string(text), "addresses: [10.10.1.99], site: dc1}") {
		t.Error("the file does not have it")
	}
}
