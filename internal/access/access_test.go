// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/haidang-soc/haidang/internal/natstest"
)

// bucket starts a real server in this process and returns an empty bucket of it.
func bucket(t *testing.T) jetstream.KeyValue {
	t.Helper()
	js, _ := natstest.Start(t, t.TempDir())
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "access", History: 5})
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

type fixture struct {
	*Store
	path string
	at   time.Time
	told []Entry
}

func open(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{path: filepath.Join(t.TempDir(), "audit.ndjson"), at: time.Date(2026, 11, 24, 2, 10, 0, 0, time.UTC)}
	audit, err := OpenAudit(f.path, func(e Entry) { f.told = append(f.told, e) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { audit.Close() })
	f.Store, err = New(Config{KV: bucket(t), Audit: audit, Now: func() time.Time { return f.at }})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPeople(t *testing.T) {
	s, ctx := open(t), t.Context()
	an := Person{ID: "an.nguyen", Name: "Nguyễn Văn An", Roles: []Role{Analyst}, Units: []string{"stc"},
		Email: "an@haidang.example", Slack: "U024BE7LH"}
	if err := s.AddPerson(ctx, "unix:root", an); err != nil {
		t.Fatal(err)
	}
	if err := s.AddPerson(ctx, "unix:root", an); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("adding twice: %v", err)
	}
	for _, bad := range []Person{{ID: "An Nguyen", Name: "x"}, {ID: "a", Name: ""}, {ID: "a..b", Name: "x"},
		{ID: "a", Name: "x", Roles: []Role{"root"}}, {ID: "a", Name: "x", Email: "x\n@y"}, {ID: ">", Name: "x"},
		{ID: "a", Name: "x", Units: []string{"Sở Tài chính"}}, {ID: "a", Name: "x", Slack: "@an"}} {
		if err := s.AddPerson(ctx, "unix:root", bad); err == nil {
			t.Errorf("accepted %+v", bad)
		}
	}
	got, err := s.Person(ctx, "an.nguyen")
	if err != nil {
		t.Fatal(err)
	}
	an.Created, an.Changed = s.at, s.at
	if d := cmp.Diff(an, got); d != "" {
		t.Errorf("person (-want +got):\n%s", d)
	}
	if p, err := s.BySlack(ctx, "U024BE7LH"); err != nil || p.ID != "an.nguyen" {
		t.Errorf("by Slack: %v %v", p.ID, err)
	}
	if _, err := s.BySlack(ctx, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("an empty Slack id finds somebody: %v", err)
	}
	// A decomposed name is stored composed.
	if err := s.AddPerson(ctx, "unix:root", Person{ID: "b", Name: "Nguye\u0302\u0303n B"}); err != nil {
		t.Fatal(err)
	}
	last := s.told[len(s.told)-1]
	if first := s.told[0]; !first.OK || first.Action != "person.add" || first.Actor != "unix:root" || !last.OK {
		t.Errorf("audit: first %+v, last %+v", first, last)
	}
	refused := 0
	for _, e := range s.told {
		if !e.OK && e.Action == "person.add" && strings.Contains(e.Detail, "exists already") {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d refusals in the audit, want that of adding twice", refused)
	}
	people, err := s.People(ctx)
	if err != nil || len(people) != 2 || people[1].Name != "Nguyễn B" {
		t.Errorf("people: %+v %v", people, err)
	}
	if _, err := s.Person(ctx, "nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	err = s.ChangePerson(ctx, "unix:root", "nobody", func(*Person) error { return nil })
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("changing nobody: %v", err)
	}
}

func TestChangesDoNotLoseEachOther(t *testing.T) {
	s, ctx := open(t), t.Context()
	if err := s.AddPerson(ctx, "x", Person{ID: "a", Name: "A"}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, unit := range []string{"u1", "u2", "u3", "u4"} {
		wg.Go(func() {
			err := s.ChangePerson(ctx, "x", "a", func(p *Person) error {
				p.Units = append(p.Units, unit)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if p, err := s.Person(ctx, "a"); err != nil || len(p.Units) != 4 {
		t.Errorf("units %v, %v", p.Units, err)
	}
}

func TestTokens(t *testing.T) {
	s, ctx := open(t), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.AddPerson(ctx, "root", Person{ID: "binh", Name: "Bình", Roles: []Role{Lead, Analyst},
		Units: []string{"stc", "syt"}}))
	text, tok, err := s.Issue(ctx, "root", Token{Name: "máy của Bình", Person: "binh", Roles: []Role{Analyst},
		Units: []string{"stc", "snv"}, Expires: s.at.Add(time.Hour)})
	must(err)
	p, err := s.Authenticate(ctx, text, "10.1.1.1:5000")
	must(err)
	want := Principal{Actor: "binh", Person: "binh", Token: tok.ID, Roles: []Role{Analyst}, Units: []string{"stc"}}
	if d := cmp.Diff(want, p); d != "" {
		t.Errorf("principal (-want +got):\n%s", d)
	}
	if p.May(DeclareIncident) || !p.May(ActOnAlerts) || p.Scope(nil).Allows("syt") || !p.Scope(nil).Allows("stc") {
		t.Errorf("the token does not narrow what its person may do: %+v", p)
	}
	below := p.Scope(func(u ...string) []string { return append(u, "stc-quay") })
	if !below.Allows("stc-quay") || below.All() {
		t.Error("the scope does not follow the units below")
	}
	denied := func(why, text string) {
		t.Helper()
		if p, err := s.Authenticate(ctx, text, "10.1.1.1:5000"); !errors.Is(err, ErrDenied) || p.May(ReadAlerts) {
			t.Errorf("%s: %+v %v", why, p, err)
		}
	}
	denied("empty", "")
	denied("wrong secret", text[:len(text)-2]+"xx")
	denied("unknown id", tokenPrefix+"000000000000_secret")
	denied("wildcards", tokenPrefix+">_secret")
	denied("the hash itself", tokenPrefix+tok.ID+"_"+tok.Hash)
	s.at = s.at.Add(time.Hour)
	denied("expired", text)
	s.at = s.at.Add(-time.Minute)
	must(s.ChangePerson(ctx, "root", "binh", func(p *Person) error { p.Roles = []Role{Viewer}; return nil }))
	if p, err := s.Authenticate(ctx, text, ""); err != nil || len(p.Roles) != 0 || p.May(ReadAlerts) {
		t.Errorf("a role taken away stays with the token: %+v %v", p, err)
	}
	must(s.ChangePerson(ctx, "root", "binh", func(p *Person) error { p.Off = true; return nil }))
	denied("off", text)
	must(s.ChangePerson(ctx, "root", "binh", func(p *Person) error { p.Off = false; return nil }))
	must(s.Revoke(ctx, "root", tok.ID))
	denied("revoked", text)
	if err := s.Revoke(ctx, "root", "000000000000"); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoking nothing: %v", err)
	}
	list, err := s.Tokens(ctx)
	if err != nil || len(list) != 1 || list[0].RevokedBy != "root" {
		t.Errorf("tokens: %+v %v", list, err)
	}
	for _, bad := range []Token{{}, {Name: "x"}, {Name: "x", Roles: []Role{Service}}, {Name: "x", Person: "nobody"},
		{Name: "x", Roles: []Role{Service}, Sources: []string{"*"}}, {Name: "x", Person: "binh", Roles: []Role{Admin}},
		{Name: "x", Roles: []Role{Service}, Sources: []string{"a/*/b"}}} {
		if _, _, err := s.Issue(ctx, "root", bad); err == nil {
			t.Errorf("issued %+v", bad)
		}
	}
	data, err := os.ReadFile(s.path)
	must(err)
	_, secret, _ := splitSecret(text)
	if strings.Contains(string(data), secret) {
		t.Error("the audit holds a secret")
	}
	entry, err := s.kv.Get(ctx, "token."+tok.ID)
	must(err)
	if strings.Contains(string(entry.Value()), secret) {
		t.Error("the bucket holds a secret")
	}
}

func TestServiceTokenDeliversOnlyItsSources(t *testing.T) {
	s, ctx := open(t), t.Context()
	text, _, err := s.Issue(ctx, "root", Token{Name: "agent 7", Roles: []Role{Service},
		Sources: []string{"agent/7/*", "listener/wan"}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Authenticate(ctx, text, "")
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]bool{"agent/7/journald": true, "agent/7/": false, "agent/77/journald": false,
		"listener/wan": true, "listener/wan2": false, "": false, "alerts": false} {
		if p.MayDeliver(source) != want {
			t.Errorf("MayDeliver(%q) = %v", source, !want)
		}
	}
	if p.May(ReadEvents) || p.Scope(nil).Allows("stc") {
		t.Error("a service may read")
	}
	if !Local("root").MayDeliver("agent/7/journald") || (Principal{}).MayDeliver("x") {
		t.Error("the local administrator may deliver, nobody may not")
	}
}

func TestRoles(t *testing.T) {
	allowed := func(r Role) (n int) {
		for _, a := range Actions() {
			if Can(r, a) {
				n++
			}
		}
		return n
	}
	for r, want := range map[Role]int{Admin: len(Actions()), Lead: 10, Analyst: 6, Viewer: 4, Service: 1, "": 0, "x": 0} {
		if got := allowed(r); got != want {
			t.Errorf("%q may do %d things, want %d", r, got, want)
		}
	}
	if Can(Admin, "unheard.of") || Can(Viewer, ActOnAlerts) || Can(Analyst, DeclareIncident) || Can(Lead, ManagePeople) {
		t.Error("something is allowed that must not be")
	}
	if (&Person{}).Scope(nil).Allows("stc") || !(&Person{Units: []string{AllUnits}}).Scope(nil).All() {
		t.Error("scope of nobody and of everybody")
	}
}

func TestStoreNeedsItsAudit(t *testing.T) {
	s := open(t)
	s.audit.Close()
	if err := s.AddPerson(t.Context(), "root", Person{ID: "a", Name: "A"}); err == nil {
		t.Error("a person was added without an entry in the audit")
	}
	if _, err := s.Person(context.Background(), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the person is there: %v", err)
	}
}
