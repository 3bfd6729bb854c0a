// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
)

// fill makes a projection of n alerts that differ in all a filter can ask for.
func fill(t testing.TB, n int) *Projection {
	t.Helper()
	p, err := NewProjection()
	if err != nil {
		t.Fatal(err)
	}
	entries := make([]*Entry, 0, 2*n)
	for i := range n {
		a := sample(0, 1, Severity(i%5))
		a.ID = ID{byte(i), byte(i >> 8), byte(i >> 16), 1}
		a.Since += int64(i%97) * int64(time.Minute)
		a.Level = uint8(i % 6)
		a.Rule.ID = fmt.Sprintf("rule-%d", i%3)
		a.Systems[0].ID = fmt.Sprintf("sys-%d", i%4)
		a.Units = []string{fmt.Sprintf("unit-%d", i%2)}
		entries = append(entries, &Entry{N: uint64(len(entries) + 1), At: int64(i + 1), Kind: Raised, Alert: a})
		if kind := []Kind{"", Acknowledge, Assign, Close, Declare}[i%5]; kind != "" {
			entries = append(entries, &Entry{N: uint64(len(entries) + 1), At: int64(i + 2), Kind: kind, Action: &Action{
				Kind: kind, Alert: a.ID, Actor: "lan", At: 9, Assignee: "minh", Disposition: Benign, Note: "Ghi chú số " + fmt.Sprint(i),
			}})
		}
	}
	if err := p.Apply(entries...); err != nil {
		t.Fatal(err)
	}
	return p
}

