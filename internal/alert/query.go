// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event/fulltext"
)

// Sort is the order of a list.
type Sort string

// The orders. Ties are broken by id, so that paging never skips nor repeats an alert that does not change.
const (
	Newest   Sort = "newest"   // by detection time, latest first; the default
	Severest Sort = "severest" // by severity, then by detection time, latest first
	Changed  Sort = "changed"  // by the last entry, latest first
)

// Filter says which alerts a list shows. Each field narrows it; an empty one does not.
type Filter struct {
	Status      []Status
	Severity    []Severity
	Level       []uint8
	System      []string // ids
	Rule        []string // ids
	Assignee    string   // person id; "-" for alerts that nobody has
	Disposition []Disposition
	Incident    bool   // declared incidents only
	Text        string // words, in any order, as prefixes; without diacritics they match with any
	From, To    int64  // detection time, unix ns, half-open; 0 is no bound

	Sort  Sort
	After string // Page.Next of the page before
	Limit int    // 1 to 1000; 0 is 100
}

// Query is a filter bound to what the person who asks may see. The zero Query finds nothing.
type Query struct {
	scope access.Scope
	f     Filter
	words []string // folded
	exact []string // words written with diacritics, to be verified
	after sortKey
}

// NewQuery checks a filter and binds it to a scope.
func NewQuery(scope access.Scope, f Filter) (Query, error) {
	q := Query{scope: scope, f: f}
	if q.f.Sort == "" {
		q.f.Sort = Newest
	}
	if q.f.Limit == 0 {
		q.f.Limit = 100
	}
	switch {
	case q.f.Sort != Newest && q.f.Sort != Severest && q.f.Sort != Changed:
		return Query{}, fmt.Errorf("alert: sort %.40q: want newest, severest or changed", string(f.Sort))
	case q.f.Limit < 0 || q.f.Limit > 1000:
		return Query{}, fmt.Errorf("alert: limit %d: want 1 to 1000", f.Limit)
	case len(f.Text) > 1000:
		return Query{}, fmt.Errorf("alert: the text has %d bytes, at most 1000 are searched for", len(f.Text))
	}
	for _, s := range f.Status {
		if !s.Valid() {
			return Query{}, fmt.Errorf("alert: status %.40q: want open, acknowledged or closed", string(s))
		}
	}
	slices.Sort(q.f.Status)
	q.f.Status = slices.Compact(q.f.Status)
	q.words = strings.Fields(fulltext.Fold(f.Text))
	for w := range strings.FieldsSeq(fulltext.Plain(f.Text)) {
		if fulltext.Fold(w) != w {
			q.exact = append(q.exact, w)
		}
	}
	if f.After != "" {
		if err := q.after.parse(f.After); err != nil {
			return Query{}, err
		}
	}
	return q, nil
}

// Page is one page of a list.
type Page struct {
	Items []*State
	Total int    // exact number that the filter finds, on all pages
	Next  string // opaque; empty on the last page
}

// List answers a query from one snapshot.
func (p *Projection) List(q Query) (Page, error) {
	type row struct {
		key sortKey
		s   *State
	}
	var rows []row
	err := p.each(q.f.Status, func(s *State) bool {
		if q.matches(s) {
			rows = append(rows, row{q.key(s), s})
		}
		return true
	})
	if err != nil {
		return Page{}, err
	}
	page := Page{Total: len(rows)}
	if q.f.After != "" {
		rows = slices.DeleteFunc(rows, func(r row) bool { return r.key.compare(q.after) <= 0 })
	}
	slices.SortFunc(rows, func(a, b row) int { return a.key.compare(b.key) })
	if len(rows) > q.f.Limit {
		rows = rows[:q.f.Limit]
		page.Next = rows[len(rows)-1].key.String()
	}
	for _, r := range rows {
		page.Items = append(page.Items, r.s)
	}
	return page, nil
}

func (q *Query) matches(s *State) bool {
	f, a := &q.f, s.Alert
	switch {
	case !q.scope.Allows(a.Units...),
		len(f.Severity) > 0 && !slices.Contains(f.Severity, a.Severity),
		len(f.Level) > 0 && !slices.Contains(f.Level, a.Level),
		len(f.Rule) > 0 && !slices.Contains(f.Rule, a.Rule.ID),
		len(f.Disposition) > 0 && !slices.Contains(f.Disposition, s.Disposition),
		f.Incident && s.Incident == nil,
		f.Assignee == "-" && s.Assignee != "",
		f.Assignee != "" && f.Assignee != "-" && f.Assignee != s.Assignee,
		f.From != 0 && a.Since < f.From,
		f.To != 0 && a.Since >= f.To:
		return false
	}
	touches := func(y System) bool { return slices.Contains(f.System, y.ID) }
	if len(f.System) > 0 && !slices.ContainsFunc(a.Systems, touches) {
		return false
	}
	for _, w := range q.words {
		if !hasWord(s.words, w) {
			return false
		}
	}
	if len(q.exact) > 0 {
		words := fulltext.Plain(s.text())
		for _, w := range q.exact {
			if !hasWord(words, w) {
				return false
			}
		}
	}
	return true
}

// hasWord reports whether a word of text begins with w.
func hasWord(text, w string) bool {
	return strings.HasPrefix(text, w) || strings.Contains(text, " "+w)
}

// text is what a search looks at.
func (s *State) text() string {
	var b strings.Builder
	add := func(words ...string) {
		for _, w := range words {
			b.WriteString(w)
			b.WriteByte(' ')
		}
	}
	a := s.Alert
	add(a.ID.String(), a.Rule.ID, a.Rule.Title, s.Assignee)
	for _, kv := range a.Group {
		add(kv.Value)
	}
	for _, y := range a.Systems {
		add(y.ID, y.Name)
	}
	for i := range s.History {
		if s.History[i].UndoneBy == 0 {
			add(s.History[i].Note)
		}
	}
	return b.String()
}

// sortKey orders a list: descending by rank, then by time, then ascending by id.
type sortKey struct {
	rank uint8
	time int64
	id   ID
}

func (q *Query) key(s *State) sortKey {
	switch q.f.Sort {
	case Severest:
		return sortKey{uint8(s.Alert.Severity), s.Alert.Since, s.Alert.ID}
	case Changed:
		return sortKey{0, s.ChangedAt, s.Alert.ID}
	}
	return sortKey{0, s.Alert.Since, s.Alert.ID}
}

func (k sortKey) compare(o sortKey) int {
	return cmp.Or(cmp.Compare(o.rank, k.rank), cmp.Compare(o.time, k.time), slices.Compare(k.id[:], o.id[:]))
}

func (k sortKey) String() string {
	b := binary.BigEndian.AppendUint64([]byte{k.rank}, uint64(k.time))
	return base64.RawURLEncoding.EncodeToString(append(b, k.id[:]...))
}

func (k *sortKey) parse(s string) error {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != 1+8+len(k.id) {
		return errors.New("alert: after: not the Next of an earlier page")
	}
	k.rank, k.time = b[0], int64(binary.BigEndian.Uint64(b[1:]))
	copy(k.id[:], b[9:])
	return nil
}
