// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/spool"
)

// cluster answers as Elasticsearch does, as far as the store asks, and misbehaves as told. A stream is a row of
// indices; an id is unique in the last only; a search finds what was there at the last refresh.
type cluster struct {
	*httptest.Server
	version string

	mu        sync.Mutex
	streams   map[string][]map[string]json.RawMessage
	visible   map[string]int // refreshed documents by id
	signals   map[string]json.RawMessage
	versions  map[string]int64
	templates map[string]json.RawMessage
	puts      []string // names of what was put
	alias     bool
	bulks     int
	searches  int
	headers   http.Header // of the last bulk

	// misbehave is asked before each bulk, the first is 1; nil: behave.
	misbehave func(n int) fault
}

// fault is what goes wrong with one bulk.
type fault struct {
	status   int                 // answered instead of taking anything
	header   http.Header         // with status
	before   bool                // the connection breaks before anything is taken
	after    bool                // ... after all was taken
	garbled  bool                // all is taken, the answer is cut short
	item     func(id string) int // status of a document that is not taken; 0: it is
	lied     bool                // ... although it was
	block    <-chan struct{}     // waited for first
	rollover bool                // every stream gets another index afterwards
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{version: "8.19.0", streams: map[string][]map[string]json.RawMessage{}, visible: map[string]int{},
		signals: map[string]json.RawMessage{}, versions: map[string]int64{}, templates: map[string]json.RawMessage{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// change changes what the cluster is, between requests.
func (c *cluster) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *cluster) config(t *testing.T) Config {
	return Config{URLs: []string{c.URL}, Dir: t.TempDir(), Wait: time.Millisecond, BulkBytes: 20_000}
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/vnd.elasticsearch+json;compatible-with=8")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	path := r.URL.Path
	switch {
	case path == "/_bulk":
		c.bulk(w, r, body)
		return
	case strings.HasSuffix(path, "/_search"):
		c.search(w, body)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case path == "/":
		fmt.Fprintf(w, `{"version":{"number":%q}}`, c.version)
	case strings.HasPrefix(path, "/_component_template/"), strings.HasPrefix(path, "/_index_template/"):
		c.template(w, r, path, body)
	case strings.HasPrefix(path, "/_alias/"):
		if !c.alias {
			w.WriteHeader(http.StatusNotFound)
		}
	case path == "/"+signalAlias+"-000001" && r.Method == http.MethodPut:
		c.alias = true
		fmt.Fprint(w, `{"acknowledged":true}`)
	case strings.HasSuffix(path, "/_refresh"):
		c.visible = c.held()
		fmt.Fprint(w, `{"_shards":{"failed":0}}`)
	default:
		http.Error(w, `{"error":{"type":"no_such_thing","reason":"`+path+`"}}`, http.StatusBadRequest)
	}
}

func (c *cluster) template(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	if r.Method == http.MethodPut {
		c.templates[path] = body
		c.puts = append(c.puts, path)
		fmt.Fprint(w, `{"acknowledged":true}`)
		return
	}
	t, ok := c.templates[path]
	if !ok {
		http.Error(w, `{"error":{"type":"resource_not_found_exception","reason":"no"}}`, http.StatusNotFound)
		return
	}
	if strings.HasPrefix(path, "/_component") {
		fmt.Fprintf(w, `{"component_templates":[{"component_template":%s}]}`, t)
	} else {
		fmt.Fprintf(w, `{"index_templates":[{"index_template":%s}]}`, t)
	}
}

func (c *cluster) search(w http.ResponseWriter, body []byte) {
	var q struct {
		Query struct {
			IDs struct {
				Values []string `json:"values"`
			} `json:"ids"`
		} `json:"query"`
	}
	_ = json.Unmarshal(body, &q)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.searches++
	var hits []string
	for _, id := range q.Query.IDs.Values {
		for range c.visible[id] {
			hits = append(hits, fmt.Sprintf(`{"_id":%q}`, id))
		}
	}
	fmt.Fprintf(w, `{"timed_out":false,"_shards":{"failed":0},"hits":{"hits":[%s]}}`, strings.Join(hits, ","))
}

func (c *cluster) bulk(w http.ResponseWriter, r *http.Request, body []byte) {
	c.mu.Lock()
	c.bulks++
	c.headers = r.Header.Clone()
	var f fault
	if c.misbehave != nil {
		f = c.misbehave(c.bulks)
	}
	c.mu.Unlock()
	if f.block != nil {
		<-f.block
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.before {
		panic(http.ErrAbortHandler)
	}
	if f.status != 0 {
		maps.Copy(w.Header(), f.header)
		http.Error(w, `{"error":{"type":"told","reason":"so"}}`, f.status)
		return
	}
	answer := c.take(body, f)
	if f.rollover {
		c.rollover()
	}
	switch {
	case f.after:
		panic(http.ErrAbortHandler)
	case f.garbled:
		fmt.Fprint(w, answer[:len(answer)/2])
	default:
		fmt.Fprint(w, answer)
	}
}

func (c *cluster) take(body []byte, f fault) string {
	var items []string
	lines := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	for i := 0; i+1 < len(lines); i += 2 {
		var a struct {
			Create, Index *struct {
				Index   string `json:"_index"`
				ID      string `json:"_id"`
				Version int64  `json:"version"`
			}
		}
		doc := lines[i+1]
		if err := json.Unmarshal(lines[i], &a); err != nil || !json.Valid(doc) {
			panic(fmt.Sprintf("not JSON: %q %q", lines[i], doc))
		}
		name, x, status := "create", a.Create, 0
		if x == nil {
			name, x = "index", a.Index
		}
		if f.item != nil {
			status = f.item(x.ID)
		}
		switch {
		case status != 0 && f.lied:
			c.create(x.Index, x.ID, doc)
		case status != 0:
		case name == "create":
			status = c.create(x.Index, x.ID, doc)
		case x.Version <= c.versions[x.ID]:
			status = http.StatusConflict
		default:
			c.signals[x.ID], c.versions[x.ID], status = doc, x.Version, http.StatusOK
		}
		text := fmt.Sprintf(`{%q:{"status":%d`, name, status)
		if status >= 300 {
			text += `,"error":{"type":"told","reason":"so","caused_by":{"type":"a","reason":"b"}}`
		}
		items = append(items, text+"}}")
	}
	return `{"errors":true,"items":[` + strings.Join(items, ",") + `]}`
}

func (c *cluster) create(stream, id string, doc []byte) int {
	row := c.streams[stream]
	if len(row) == 0 {
		row = append(row, map[string]json.RawMessage{})
		c.streams[stream] = row
	}
	if _, ok := row[len(row)-1][id]; ok {
		return http.StatusConflict
	}
	row[len(row)-1][id] = doc
	return http.StatusCreated
}

func (c *cluster) rollover() {
	for name := range c.streams {
		c.streams[name] = append(c.streams[name], map[string]json.RawMessage{})
	}
}

// held is how often each id is there.
func (c *cluster) held() map[string]int {
	n := map[string]int{}
	for _, row := range c.streams {
		for _, index := range row {
			for id := range index {
				n[id]++
			}
		}
	}
	return n
}

// exactly checks that every event of the records is there once, and nothing else.
func (c *cluster) exactly(t *testing.T, list []*spool.Record) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	checkOnce(t, c.held(), list)
}
