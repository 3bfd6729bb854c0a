// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/storetest"
)

// peerURL tells a child process that is to be killed which cluster there is.
const peerURL = "HAIDANG_ELASTIC_URL"

// TestPeerElastic holds the store to its contract against a real Elasticsearch.
func TestPeerElastic(t *testing.T) {
	if url := os.Getenv(peerURL); url != "" {
		peerKill(t, &server{url})
		return
	}
	es := startServer(t)
	t.Run("Append", func(t *testing.T) { peerAppend(t, es) })
	t.Run("Signals", func(t *testing.T) { peerSignals(t, es) })
	t.Run("Poison", func(t *testing.T) { peerPoison(t, es) })
	t.Run("Templates", func(t *testing.T) { peerTemplates(t, es) })
	t.Run("Reopen", func(t *testing.T) {
		es.clear(t)
		dir := t.TempDir()
		storetest.Reopen(t, func(t *testing.T) storetest.Reopened { return es.open(t, dir) })
	})
	t.Run("Kill", func(t *testing.T) {
		es.clear(t)
		t.Setenv(peerURL, es.url)
		peerKill(t, es)
	})
}

// all is every data stream.
const all = allStreams

// clear removes every event: a stream's indices may go once others follow them.
func (s *server) clear(t *testing.T) {
	t.Helper()
	old := s.ask(t, "GET", "/"+all+"/_settings", nil)
	s.rollover(t)
	for name := range old {
		s.ask(t, "DELETE", "/"+name, nil)
	}
	if n := s.count(t, all); n > 0 {
		t.Fatalf("%d events left", n)
	}
}

func (s *server) rollover(t *testing.T) {
	t.Helper()
	for _, name := range []string{"event-r365", "flow-r365"} {
		s.ask(t, "POST", "/"+streamPrefix+name+"/_rollover", nil)
	}
}

func peerAppend(t *testing.T, es *server) {
	g := storetest.Generator{Base: storetest.Base(), PerRecord: 100}
	list := g.Records(1, 20)
	s := open(t, Config{URLs: []string{es.url}, Dir: t.TempDir(), BulkBytes: 100_000})
	appendAll(t, s, list)
	mustSync(t, s, 20)
	ids, sources := es.documents(t, all)
	total := len(ids)
	checkOnce(t, ids, list)
	if n := es.count(t, all); n != total {
		t.Errorf("_count is %d, a search finds %d", n, total)
	}
	if n := s.Counts(); n.Dead > 0 || n.Clamped > 0 {
		t.Errorf("counts %+v", n)
	}
	for _, r := range list {
		for _, b := range r.Batches {
			for e := range b.Events() {
				var want map[string]any
				if err := json.Unmarshal(event.AppendJSON(nil, e, false), &want); err != nil {
					t.Fatal(err)
				}
				got := sources[e.ID().String()]
				delete(got, "haidang.text")
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("document\n%v\nwant\n%v", got, want)
				}
			}
		}
	}
	// The mappings mean what they should: folded text, addresses, numbers, nanoseconds.
	for _, q := range []object{
		{"match_phrase": object{"haidang.text": "password for nguyen"}},
		{"term": object{"source.ip": "10.1.2.0/24"}},
		{"range": object{"source.bytes": object{"gte": 1 << 39}}},
		{"range": object{"@timestamp": object{"gte": g.Base.Add(-48 * time.Hour).Format(time.RFC3339Nano)}}},
		{"term": object{"haidang.extra.Thiết bị": "Tường lửa số 1"}},
		{"prefix": object{"url.path": "/dich"}},
	} {
		n := es.ask(t, "POST", "/"+all+"/_count", object{"query": q})["count"].(float64)
		if n == 0 || int(n) == total {
			t.Errorf("%v finds %v of %d documents", q, n, total)
		}
	}
}

func peerSignals(t *testing.T, es *server) {
	s := open(t, Config{URLs: []string{es.url}, Dir: t.TempDir()})
	for i, n := range []int64{1, 3, 2, 4} {
		appendAll(t, s, []*spool.Record{oneOf("alerts", uint64(i+1), func(b *event.Builder) {
			b.Str(event.EventKind, "signal")
			b.Str(event.HaidangAlertID, "a1")
			b.Str(event.HaidangAlertStatus, []string{"open", "closed", "late", "reopened"}[i])
			b.Int(event.HaidangAlertUpdate, 1)
			b.Int(event.HaidangAlertEntry, n)
		})})
		mustSync(t, s, uint64(i+1))
		_, sources := es.documents(t, signalAlias)
		got := sources["a1"]["haidang"].(map[string]any)["alert"].(map[string]any)["status"]
		if want := []string{"open", "closed", "closed", "reopened"}[i]; got != want || len(sources) != 1 {
			t.Errorf("after entry %d the alert is %v, want %s; %d documents", n, got, want, len(sources))
		}
	}
}

