// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/ledger"
)

func TestLedger(t *testing.T) {
	w := newWorld(t)
	var adopted []ledger.Adoption
	w.server.Ledger = Ledger{
		View: func() ledger.View {
			return ledger.View{Balanced: true, Sources: []ledger.Row{{Source: "listener/main"}}}
		},
		Origins: func() (list []ledger.Origin) {
			for i := range 2500 {
				list = append(list, ledger.Origin{Name: fmt.Sprint(i), Unknown: i%2 == 0})
			}
			return list
		},
		Adopt: func(_ context.Context, a ledger.Adoption) error {
			if a.System == "khong-co" {
				return errors.New("no such system")
			}
			adopted = append(adopted, a)
			return nil
		},
	}
	w.handler = New(w.server.Config)
	w.person("tinh", access.Admin, access.AllUnits)
	w.person("so", access.Admin, "so")
	w.person("ca", access.Analyst, access.AllUnits)

	var v ledger.View
	if res := w.ask("ca", "GET", "/ledger", "", &v); res.StatusCode != http.StatusOK || len(v.Sources) != 1 {
		t.Errorf("%d %+v", res.StatusCode, v)
	}
	for _, path := range []string{"/ledger", "/ledger/origins"} {
		if res := w.ask("so", "GET", path, "", nil); res.StatusCode != http.StatusForbidden {
			t.Errorf("%s for who sees a part of the province: %d", path, res.StatusCode)
		}
	}
	for query, want := range map[string]int{"": 2500, "unknown=true&": 1250} {
		seen := map[string]bool{}
		after, pages := "", 0
		for {
			var page struct {
				Origins []ledger.Origin
				Total   int
				After   string
			}
			w.ask("ca", "GET", "/ledger/origins?"+query+"after="+after, "", &page)
			for _, o := range page.Origins {
				seen[o.Name] = true
			}
			if pages++; page.Total != want || pages > 3 {
				t.Fatalf("%q: total %d, page %d", query, page.Total, pages)
			}
			if after = page.After; after == "" {
				break
			}
		}
		if len(seen) != want {
			t.Errorf("%q: %d senders, want %d", query, len(seen), want)
		}
	}
	if res := w.ask("ca", "GET", "/ledger/origins?after=x", "", nil); res.StatusCode != http.StatusBadRequest {
		t.Errorf("after=x: %d", res.StatusCode)
	}

	const body = `{"address": "::ffff:10.1.2.3", "system": %q, "site": "dc1"}`
	for _, x := range []struct {
		who, body string
		want      int
	}{
		{"ca", fmt.Sprintf(body, "dvc"), http.StatusForbidden},
		{"so", fmt.Sprintf(body, "dvc"), http.StatusForbidden},
		{"tinh", `{"address": "fe80::1%eth0", "system": "dvc"}`, http.StatusBadRequest},
		{"tinh", fmt.Sprintf(body, "khong-co"), http.StatusUnprocessableEntity},
		{"tinh", fmt.Sprintf(body, "dvc"), http.StatusOK},
	} {
		if res := w.ask(x.who, "POST", "/ledger/adopt", x.body, nil); res.StatusCode != x.want {
			t.Errorf("%s %s: %d, want %d", x.who, x.body, res.StatusCode, x.want)
		}
	}
	if len(adopted) != 1 || adopted[0].Address.String() != "10.1.2.3" || adopted[0].Site != "dc1" {
		t.Errorf("%+v", adopted)
	}
	var told []bool
	for e, err := range w.people.Audit().Entries() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Action == "inventory.adopt" && e.Actor != "" {
			told = append(told, e.OK)
		}
	}
	if len(told) != 2 || told[0] || !told[1] {
		t.Errorf("the audit has %v", told)
	}
}
