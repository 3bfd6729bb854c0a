// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/natstest"
	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// The units of the tests' province: the commune is under the department, the hospital is beside them.
const testInventory = `
sites: [{id: dc1, cidrs: [10.10.0.0/16]}]
units:
  - {id: so, name: Sở Thông tin, role: owner}
  - {id: xa, name: Ủy ban nhân dân xã, parent: so, role: owner}
  - {id: benhvien, name: Bệnh viện tỉnh, role: owner}
systems:
  - {id: dvc, name: Cổng Dịch vụ công, owner: so, level: 3, decision: {status: approved, basis: NĐ 331/2026/NĐ-CP},
    components: [{name: web, addresses: [10.10.1.1], site: dc1}]}
  - {id: xaht, name: Hệ thống của xã, owner: xa, level: 2, decision: {status: approved, basis: NĐ 331/2026/NĐ-CP},
    components: [{name: web, addresses: [10.10.1.2], site: dc1}]}
  - {id: his, name: Hồ sơ bệnh án, owner: benhvien, level: 3, decision: {status: approved, basis: NĐ 331/2026/NĐ-CP},
    components: [{name: web, addresses: [10.10.1.3], site: dc1}]}
`

// system and unit of each third event and alert.
var owners = [3][2]string{{"dvc", "so"}, {"xaht", "xa"}, {"his", "benhvien"}}

// world is the API over real parts.
type world struct {
	t        *testing.T
	handler  http.Handler
	server   *server
	alerts   *alert.Log
	people   *access.Store
	store    *local.Store
	tokens   map[string]string // by person
	stopping chan struct{}
	base     time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	js, _ := natstest.Start(t, dir)
	w := &world{t: t, tokens: map[string]string{}, stopping: make(chan struct{}),
		base: time.Now().UTC().Truncate(time.Hour)}
	var err error
	if w.alerts, err = alert.Open(t.Context(), alert.Config{JS: js}); err != nil {
		t.Fatal(err)
	}
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "people"})
	if err != nil {
		t.Fatal(err)
	}
	audit, err := access.OpenAudit(filepath.Join(dir, "audit"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { audit.Close() })
	if w.people, err = access.New(access.Config{KV: kv, Audit: audit}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "inventory.yml")
	if err := os.WriteFile(path, []byte(testInventory), 0o600); err != nil {
		t.Fatal(err)
	}
	inv, err := asset.Load(asset.Config{Inventory: path})
	if err != nil {
		t.Fatal(err)
	}
	w.store, err = local.Open(local.Config{Dir: filepath.Join(dir, "store"), Memory: 64 << 20,
		Class: func(event.Event) int { return 365 }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	out, err := sinks.New(sinks.Config{Dir: filepath.Join(dir, "outbox"), Source: w.alerts})
	if err != nil {
		t.Fatal(err)
	}
	w.server = &server{Config: Config{Events: w.store, Alerts: w.alerts, People: w.people,
		Inventory: func() *asset.Inventory { return inv }, Principal: w.principal, Rules: func() []Rule { return []Rule{} },
		Sources: func() []Source { return []Source{{Name: "main"}} }, Sinks: out, PublicURL: "https://soc.tinh.example",
		Stopping: w.stopping}}
	w.handler = New(w.server.Config)
	return w
}

func (w *world) principal(r *http.Request) (access.Principal, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return access.Principal{}, errors.New("no bearer token")
	}
	return w.people.Authenticate(r.Context(), token, r.RemoteAddr)
}

// person adds one and a token.
func (w *world) person(id string, role access.Role, units ...string) {
	w.t.Helper()
	p := access.Person{ID: id, Name: "Người " + id, Roles: []access.Role{role}, Units: units}
	if err := w.people.AddPerson(w.t.Context(), "test", p); err != nil {
		w.t.Fatal(err)
	}
	text, _, err := w.people.Issue(w.t.Context(), "test", access.Token{Name: "t", Person: id})
	if err != nil {
		w.t.Fatal(err)
	}
	w.tokens[id] = text
}

// events fills the store with n events, three at each instant, that take turns in being of a system.
func (w *world) events(n int) {
	w.t.Helper()
	b := event.NewBuilder("listener/x", 1)
	for i := range n {
		at := w.base.Add(-time.Duration(i/3) * time.Second).UnixNano()
		b.Begin(uint64(i), 0)
		b.Time(event.Timestamp, at)
		b.Time(event.EventCreated, at)
		b.Str(event.EventOriginal, fmt.Sprintf("dòng %d", i))
		b.Str(event.HaidangSystemID, owners[i%3][0])
		b.Strs(event.HaidangUnitID, owners[i%3][1])
		if owners[i%3][0] == "his" {
			b.Str(event.UserName, "bác sĩ") // a field that only the hospital's events have
		}
		b.End()
	}
	r := &spool.Record{At: spool.Position{Seq: 1}, Incarnation: "TEST", Clock: w.base.UnixNano(),
		Kind: spool.KindBatches, Batches: []*event.Batch{b.Batch(0, uint64(n))}}
	if err := w.store.Append(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.Sync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func alertID(i int) alert.ID { return alert.ID{0xa1, byte(i >> 8), byte(i)} }

// raise puts alert number i into the log.
func (w *world) raise(i int) {
	w.t.Helper()
	at := w.base.Add(-time.Duration(i/2) * time.Minute).UnixNano() // two at each instant
	o := owners[i%3]
	_, err := w.alerts.Emit(w.t.Context(), &alert.Alert{ID: alertID(i), Update: 1, Position: alert.Position{Seq: uint64(i + 1)},
		Rule: alert.Rule{ID: "r", Title: "Dò mật khẩu", Level: "medium"}, Count: 1, First: at, Last: at, At: at, Since: at,
		Severity: alert.High, Level: 3, Systems: []alert.System{{ID: o[0], Name: o[0], Level: 3, Unit: o[1]}},
		Units: []string{o[1]}, Policy: "medium ở cấp 3: cao", Evidence: []alert.Evidence{{Original: "bí mật"}}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// ask makes a request as a person and decodes the answer into out.
func (w *world) ask(who, method, path, body string, out any) *http.Response {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, "/api/v1"+path, strings.NewReader(body))
	if token := w.tokens[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if out != nil {
		if err := json.Unmarshal(rec.Body.Bytes(), out); err != nil {
			w.t.Fatalf("%s %s: %v: %s", method, path, err, rec.Body)
		}
	}
	return rec.Result()
}
