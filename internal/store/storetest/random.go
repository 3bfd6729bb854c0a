// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/event/fulltext"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// Random asks a store n queries made at random from what the events hold, and compares with the oracle: the events, a
// count, and a count by a field. The seed is logged with a query that fails.
func Random(t *testing.T, open func(t *testing.T) Store, seed uint64, n int) {
	g := Generator{Base: Base(), PerRecord: 100}
	list := g.Records(1, records)
	o := newOracle(list)
	s := open(t)
	appendAll(t, s, list)
	rnd := rand.New(rand.NewPCG(seed, 7))
	some := 0
	for i := range n {
		q := randomQuery{rnd, o}
		e := q.expr(3)
		text := e.String()
		name := fmt.Sprintf("seed %d query %d: %s", seed, i, text)
		again, err := kql.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := o.find(access.Everything(), e, time.Time{}, time.Time{})
		if len(want) > 0 && len(want) < len(o.events) {
			some++
		}
		same(t, name, s, all(text), want)
		by := []store.Bucket{store.Top(pick(rnd, "event.dataset", "user.name", "event.category", "url.path"), 3)}
		sq := store.NewQuery(access.Everything(), again, time.Time{}, time.Time{})
		checkTable(t, name, s, sq, by, o, want)
		if t.Failed() {
			return
		}
	}
	if some < n/4 {
		t.Errorf("only %d of %d queries find some events and not all", some, n)
	}
}

type randomQuery struct {
	rnd *rand.Rand
	o   *oracle
}

func (q randomQuery) expr(depth int) *kql.Expr {
	if depth > 0 {
		switch q.rnd.IntN(6) {
		case 0:
			return kql.AllOf(q.expr(depth-1), q.expr(depth-1))
		case 1, 2:
			return kql.AnyOf(q.expr(depth-1), q.expr(depth-1), q.expr(depth-1))
		case 3:
			return kql.Negate(q.expr(depth - 1))
		}
	}
	for {
		e, err := kql.Parse(q.leaf())
		if err == nil && e.Op != kql.All {
			return e
		}
	}
}

// leaf writes a condition on a value that some event has, often changed a little.
func (q randomQuery) leaf() string {
	ev := q.o.events[q.rnd.IntN(len(q.o.events))]
	k, i := q.rnd.IntN(ev.NumFields()), 0
	field, value := "", event.Value{}
	for id, v := range ev.Fields() {
		if i++; i > k {
			field, value = id.Name(), v.At(q.rnd.IntN(v.Len()))
			break
		}
	}
	text := strings.ToValidUTF8(value.String(), "?")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "")
	}
	switch q.rnd.IntN(10) {
	case 0:
		return escape(field) + ": *"
	case 1:
		return escape(field) + pick(q.rnd, " > ", " >= ", " < ", " <= ") + quoted(text)
	case 2, 3:
		return escape(field) + ": " + q.stars(text)
	case 4:
		return pick(q.rnd, "", "", "*: ", "m*: ", "message: ", "event.original: ") + q.words(text)
	case 5:
		return quoted(q.part(text))
	case 6:
		return escape(strings.SplitN(field, ".", 2)[0]) + ".*: " + quoted(text)
	case 7:
		other := pick(q.rnd, fulltext.Fold(text), norm.NFD.String(text), strings.ToUpper(text), text+" ")
		return escape(field) + ": " + quoted(other)
	}
	return escape(field) + ": " + quoted(text)
}

// part is a piece of a text, cut between characters.
func (q randomQuery) part(text string) string {
	r := []rune(text)
	if len(r) < 2 {
		return text
	}
	from := q.rnd.IntN(len(r) - 1)
	return string(r[from : from+1+q.rnd.IntN(len(r)-from)])
}

// stars puts stars for pieces of a text.
func (q randomQuery) stars(text string) string {
	r := []rune(text)
	a := q.rnd.IntN(len(r) + 1)
	b := a + q.rnd.IntN(len(r)+1-a)
	return pick(q.rnd, escape(string(r[:a]))+"*"+escape(string(r[b:])), "*"+escape(string(r[a:b]))+"*")
}

// words are some of a text's words, in any order, some without their diacritics, some cut.
func (q randomQuery) words(text string) string {
	words := strings.Fields(text)
	if len(words) == 0 {
		return "x"
	}
	var list []string
	for range 1 + q.rnd.IntN(3) {
		w := words[q.rnd.IntN(len(words))]
		switch q.rnd.IntN(4) {
		case 0:
			w = fulltext.Fold(w)
		case 1:
			list = append(list, q.stars(w))
			continue
		}
		if w != "" {
			list = append(list, escape(w))
		}
	}
	if len(list) == 0 {
		return "x"
	}
	return strings.Join(list, " ")
}

func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\():<>"*{} `, r) {
			b.WriteByte('\\')
		}
		switch r {
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
