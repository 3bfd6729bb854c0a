// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// TestMetricsLint wants /metrics to keep the conventions of Prometheus, by the code of `promtool check metrics`.
func TestMetricsLint(t *testing.T) {
	a := startApp(t, "collectors:\n  - syslog: {name: main, listen: \"127.0.0.1:0\"}\n"+
		"  - netflow: {name: flows, listen: \"127.0.0.1:0\"}\n"+
		"sinks:\n  - webhook: {url: \"http://127.0.0.1:1/\", secret: \"0123456789abcdef0123\"}\n")
	eventually(t, "the listeners", func() bool {
		return len(a.ListenerAddrs("main")) > 0 && len(a.ListenerAddrs("flows")) > 0
	})
	resp, err := http.Get("http://" + a.HTTPAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v: %s", resp.Status, err, body)
	}
	for _, name := range []string{"haidang_listener_received_total", "haidang_zone_origins", "haidang_spool_events_total",
		"haidang_sink_waiting"} {
		if !bytes.Contains(body, []byte("# TYPE "+name+" ")) {
			t.Errorf("there is no %s", name)
		}
	}
	if bytes.Contains(body, []byte(listenerHelp(""))) {
		t.Errorf("a number of a listener is not explained: see listenerHelp")
	}
	problems, err := promlint.New(bytes.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