// peerPoison: a field that is an object in one event and a text in another cannot be mapped.
func peerPoison(t *testing.T, es *server) {
	s := open(t, Config{URLs: []string{es.url}, Dir: t.TempDir()})
	outer, _ := event.Intern("vendor.poison")
	inner, _ := event.Intern("vendor.poison.inner")
	before := es.count(t, all)
	for i := range 3 {
		appendAll(t, s, []*spool.Record{one(uint64(100+i), func(b *event.Builder) {
			b.Str([]event.FieldID{inner, outer, event.UserName}[i], "đầu độc")
		})})
		mustSync(t, s, uint64(100+i))
	}
	if n := s.Counts(); n.Dead != 1 || n.Stored != 2 {
		t.Errorf("counts %+v, want one dead letter", n)
	}
	if n := es.count(t, all); n != before+2 {
		t.Errorf("%d documents more, want 2", n-before)
	}
}

func peerTemplates(t *testing.T, es *server) {
	for _, name := range []string{"haidang-r365", "haidang-signal"} {
		list := es.ask(t, "GET", "/_index_template/"+name, nil)["index_templates"].([]any)
		body := list[0].(map[string]any)["index_template"].(map[string]any)
		if body["priority"] != 500.0 {
			t.Errorf("%s has priority %v", name, body["priority"])
		}
		// What an operator adds stays, as long as ours is of the same text.
		body["version"] = 7
		es.ask(t, "PUT", "/_index_template/"+name, body)
		s := open(t, Config{URLs: []string{es.url}, Dir: t.TempDir()})
		if err := s.install(t.Context()); err != nil {
			t.Fatal(err)
		}
		list = es.ask(t, "GET", "/_index_template/"+name, nil)["index_templates"].([]any)
		if v := list[0].(map[string]any)["index_template"].(map[string]any)["version"]; v != 7.0 {
			t.Errorf("%s was overwritten: version %v", name, v)
		}
	}
}

// peerKill kills a child that appends, between a request and Sync as well; the streams are rolled over before the
// store is opened again.
func peerKill(t *testing.T, es *server) {
	dir := os.Getenv(storetest.ChildDir)
	if dir == "" {
		dir = t.TempDir()
	}
	var opened []peer
	storetest.Kill(t, dir, func(t *testing.T) storetest.Reopened {
		if os.Getenv(storetest.ChildDir) == "" {
			es.rollover(t)
		}
		opened = append(opened, es.open(t, dir))
		return opened[len(opened)-1]
	})
	known := uint64(0)
	for _, p := range opened {
		known += p.Counts().Known
	}
	if known == 0 {
		t.Error("no kill came between a request and its Sync: nothing was tested")
	}
}

// peer is a store with as much of a Querier as counting needs.
type peer struct {
	*Store
	es *server
	t  *testing.T
}

func (s *server) open(t *testing.T, dir string) peer {
	st, err := Open(Config{URLs: []string{s.url}, Dir: dir, BulkBytes: 30_000})
	if err != nil {
		t.Fatal(err)
	}
	return peer{st, s, t}
}

// Events yields an event of the right id for every document.
func (p peer) Events(ctx context.Context, _ store.Query) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		if _, err := p.Sync(ctx); err != nil {
			yield(event.Event{}, err)
			return
		}
		ids, _ := p.es.documents(p.t, all)
		b := event.NewBuilder("x", 1)
		for id, n := range ids {
			x, err := event.ParseID(id)
			if err != nil {
				yield(event.Event{}, err)
				return
			}
			for range n {
				b.Begin(0, 0)
				b.SetID(x)
				b.End()
			}
		}
		for e := range b.Batch(0, 1).Events() {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (p peer) Stats(context.Context, store.Query, ...store.Bucket) iter.Seq2[store.Table, error] {
	return func(yield func(store.Table, error) bool) { yield(store.Table{}, errors.ErrUnsupported) }
}

func (p peer) Fields(context.Context, store.Query) ([]store.FieldInfo, error) {
	return nil, errors.ErrUnsupported
}
