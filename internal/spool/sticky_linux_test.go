// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"os/signal"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWriteErrorHeals makes the operating system refuse the server's writes, as a full disk does, by a limit on the
// size of files: the append gets no answer, and the stream would answer nobody ever after. When space is back the
// server is reopened in process, the append is finished, and a reader that was under way goes on.
func TestWriteErrorHeals(t *testing.T) {
	signal.Ignore(unix.SIGXFSZ)
	t.Cleanup(func() { signal.Reset(unix.SIGXFSZ) })
	srv := testServer(t, ServerConfig{})
	s := testSpool(t, srv, Config{Deadline: 300 * time.Millisecond})
	write(t, s, batch("a", 1, 0, 100))
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()

	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	restore := func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
			t.Error(err)
		}
	}
	defer restore()
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 100 << 10, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	stuck := make(chan struct{})
	written := make(chan uint64, 1)
	go func() {
		n := uint64(100)
		for ctx.Err() == nil {
			if err := s.Write(ctx, batch("a", 1, n, n+100)); err != nil {
				t.Error(err)
				break
			}
			n += 100
			if s.Stats().Reopened > 0 {
				break
			}
		}
		written <- n
	}()
	go func() {
		defer close(stuck)
		for ctx.Err() == nil && s.Stats().Retries == 0 {
			time.Sleep(time.Millisecond)
		}
	}()
	<-stuck
	restore()
	n := <-written
	if ctx.Err() != nil {
		t.Fatal("did not heal")
	}
	write(t, s, batch("a", 1, n, n+100))
	contiguous(t, units(readAll(t, s, Cursor{}), "a"), 0, n+100)
	if st := s.Stats(); st.Reopened == 0 {
		t.Errorf("stats %+v", st)
	}
}
