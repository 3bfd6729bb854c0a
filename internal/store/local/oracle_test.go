// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/VictoriaMetrics/VictoriaLogs/lib/logstorage"

	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
	"github.com/haidang-soc/haidang/internal/store/storetest"
)

// TestOracleRandom asks queries made at random; HAIDANG_QUERIES and HAIDANG_SEED ask for more or others.
func TestOracleRandom(t *testing.T) {
	n, seed := 80, uint64(1)
	if v, err := strconv.Atoi(os.Getenv("HAIDANG_QUERIES")); err == nil {
		n = v
	}
	if v, err := strconv.ParseUint(os.Getenv("HAIDANG_SEED"), 10, 64); err == nil {
		seed = v
	}
	storetest.Random(t, func(t *testing.T) storetest.Store { return open(t, t.TempDir()) }, seed, n)
}

// FuzzTranslate: the library reads every query that is made for it, and no value of ours ends early in its language.
func FuzzTranslate(f *testing.F) {
	for _, s := range []string{
		`user.name: "a\" | delete *"`, "user.name: `x`", `source.ip: "2001:db8::/33"`, `source.ip: "::ffff:0:0/90"`, "đường phố*", "not (source.ip: 10.0.0.0/8 or haidang.level >= 3)",
		`event.category: "a\u001f"`, "user.name: *'*", "haidang.unit.id: a*b", `"a b" c*d *e`, "@timestamp >= 2026-11",
		"destination.port: 5*", "url.path: /a/b", "*: \\*", `_id: "\n"`, "not *", "a\u0301*",
	} {
		f.Add(s)
	}
	enc := newEncoder()
	f.Fuzz(func(t *testing.T, text string) {
		e, err := kql.Parse(text)
		if err != nil || len(text) > 500 {
			return
		}
		dec := newDecoder(&enc)
		queries := []string{dec.query(enc.searchFilter(e)), dec.query(enc.oddFilter(e))}
		p, ok := enc.pushDown(enc.translate(e), []store.Bucket{store.Histogram(time.Hour), store.Top("user.name", 3)})
		if ok {
			queries = append(queries, p.text)
		}
		for _, q := range queries {
			if _, err := logstorage.ParseQuery(q); err != nil {
				t.Fatalf("%s: %s: %v", text, q, err)
			}
		}
	})
}
