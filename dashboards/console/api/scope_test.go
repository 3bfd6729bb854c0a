// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/store"
)

type eventPage struct {
	Events []struct {
		At      string `json:"@timestamp"`
		Event   struct{ ID, Original string }
		Haidang struct {
			System struct{ ID string }
		}
	}
	After string
}

type alertPage struct {
	Alerts []json.RawMessage
	Total  int
	After  string
}

func systemsOf(t *testing.T, doc json.RawMessage) (id string, systems []string) {
	t.Helper()
	var a struct {
		Haidang struct {
			Alert struct {
				ID     string
				System []struct{ ID string }
			}
		}
	}
	if err := json.Unmarshal(doc, &a); err != nil {
		t.Fatal(err)
	}
	for _, s := range a.Haidang.Alert.System {
		systems = append(systems, s.ID)
	}
	return a.Haidang.Alert.ID, systems
}

// TestPages: following after to the end gives every event and every alert once, in order, also where many are of one
// instant.
func TestPages(t *testing.T) {
	w := newWorld(t)
	w.person("lan", access.Analyst, access.AllUnits)
	w.events(257)
	for i := range 31 {
		w.raise(i)
	}
	for _, limit := range []int{1000, 257, 100, 7} {
		var got []string
		after, times := "", []string{}
		for {
			var page eventPage
			w.ask("lan", "GET", fmt.Sprintf("/events?limit=%d&after=%s", limit, url.QueryEscape(after)), "", &page)
			for _, e := range page.Events {
				got, times = append(got, e.Event.Original), append(times, e.At)
			}
			if len(page.Events) > limit {
				t.Fatalf("%d events at limit %d", len(page.Events), limit)
			}
			if after = page.After; after == "" {
				break
			}
		}
		if !slices.IsSortedFunc(times, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("limit %d: not newest first", limit)
		}
		slices.Sort(got)
		if n := len(slices.Compact(slices.Clone(got))); n != 257 || len(got) != 257 {
			t.Errorf("limit %d: %d events, %d different", limit, len(got), n)
		}
	}
	for _, sort := range []string{"newest", "severest", "changed"} {
		var got []string
		for after := ""; ; {
			var page alertPage
			w.ask("lan", "GET", "/alerts?limit=4&sort="+sort+"&after="+url.QueryEscape(after), "", &page)
			for _, doc := range page.Alerts {
				id, _ := systemsOf(t, doc)
				got = append(got, id)
				if strings.Contains(string(doc), "bí mật") {
					t.Error("a list carries evidence")
				}
			}
			if page.Total != 31 {
				t.Errorf("total %d", page.Total)
			}
			if after = page.After; after == "" {
				break
			}
		}
		slices.Sort(got)
		if n := len(slices.Compact(slices.Clone(got))); n != 31 || len(got) != 31 {
			t.Errorf("%s: %d alerts, %d different", sort, len(got), n)
		}
	}
}

// TestScope: who sees single units sees their events and alerts, those of the units under them, and nothing else by any
// way of asking.
func TestScope(t *testing.T) {
	w := newWorld(t)
	w.events(90)
	for i := range 9 {
		w.raise(i)
	}
	for who, sees := range map[string][]string{"tinh": {"dvc", "xaht", "his"}, "so": {"dvc", "xaht"}, "xa": {"xaht"},
		"benhvien": {"his"}, "khong": nil} {
		units := []string{who}
		switch who {
		case "tinh":
			units = []string{access.AllUnits}
		case "khong":
			units = nil
		}
		w.person(who, access.Lead, units...)
		may := func(system string) bool { return slices.Contains(sees, system) }

		var page eventPage
		w.ask(who, "GET", "/events?limit=1000", "", &page)
		if len(page.Events) != 30*len(sees) {
			t.Errorf("%s: %d events, want %d", who, len(page.Events), 30*len(sees))
		}
		for _, e := range page.Events {
			if !may(e.Haidang.System.ID) {
				t.Errorf("%s sees an event of %s", who, e.Haidang.System.ID)
			}
		}
		// A query cannot reach around the scope.
		for _, q := range []string{"haidang.unit.id: *", "not haidang.unit.id: xa or haidang.unit.id: xa", "* or *",
			"haidang.system.id: (dvc or xaht or his)"} {
			var page eventPage
			w.ask(who, "GET", "/events?limit=1000&q="+url.QueryEscape(q), "", &page)
			if len(page.Events) != 30*len(sees) {
				t.Errorf("%s: %q finds %d events", who, q, len(page.Events))
			}
		}
		var table store.Table
		w.ask(who, "GET", "/stats?by=top:haidang.system.id:10&by=distinct:event.original", "", &table)
		if table.Total != uint64(30*len(sees)) || len(table.Rows) != len(sees) {
			t.Errorf("%s: stats %+v", who, table)
		}
		for _, r := range table.Rows {
			if !may(r.Keys[0]) {
				t.Errorf("%s: stats count %s", who, r.Keys[0])
			}
		}
		var fields struct{ Fields []store.FieldInfo }
		w.ask(who, "GET", "/fields", "", &fields)
		for _, f := range fields.Fields {
			if f.Name == "user.name" && !may("his") {
				t.Errorf("%s: fields tell of %s", who, f.Name)
			}
			if f.Count > uint64(30*len(sees)) {
				t.Errorf("%s: %s is in %d events", who, f.Name, f.Count)
			}
		}
		var list alertPage
		w.ask(who, "GET", "/alerts?limit=100", "", &list)
		if list.Total != 3*len(sees) || len(list.Alerts) != 3*len(sees) {
			t.Errorf("%s: %d of %d alerts", who, len(list.Alerts), list.Total)
		}
		for i := range 3 {
			want, id := 404, alertID(i).String()
			if may(owners[i][0]) {
				want = 200
			}
			if resp := w.ask(who, "GET", "/alerts/"+id, "", nil); resp.StatusCode != want {
				t.Errorf("%s: alert of %s: %d", who, owners[i][0], resp.StatusCode)
			}
			resp := w.ask(who, "POST", "/alerts/"+id+"/actions", `{"kind":"comment","note":"xem"}`, nil)
			if resp.StatusCode != want {
				t.Errorf("%s: acting on an alert of %s: %d", who, owners[i][0], resp.StatusCode)
			}
		}
		var systems struct{ Systems []struct{ ID string } }
		w.ask(who, "GET", "/systems", "", &systems)
		for _, s := range systems.Systems {
			if !may(s.ID) {
				t.Errorf("%s sees the system %s", who, s.ID)
			}
		}
		if len(systems.Systems) != len(sees) {
			t.Errorf("%s: %d systems", who, len(systems.Systems))
		}
		var sources struct{ Sources []Source }
		w.ask(who, "GET", "/sources", "", &sources)
		if (len(sources.Sources) > 0) != (who == "tinh") {
			t.Errorf("%s: sources %+v", who, sources)
		}
	}
}
