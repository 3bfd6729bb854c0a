// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// queries is the table of queries: each form of the language on each kind of field.
func queries(o *oracle, base time.Time) []string {
	day := base.Add(-36 * time.Hour).Format("2006-01-02")
	hour := base.Add(-24 * time.Hour).Format(time.RFC3339)
	list := strings.Split(strings.TrimSpace(`
*
not *
event.kind: signal
event.kind: (signal or pipeline_error)
not event.kind: event
event.dataset: sshd.auth and event.outcome: failure
event.dataset: (sshd.auth or nginx.access) and not host.name: dc01
event.dataset: n*
event.dataset: *flow
event.dataset: *
not event.dataset: *
event.category: session
event.category: "authentication"
event.category: auth*
event.category: (session and authentication)
event.category: "a\u001fb"
host.name: dc01
host.name: DC01
host.name: cổng-dịch-vụ
host.name: d*1
host.name: *
not host.name: *
user.name: root
user.name: nguyễn.văn.a
user.name: nguyễn.văn.b
user.name: nguy*
user.name: Trần Thị Đào
user.name: 007
user.name: 7
user.name: 1e3
user.name: 1000
user.name: "\"q\"\\"
user.name: "a*b"
user.name: a*b
user.name: "tab\there"
user.name: " lead"
user.name: 10.0.0.0/8
user.name >= root and user.name <= s
source.ip: 10.1.2.3
source.ip: 10.0.0.0/8
source.ip: 10.1.0.0/16
source.ip: 10.2.0.0/30
source.ip: "2001:db8::/32"
source.ip: "2001:db8::17"
source.ip: "::/0"
not source.ip: "2001:db8::/64"
source.ip: 10.1.*
source.ip >= 10.1.0.0 and source.ip < 10.1.2.4
not source.ip: 10.0.0.0/8
destination.port: 22
destination.port: (22 or 443)
destination.port > 443
destination.port >= 443 and destination.port < 3389
destination.port: 44*
destination.port: 22.0
destination.port: x
haidang.level >= 4
haidang.level: 3 and haidang.system.id: email
haidang.unit.id: so-tttt
haidang.unit.id: *huyen*
rule.id: *
rule.id: (rule-1 or rule-2)
source.bytes > 500000000000
source.port < 20000
haidang.skew.seconds < 0
network.transport: udp
http.response.status_code: 404 and url.path: /
url.path: "/dich-vu-công"
url.path: *passwd
url.path: "/tìm kiếm?q=đường"
host.ip: "fe80::/10"
haidang.truncated: true
haidang.extra.*: "Tường lửa số 2"
haidang.extra.*: 12.50
*: root
*: password failed
m*: ssh2 root
*.name: sshd
failed password
"failed password for root"
"password for admin from 10"
fail*
*ssword
duong
đường
dường
nhật ký
nhat ky
dịch vụ
10.1.2.4
2001 db8
message: accepted
message: "for root"
event.original: "hai dòng"
event.original: get and not failed
haidang.text: failed
under_score
raw bytes
tuong lua so 1
event.created: *
not event.created: *
event.start: *
no.such.field: x
not no.such.field: *
(event.outcome: success or event.outcome: failure) and (source.ip: 10.0.0.0/8 or user.name: root)
not (event.kind: event and not (user.name: admin or source.ip: 203.0.113.7))
`), "\n")
	list = append(list,
		norm.NFD.String("user.name: nguyễn.văn.b"), norm.NFD.String("nhật ký"),
		"@timestamp: "+day, "not @timestamp: "+day, "@timestamp >= "+day, "@timestamp > "+day,
		fmt.Sprintf("@timestamp < %q and event.kind: event", hour), fmt.Sprintf("@timestamp: %q", hour),
		fmt.Sprintf("@timestamp <= %q", hour),
		fmt.Sprintf(`_id: "%s"`, o.events[len(o.events)/2].ID()), "_id: abc*")
	return list
}

