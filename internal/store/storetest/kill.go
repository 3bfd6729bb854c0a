// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// Reopened is a store that says where to go on.
type Reopened interface {
	Store
	Cursor() spool.Cursor
}

// ChildDir and childBase are the variables of the environment that make a test the child that is killed.
const (
	ChildDir  = "HAIDANG_STORETEST_DIR"
	childBase = "HAIDANG_STORETEST_BASE"
)

// Reopen appends, syncs and closes; opens again and finds everything; appends more without Sync, closes, opens again.
// open opens the same store each time.
func Reopen(t *testing.T, open func(t *testing.T) Reopened) {
	g := Generator{Base: Base(), PerRecord: 50}
	s := open(t)
	appendAll(t, s, g.Records(1, 4))
	if _, err := s.Sync(t.Context()); err != nil {
		t.Fatalf("Sync: %v", err)
	}
	appendAll(t, s, g.Records(5, 6))
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	s = open(t)
	if got := s.Cursor().Seq(0); got != 6 {
		t.Errorf("cursor at %d after Close, want 6", got)
	}
	appendAll(t, s, g.Records(4, 7))
	exactly(t, s, newOracle(g.Records(1, 7)))
}

func appendAll(t *testing.T, s Store, list []*spool.Record) {
	t.Helper()
	for _, r := range list {
		if err := s.Append(t.Context(), r); err != nil {
			t.Fatalf("Append: %v", err)
		}
	}
}

// exactly checks that a store holds the oracle's events, each once.
func exactly(t *testing.T, s Store, o *oracle) {
	t.Helper()
	got := map[event.ID]int{}
	for e, err := range s.Events(t.Context(), all("*")) {
		if err != nil {
			t.Fatalf("Events: %v", err)
		}
		got[e.ID()]++
	}
	missing, double := 0, 0
	for _, e := range o.events {
		switch n := got[e.ID()]; {
		case n == 0:
			missing++
		case n > 1:
			double++
		}
		delete(got, e.ID())
	}
	if missing+double+len(got) > 0 {
		t.Errorf("of %d events %d are missing, %d are double; %d are foreign", len(o.events), missing, double, len(got))
	}
}

// Kill runs the test that calls it in a child process that appends, and syncs now and then; kills it without warning
// at several points; opens the store that is left, appends again from its cursor, and wants every event once.
func Kill(t *testing.T, dir string, open func(t *testing.T) Reopened) {
	if base := os.Getenv(childBase); base != "" {
		child(t, base, open)
		return
	}
	g := Generator{Base: Base(), PerRecord: 50}
	last := uint64(0)
	for round, at := range []moment{{"append ", 3}, {"sync ", 2}, {"append ", 9}, {"sync ", 1}} {
		last = max(last, killed(t, dir, g.Base, at))
		if round == 1 {
			continue // killed again before anything is repaired
		}
		s := open(t)
		from := s.Cursor().Seq(0)
		t.Logf("killed after record %d, synced to %d", last, from)
		appendAll(t, s, g.Records(from+1, last))
		exactly(t, s, newOracle(g.Records(1, last)))
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
}

// moment is the nth time that the child says what it is about to do.
type moment struct {
	word string
	n    int
}

// killed starts the child, kills it at a moment, and returns the last record it was given.
func killed(t *testing.T, dir string, base time.Time, at moment) uint64 {
	t.Helper()
	name := strings.SplitN(t.Name(), "/", 2)[0]
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+name+"$", "-test.v")
	cmd.Env = append(os.Environ(), ChildDir+"="+dir, childBase+"="+strconv.FormatInt(base.Unix(), 10))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last, n := uint64(0), 0
	for sc := bufio.NewScanner(out); sc.Scan(); {
		if text, ok := strings.CutPrefix(sc.Text(), "append "); ok {
			seq, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				t.Fatalf("the child says %q", sc.Text())
			}
			last = max(last, seq)
		}
		if strings.HasPrefix(sc.Text(), at.word) {
			if n++; n == at.n {
				_ = cmd.Process.Kill()
			}
		}
	}
	_ = cmd.Wait()
	if n < at.n {
		t.Fatalf("the child ended by itself after %d times %q", n, at.word)
	}
	return last
}

// child appends from the cursor on until it is killed, and says each record before it appends it.
func child(t *testing.T, base string, open func(t *testing.T) Reopened) {
	unix, err := strconv.ParseInt(base, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	g := Generator{Base: time.Unix(unix, 0).UTC(), PerRecord: 50}
	s := open(t)
	for seq := s.Cursor().Seq(0) + 1; ; seq++ {
		fmt.Printf("append %d\n", seq)
		if err := s.Append(t.Context(), g.Record(seq)); err != nil {
			t.Fatalf("Append: %v", err)
		}
		if seq%5 == 0 {
			fmt.Printf("sync %d\n", seq)
			if _, err := s.Sync(t.Context()); err != nil {
				t.Fatalf("Sync: %v", err)
			}
		}
		if seq%7 == 0 { // some rows reach files without Sync
			for range s.Events(t.Context(), all("no such word")) {
				continue
			}
		}
	}
}
