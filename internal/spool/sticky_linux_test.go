// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sys/unix"
)

// TestWriteErrorHeals makes the operating system refuse the server's writes, as a full disk does, by a limit on the
// size of files: the append gets no answer, and the stream would answer nobody ever after. Meanwhile readers read and
// trim, also when it is their purge that must make room. When space is back the server is reopened in process, the
// append is finished, and nothing is lost or doubled. The limit is a whole process's, so it runs in one of its own.
func TestWriteErrorHeals(t *testing.T) {
	const inner = "HAIDANG_TEST_FSIZE"
	if os.Getenv(inner) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWriteErrorHeals$", "-test.v")
		cmd.Env = append(os.Environ(), inner+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(unix.SIGXFSZ)
	t.Cleanup(func() { signal.Reset(unix.SIGXFSZ) })
	var full, enough atomic.Bool
	srv := testServer(t, ServerConfig{Reserve: 100, Space: func(string) (int64, int64, error) {
		if full.Load() {
			return 0, 1 << 40, nil
		}
		return 1 << 39, 1 << 40, nil
	}})
	s := testSpool(t, srv, Config{Deadline: 2 * time.Second, Readers: []string{"store"}})
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
	real := s.send
	stuck := make(chan struct{})
	var once sync.Once
	s.send = func(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
		ack, err := real(ctx, m, opts...)
		if err != nil {
			once.Do(func() { full.Store(true); close(stuck) })
		}
		return ack, err
	}
	written := make(chan uint64, 1)
	go func() {
		n := uint64(100)
		for ctx.Err() == nil && !enough.Load() {
			if err := s.Write(ctx, batch("a", 1, n, n+100)); err != nil {
				t.Error(err)
				break
			}
			n += 100
		}
		written <- n
	}()
	<-stuck
	enough.Store(true)
	if err := s.Write(ctx, batch("b", 1, 0, 1)); !errors.Is(err, ErrFull) {
		t.Errorf("another source: %v", err)
	}
	rs := readAll(t, s, Cursor{})
	if err := s.Trim("store", Cursor{}.Advance(&rs[2])); err != nil {
		t.Errorf("trimming: %v", err)
	}
	if kept := readAll(t, s, Cursor{}); kept[0].At.Seq != 4 {
		t.Errorf("begins at %v: nothing was purged", kept[0].At)
	}
	restore()
	full.Store(false)
	n := <-written
	if ctx.Err() != nil {
		t.Fatal("did not heal")
	}
	write(t, s, batch("a", 1, n, n+100))
	contiguous(t, append(units(rs[:3], "a"), units(readAll(t, s, Cursor{}), "a")...), 0, n+100)
	if st := s.Stats(); st.Retries == 0 || st.Full {
		t.Errorf("stats %+v", st)
	}
}
