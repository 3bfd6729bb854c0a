// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"errors"
	"testing"
)

func TestTrim(t *testing.T) {
	dir := t.TempDir()
	srv := testServer(t, ServerConfig{Dir: dir})
	cfg := Config{Readers: []string{"store", "correlator"}}
	s := testSpool(t, srv, cfg)
	for i := range uint64(10) {
		write(t, s, batch("a", 1, i, i+1))
	}
	rs := readAll(t, s, Cursor{})
	at := func(seq uint64) Cursor { return Cursor{}.Advance(&rs[seq-1]) }
	firstKept := func() uint64 { return readAll(t, s, Cursor{})[0].At.Seq }
	trim := func(reader string, c Cursor) {
		t.Helper()
		if err := s.Trim(reader, c); err != nil {
			t.Fatal(err)
		}
	}
	trim("store", at(8))
	if n := firstKept(); n != 1 {
		t.Fatalf("purged up to %d, and the correlator has nothing", n)
	}
	trim("correlator", at(4))
	if n := firstKept(); n != 5 {
		t.Fatalf("begins at %d", n)
	}
	for _, err := range s.Read(t.Context(), at(2)) {
		var gap *ErrGap
		if !errors.As(err, &gap) || *gap != (ErrGap{0, 3, 5}) {
			t.Fatalf("got %v", err)
		}
	}
	trim("correlator", at(10))
	trim("store", at(10))
	if n := firstKept(); n != 10 {
		t.Fatalf("begins at %d: the last record stays", n)
	}
	if ck, err := loadCheckpoint(s.path(".ranges")); err != nil || ck.Seq < 9 {
		t.Errorf("purged up to 9, the checkpoint is at %d: %v", ck.Seq, err)
	}
	if err := s.Trim("elastic", at(3)); err == nil {
		t.Error("an unknown reader trims")
	}
	if err := s.Trim("store", NewCursor(Mark{0, s.Incarnation(), 11})); err == nil {
		t.Error("a reader has what was never written")
	}
	// The table survives although the records it came from are gone.
	_ = s.Close()
	_ = srv.Close()
	s = testSpool(t, testServer(t, ServerConfig{Dir: dir}), cfg)
	if !s.Trimmed("store").Equal(at(10)) {
		t.Errorf("store is at %v", s.Trimmed("store"))
	}
	write(t, s, batch("a", 1, 3, 12))
	var hole *ErrHole
	if err := s.Write(t.Context(), batch("a", 1, 13, 14)); !errors.As(err, &hole) {
		t.Fatalf("got %v", err)
	}
	if got := units(readAll(t, s, at(10)), "a"); len(got) != 2 || got[0] != 10 {
		t.Fatalf("units %v", got)
	}
}
