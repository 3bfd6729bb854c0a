// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"testing"

	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/storetest"
)

// TestPeerElastic holds the store to its contract against a real Elasticsearch.
func TestPeerElastic(t *testing.T) {
	s := startServer(t)
	t.Run("Appender", func(t *testing.T) { peerAppender(t, s) })
}

// all is every data stream.
const all = allStreams

func peerAppender(t *testing.T, es *server) {
	g := storetest.Generator{Base: storetest.Base(), PerRecord: 100}
	list := g.Records(1, 20)
	st, err := Open(Config{URLs: []string{es.url}, Dir: t.TempDir(), BulkBytes: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	appendAll(t, st, list)
	cursor, err := st.Sync(t.Context())
	if err != nil || cursor.Seq(0) != 20 {
		t.Fatalf("Sync = %v, %v", cursor, err)
	}
	exactly(t, es, list)
}

// exactly checks that the streams hold every event of the records once, and nothing else.
func exactly(t *testing.T, es *server, list []*spool.Record) {
	t.Helper()
	ids, _ := es.documents(t, all)
	want := 0
	for _, n := range ids {
		want += n
	}
	checkOnce(t, ids, list)
	if n := es.count(t, all); n != want {
		t.Errorf("_count is %d, a search finds %d", n, want)
	}
}