func list(t testing.TB, p *Projection, scope access.Scope, f Filter) Page {
	t.Helper()
	q, err := NewQuery(scope, f)
	if err != nil {
		t.Fatal(err)
	}
	page, err := p.List(q)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestFilters(t *testing.T) {
	const n = 120
	p := fill(t, n)
	all := access.Everything()
	for name, c := range map[string]struct {
		f    Filter
		want int
	}{
		"all":            {Filter{}, n},
		"open":           {Filter{Status: []Status{StatusOpen}}, 3 * n / 5},
		"twice open":     {Filter{Status: []Status{StatusOpen, StatusOpen}}, 3 * n / 5},
		"not closed":     {Filter{Status: []Status{StatusOpen, StatusAcknowledged}}, 4 * n / 5},
		"severity":       {Filter{Severity: []Severity{High, Critical}}, 2 * n / 5},
		"level":          {Filter{Level: []uint8{3}}, n / 6},
		"rule":           {Filter{Rule: []string{"rule-1"}}, n / 3},
		"system":         {Filter{System: []string{"sys-1", "sys-2"}}, n / 2},
		"mine":           {Filter{Assignee: "minh"}, n / 5},
		"nobody's":       {Filter{Assignee: "-"}, 4 * n / 5},
		"benign":         {Filter{Disposition: []Disposition{Benign}}, n / 5},
		"incidents":      {Filter{Incident: true}, n / 5},
		"both":           {Filter{Rule: []string{"rule-1"}, Level: []uint8{1}}, n / 6},
		"from":           {Filter{From: detected.Add(96 * time.Minute).UnixNano()}, 1},
		"to":             {Filter{To: detected.Add(time.Minute).UnixNano()}, 2},
		"text":           {Filter{Text: "do mat khau"}, n},
		"text composed":  {Filter{Text: norm.NFC.String("MẬT khẩu")}, n},
		"decomposed":     {Filter{Text: norm.NFD.String("MẬT khẩu")}, n},
		"other marks":    {Filter{Text: "mát khau"}, 0},
		"đ folds":        {Filter{Text: "dich vu"}, n},
		"prefix":         {Filter{Text: "pass"}, 0},
		"address":        {Filter{Text: "198.51.100.7"}, n},
		"note":           {Filter{Text: "ghi chu so 7"}, 0}, // alert 7 is assigned: its note is there, see below
		"no such":        {Filter{Text: "khong co"}, 0},
		"word not start": {Filter{Text: "hau"}, 0},
	} {
		if name == "note" {
			c.want = 1
			c.f.Text = "ghi chu so 117"
		}
		if page := list(t, p, all, c.f); page.Total != c.want {
			t.Errorf("%s: %d, want %d", name, page.Total, c.want)
		}
	}
	for name, scope := range map[string]access.Scope{"none": {}, "unknown": access.Units("x")} {
		if page := list(t, p, scope, Filter{}); page.Total != 0 || len(page.Items) != 0 {
			t.Errorf("scope %s sees %d", name, page.Total)
		}
	}
	if page := list(t, p, access.Units("unit-1"), Filter{}); page.Total != n/2 {
		t.Errorf("a unit sees %d, want %d", page.Total, n/2)
	}
	if page, err := p.List(Query{}); err != nil || page.Total != 0 {
		t.Errorf("the zero query finds %d, %v", page.Total, err)
	}
}

func TestPagesAreWholeAndInOrder(t *testing.T) {
	p := fill(t, 333)
	for _, sort := range []Sort{Newest, Severest, Changed} {
		seen := map[ID]bool{}
		f := Filter{Sort: sort, Limit: 50}
		q, err := NewQuery(access.Everything(), f)
		if err != nil {
			t.Fatal(err)
		}
		var last *sortKey
		for pages := 1; ; pages++ {
			page := list(t, p, access.Everything(), f)
			if page.Total != 333 {
				t.Fatalf("%s: total %d", sort, page.Total)
			}
			for _, s := range page.Items {
				key := q.key(s)
				if seen[s.Alert.ID] || last != nil && last.compare(key) >= 0 {
					t.Fatalf("%s: %s comes twice or out of order", sort, s.Alert.ID)
				}
				seen[s.Alert.ID], last = true, &key
			}
			if f.After = page.Next; page.Next == "" {
				if pages != 7 || len(seen) != 333 {
					t.Errorf("%s: %d alerts on %d pages", sort, len(seen), pages)
				}
				break
			}
		}
	}
}

func TestNewQueryRefuses(t *testing.T) {
	for name, f := range map[string]Filter{
		"sort": {Sort: "x"}, "limit": {Limit: 1001}, "negative": {Limit: -1}, "status": {Status: []Status{"x"}},
		"after": {After: "x!"}, "short after": {After: "AAAA"}, "text": {Text: strings.Repeat("a", 1001)},
	} {
		if _, err := NewQuery(access.Everything(), f); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestExpireKeepsWhatIsOpen(t *testing.T) {
	p := fill(t, 50)
	if n, err := p.Expire(time.Unix(0, 0).Add(Keep)); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := p.Expire(time.Unix(0, 1000).Add(Keep)); n != 10 || err != nil {
		t.Errorf("%d let go, %v; want the 10 closed ones", n, err)
	}
	if page := list(t, p, access.Everything(), Filter{}); page.Total != 40 {
		t.Errorf("%d left", page.Total)
	}
}

func TestSignalAndDocument(t *testing.T) {
	p := fill(t, 5)
	s := list(t, p, access.Everything(), Filter{Incident: true}).Items[0]
	b := event.NewBuilder(Source, 7)
	s.Event(b, 12)
	e := b.Batch(12, 13).At(0)
	var got map[string]any
	if err := json.Unmarshal(event.AppendJSON(nil, e, true), &got); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"event.kind": "signal", "rule.id": s.Alert.Rule.ID, "rule.name": "Dò mật khẩu SSH vào máy chủ",
		"haidang.alert.id": s.Alert.ID.String(), "haidang.alert.status": "open", "haidang.alert.severity": "critical",
		"haidang.alert.entry": 12.0, "haidang.alert.update": 1.0, "haidang.alert.count": 12.0,
		"haidang.alert.incident": true, "source.ip": "198.51.100.7", "user.name": "root",
		"@timestamp": "2026-09-02T02:14:00.000Z",
	} {
		if g := got[field]; !cmp.Equal(g, want) && !cmp.Equal(g, []any{want}) {
			t.Errorf("%s: %v, want %v", field, g, want)
		}
	}
	doc, err := s.AppendJSON(nil, "https://soc.example/alerts/1", Declare)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"kind":"signal"`, `"action":"declare"`, `"url":"https://soc.example/alerts/1"`, `"name":"Dò mật khẩu SSH vào máy chủ"`,
		`"why":["Chính sách: medium ở cấp 3: cao","Căn cứ: ND 85/2016 Đ19.2.đ (read)"]`, `"original":"Failed password for root"`,
		`"severity":"critical"`, `"@timestamp":"2026-09-02T02:14:00Z"`,
	} {
		if !strings.Contains(string(doc), want) {
			t.Errorf("%s is missing in %s", want, doc)
		}
	}
}

func TestWords(t *testing.T) {
	for s, want := range map[Severity]string{
		Info: "Thông tin", Low: "Thấp", Medium: "Trung bình", High: "Cao", Critical: "Rất cao",
	} {
		if s.Vietnamese() != want || !norm.NFC.IsNormalString(s.Vietnamese()) {
			t.Errorf("%s: %q", s, s.Vietnamese())
		}
		if got, err := ParseSeverity(s.String()); got != s || err != nil {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	if _, err := ParseSeverity("nghiêm trọng"); err == nil {
		t.Error("a legal term is no severity")
	}
	if _, err := ParseID("00"); err == nil {
		t.Error("a short id is accepted")
	}
	if id, err := ParseID((ID{1, 2}).String()); id != (ID{1, 2}) || err != nil {
		t.Errorf("%v, %v", id, err)
	}
}

func BenchmarkList(b *testing.B) {
	p := fill(b, 50_000)
	for b.Loop() {
		list(b, p, access.Everything(), Filter{Status: []Status{StatusOpen}, Text: "mat khau", Sort: Severest})
	}
}