func testStats(t *testing.T, s Store, o *oracle, base time.Time) {
	offset := store.Histogram(24 * time.Hour)
	offset.Offset = -7 * time.Hour
	for _, by := range [][]store.Bucket{
		nil,
		{store.Histogram(time.Hour)},
		{offset},
		{store.Histogram(15 * time.Minute)},
		{store.Top("event.dataset", 3)},
		{store.Top("event.category", 10)},
		{store.Top("source.ip", 5)},
		{store.Top("user.name", 100)},
		{store.Top("destination.port", 4)},
		{store.Top("url.path", 3)},
		{store.Top("haidang.unit.id", 2), store.Top("haidang.level", 5)},
		{store.Histogram(6 * time.Hour), store.Top("event.outcome", 2)},
		{store.Distinct("user.name")},
		{store.Top("host.name", 10), store.Distinct("source.ip")},
		{store.Histogram(12 * time.Hour), store.Distinct("process.name"), store.Distinct("source.port")},
		{store.Top("host.ip", 10)},
		{store.Top("no.such.field", 10)},
		{store.Distinct("event.category"), store.Top("event.category", 1)},
	} {
		for _, text := range []string{"*", "event.dataset: sshd.auth", "failed đường or url.path: /*"} {
			e := kql.MustParse(text)
			for _, from := range []time.Time{{}, base.Add(-31*time.Hour - 7*time.Minute)} {
				if text == "*" && !from.IsZero() {
					continue
				}
				events := o.find(access.Everything(), e, from, time.Time{})
				name := fmt.Sprintf("%s from %v by %v", text, from, by)
				q := store.NewQuery(access.Everything(), e, from, time.Time{})
				checkTable(t, name, s, q, by, o, events)
			}
		}
	}
}

func checkTable(t *testing.T, name string, s Store, q store.Query, by []store.Bucket, o *oracle, events []event.Event) {
	t.Helper()
	var last store.Table
	for table, err := range s.Stats(t.Context(), q, by...) {
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if table.Done < last.Done || table.Total < last.Total {
			t.Errorf("%s: a table goes back: %v, %d after %v, %d", name, table.Done, table.Total, last.Done, last.Total)
		}
		last = table
	}
	if last.Done != 1 {
		t.Errorf("%s: the last table has Done %v", name, last.Done)
		return
	}
	rows, total := o.count(events, by)
	if last.Total != total {
		t.Errorf("%s: total %d, want %d", name, last.Total, total)
	}
	if total == 0 && len(rows) == 0 {
		for _, r := range last.Rows {
			if r.Count != 0 {
				t.Errorf("%s: row %v of no events", name, r)
			}
		}
		return
	}
	if len(rows) != len(last.Rows) {
		t.Errorf("%s: %d rows, want %d", name, len(last.Rows), len(rows))
		return
	}
	for _, r := range last.Rows {
		key := ""
		for _, k := range r.Keys {
			key += k + "\n"
		}
		want := rows[key]
		if want == nil {
			t.Errorf("%s: row %q is not wanted", name, r.Keys)
			continue
		}
		if r.Count != want.n || len(r.Distinct) != len(want.sets) {
			t.Errorf("%s: row %q: %d events, want %d", name, r.Keys, r.Count, want.n)
		}
		for i := range r.Distinct {
			if r.Distinct[i] != uint64(len(want.sets[i])) {
				t.Errorf("%s: row %q: %d different, want %d", name, r.Keys, r.Distinct[i], len(want.sets[i]))
			}
		}
	}
	ordered(t, name, by, last.Rows, o, events)
}

// ordered checks the order of rows that one bucket splits.
func ordered(t *testing.T, name string, by []store.Bucket, rows []store.Row, o *oracle, events []event.Event) {
	t.Helper()
	if len(by) != 1 || by[0].Kind == store.KindDistinct {
		return
	}
	for i := 1; i < len(rows); i++ {
		a, b := rows[i-1], rows[i]
		ok := a.Keys[0] < b.Keys[0]
		if by[0].Kind == store.KindTop {
			ok = a.Count > b.Count || a.Count == b.Count && ok
		}
		if !ok {
			t.Errorf("%s: row %v is before %v", name, a, b)
		}
	}
}
