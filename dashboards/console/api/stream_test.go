// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store"
)

// message is one server-sent event.
type message struct{ id, data string }

// listen opens a stream; its head was sent when it returns, so that what comes later is in it.
func (w *world) listen(url, who, after string) (*http.Response, func() (message, error)) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", url+"/api/v1/stream", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.tokens[who])
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	lines := bufio.NewReader(resp.Body)
	return resp, func() (m message, err error) {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return m, err
			}
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				m.id = strings.TrimSpace(id)
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				m.data = data
			}
			if line == "\n" && m.data != "" {
				return m, nil
			}
		}
	}
}

// TestStream: every change comes once and in order to who may see it; a stream goes on behind what was seen; it ends
// when the server stops.
func TestStream(t *testing.T) {
	w := newWorld(t)
	w.person("tinh", access.Analyst, access.AllUnits)
	w.person("xa", access.Viewer, "xa")
	s := httptest.NewServer(w.handler)
	defer s.Close()
	w.raise(0) // before: not in a stream that begins now
	resp, all := w.listen(s.URL, "tinh", "")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	_, part := w.listen(s.URL, "xa", "")
	for i := 1; i < 6; i++ {
		w.raise(i)
	}
	w.ask("tinh", "POST", "/alerts/"+alertID(4).String()+"/actions", `{"kind":"acknowledge"}`, nil)
	read := func(next func() (message, error), n int) (ids, systems []string) {
		t.Helper()
		for range n {
			m, err := next()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(m.data, "bí mật") {
				t.Error("a stream carries evidence")
			}
			_, list := systemsOf(t, json.RawMessage(m.data))
			ids, systems = append(ids, m.id), append(systems, list...)
		}
		return ids, systems
	}
	ids, systems := read(all, 6)
	if strings.Join(ids, " ") != "2 3 4 5 6 7" || strings.Join(systems, " ") != "xaht his dvc xaht his xaht" {
		t.Errorf("%v %v", ids, systems)
	}
	if ids, systems = read(part, 3); strings.Join(ids, " ") != "2 5 7" ||
		slices.ContainsFunc(systems, func(s string) bool { return s != "xaht" }) {
		t.Errorf("of one unit: %v %v", ids, systems)
	}
	_, again := w.listen(s.URL, "tinh", "5")
	if ids, _ = read(again, 2); strings.Join(ids, " ") != "6 7" {
		t.Errorf("behind 5: %v", ids)
	}
	close(w.stopping)
	for name, next := range map[string]func() (message, error){"all": all, "part": part, "again": again} {
		if m, err := next(); err != io.EOF {
			t.Errorf("%s: after the stop %+v, %v", name, m, err)
		}
	}
}

// TestDeclare: declaring an incident starts the legal clocks of the systems touched, from the time of detection.
func TestDeclare(t *testing.T) {
	w := newWorld(t)
	w.person("truong", access.Lead, access.AllUnits)
	w.raise(0)
	var doc struct {
		Haidang struct {
			Alert struct {
				Status   string
				Incident struct {
					By     string
					Clocks []struct{ Due, After int64 }
				}
			}
		}
	}
	body := `{"kind":"declare","class":"chiếm quyền điều khiển"}`
	resp := w.ask("truong", "POST", "/alerts/"+alertID(0).String()+"/actions", body, &doc)
	incident := doc.Haidang.Alert.Incident
	if resp.StatusCode != 200 || incident.By != "truong" || len(incident.Clocks) == 0 {
		t.Fatalf("%d %+v", resp.StatusCode, doc)
	}
	for _, c := range incident.Clocks {
		if c.Due-c.After != w.base.UnixNano() {
			t.Errorf("a clock does not run from the detection: %+v", c)
		}
	}
}

// noStore is a Querier that cannot answer now.
type noStore struct{ store.Querier }

func (noStore) Events(context.Context, store.Query) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		yield(event.Event{}, fmt.Errorf("%w: the store is down", ErrUnavailable))
	}
}

// TestDown: without a store the rest answers, and a search says that it will come back.
func TestDown(t *testing.T) {
	w := newWorld(t)
	w.person("lan", access.Analyst, access.AllUnits)
	w.server.Events = noStore{}
	w.handler = New(w.server.Config)
	var p struct{ Detail string }
	if resp := w.ask("lan", "GET", "/events", "", &p); resp.StatusCode != 503 || !strings.Contains(p.Detail, "down") {
		t.Errorf("%d %+v", resp.StatusCode, p)
	}
	if resp := w.ask("lan", "GET", "/alerts", "", nil); resp.StatusCode != 200 {
		t.Errorf("%d", resp.StatusCode)
	}
}
