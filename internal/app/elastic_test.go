// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestElasticsearch: a datagram and the alert it raises reach a cluster that was away at first; the spool keeps what it
// has not acknowledged.
func TestElasticsearch(t *testing.T) {
	var away atomic.Bool
	var events, signals atomic.Int32
	away.Store(true)
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		switch {
		case away.Load():
			http.Error(w, "no", http.StatusServiceUnavailable)
		case r.URL.Path == "/":
			fmt.Fprint(w, `{"version":{"number":"8.19.0"}}`)
		case r.URL.Path == "/_bulk":
			n := strings.Count(string(body), "\n") / 2
			signals.Add(int32(strings.Count(string(body), `{"index":{"_index":"haidang-signal"`)))
			events.Add(int32(strings.Count(string(body), `{"create":{"_index":"logs-haidang.event-r`)))
			fmt.Fprintf(w, `{"items":[%s]}`, strings.TrimSuffix(strings.Repeat(`{"create":{"status":201}},`, n), ","))
		case r.Method == http.MethodGet:
			w.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprint(w, `{}`)
		}
	}))
	defer cluster.Close()
	a := startApp(t, fmt.Sprintf(`
builtin_rules: false
rules: [%q]
store: {sync: 1s}
elasticsearch: {urls: [%q]}
collectors:
  - syslog: {name: main, listen: "127.0.0.1:0"}
`, writeRule(t, testRule), cluster.URL))
	conn := dial(t, a, "udp")
	defer conn.Close()
	fmt.Fprint(conn, "<38>Nov 24 02:10:00 dvc-web-01 sshd[4711]: Failed password for root from 203.0.113.9 port 40001 ssh2")
	eventually(t, "the local index", func() bool { return a.indexed.Load() > 2 && a.store.Counts().Stored > 0 })
	if c := a.spool.Trimmed(readerElastic); !c.IsZero() {
		t.Errorf("the spool may forget %s, which the cluster never had", c)
	}
	away.Store(false)
	eventually(t, "event and alert in the cluster", func() bool { return events.Load() > 0 && signals.Load() > 0 })
	eventually(t, "the cursor", func() bool { return a.spool.Trimmed(readerElastic).Seq(0) > 2 })
}
