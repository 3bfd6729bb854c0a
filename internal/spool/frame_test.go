// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"bytes"
	"errors"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
)

func testFrame(kind Kind, body func([]byte) []byte) []byte {
	rec := body(make([]byte, headBytes))
	seal(rec, kind, 1_795_980_689_999_144_841, 42)
	return rec
}

func framesForTest() [][]byte {
	b := batch("agent/7/journald", 3, 5, 9)
	return [][]byte{
		testFrame(KindBatches, func(rec []byte) []byte {
			rec = appendEntry(rec, &entry{kind: entryBatch, source: b.Source(), span: span{3, 5, 9}, events: 4,
				payload: event.Encode(nil, b)})
			return appendEntry(rec, &entry{kind: entryDrop, source: "a", span: span{1, 2, 3}, payload: []byte("đĩa đầy")})
		}),
		testFrame(KindTick, func(rec []byte) []byte { return rec }),
		testFrame(KindControl, func(rec []byte) []byte { return append(rec, `{"rules":"mới"}`...) }),
	}
}

func TestFrame(t *testing.T) {
	for _, rec := range framesForTest() {
		f, err := parseFrame(rec)
		if err != nil || f.nonce != 42 || f.clock != 1_795_980_689_999_144_841 {
			t.Fatalf("%+v, %v", f, err)
		}
		if _, err := f.decode(); err != nil {
			t.Fatal(err)
		}
		for i := range rec { // no bit may flip unseen, except those that stand for nothing
			bad := bytes.Clone(rec)
			bad[i] ^= 0x10
			if _, err := parseFrame(bad); err == nil && (i < 28 || i >= headBytes) {
				t.Fatalf("byte %d of %d changed and nobody saw it", i, len(rec))
			}
		}
		for n := range len(rec) {
			if _, err := parseFrame(rec[:n]); err == nil {
				t.Fatalf("cut to %d of %d bytes and nobody saw it", n, len(rec))
			}
		}
	}
}

// FuzzFrame gives hostile bodies under a right checksum: nothing panics, and what is accepted has possible ranges.
func FuzzFrame(f *testing.F) {
	for _, rec := range framesForTest() {
		f.Add(rec[4], rec[headBytes:])
	}
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		rec := testFrame(Kind(kind), func(rec []byte) []byte { return append(rec, body...) })
		fr, err := parseFrame(rec)
		if err != nil {
			return
		}
		stop := errors.New("stop")
		n := 0
		err = fr.entries(func(e *entry) error {
			if n++; n > len(body) {
				return stop
			}
			if e.span.Last < e.span.Start || len(e.payload) > len(body) {
				t.Fatalf("entry %+v", e)
			}
			return nil
		})
		if errors.Is(err, stop) {
			t.Fatal("more entries than bytes")
		}
		_, _ = fr.decode()
	})
}
