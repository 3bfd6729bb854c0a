// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

const (
	guard    = 120 * time.Second // only against hanging for ever
	childDir = "HAIDANG_TEST_SPOOL_DIR"
)

// batch has one event per unit of [first, last).
func batch(source string, epoch, first, last uint64) *event.Batch {
	b := event.NewBuilder(source, epoch)
	for u := first; u < last; u++ {
		b.Begin(u, 0)
		b.Time(event.Timestamp, int64(u))
		b.Str(event.EventOriginal, fmt.Sprintf("Cổng dịch vụ công: đăng nhập thất bại lần %d", u))
		b.End()
	}
	return b.Batch(first, last)
}

func everybody(*http.Request) (func(string) bool, error) {
	return func(string) bool { return true }, nil
}

// TestMain is also the program that TestKillNine kills: a spool behind the handler, on a Unix socket.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, "child:", serve(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func serve(dir string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	srv, err := spool.OpenServer(spool.ServerConfig{Dir: dir, Reserve: -1, Log: log})
	if err != nil {
		return err
	}
	s, err := spool.Open(context.Background(), srv, spool.Config{Tick: 20 * time.Millisecond, Log: log,
		Checkpoint: 15 * time.Millisecond, Readers: []string{"copy"}})
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- copyRecords(s, dir) }()
	sock := filepath.Join(dir, "sock")
	if err := os.Remove(sock); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", sock)
	if err != nil {
		return err
	}
	go func() { // ends with its parent
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	go func() { ended <- http.Serve(l, New(Config{Out: s, Drops: s, Authorize: everybody})) }()
	return <-ended
}

// copied is one line of the file that the reader "copy" keeps: a record, and the cursor after it, in one write.
type copied struct {
	Cursor spool.Cursor `json:"cursor"`
	Clock  int64        `json:"clock"`
	Events []unitOf     `json:"events"`
}

type unitOf struct {
	Source string `json:"source"`
	Unit   uint64 `json:"unit"`
}

func copyOf(c spool.Cursor, r *spool.Record) copied {
	line := copied{Cursor: c.Advance(r), Clock: r.Clock}
	for _, b := range r.Batches {
		for e := range b.Events() {
			line.Events = append(line.Events, unitOf{b.Source(), e.ID().Unit()})
		}
	}
	return line
}

// readCopy returns the whole lines of the file, and their length; a kill leaves at most one torn line behind them.
func readCopy(dir string) (lines []copied, size int64, err error) {
	data, err := os.ReadFile(filepath.Join(dir, "copy"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, 0, err
	}
	for {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok {
			return lines, size, nil
		}
		var c copied
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, 0, err
		}
		lines, size, data = append(lines, c), size+int64(len(line))+1, rest
	}
}

// copyRecords is a reader as a store is one: it goes on from its own cursor, and trims behind it.
func copyRecords(s *spool.Spool, dir string) error {
	lines, size, err := readCopy(dir)
	if err != nil {
		return err
	}
	var at spool.Cursor
	if len(lines) > 0 {
		at = lines[len(lines)-1].Cursor
	}
	f, err := os.OpenFile(filepath.Join(dir, "copy"), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	if _, err := f.Seek(size, io.SeekStart); err != nil {
		return err
	}
	for r, err := range s.Read(context.Background(), at) {
		if err != nil {
			return err
		}
		line := copyOf(at, &r)
		at = line.Cursor
		doc, err := json.Marshal(line)
		if err != nil {
			return err
		}
		if _, err := f.Write(append(doc, '\n')); err != nil {
			return err
		}
		if r.At.Seq%8 == 0 {
			if err := s.Trim("copy", at); err != nil {
				return err
			}
		}
	}
	return errors.New("reading ended")
}

// TestKillNine kills the receiving process at random points while senders send again what was not acknowledged, with
// other boundaries: in the end everything acknowledged is there, exactly once, in order.
func TestKillNine(t *testing.T) {
	dir, err := os.MkdirTemp("", "hd") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	const sources, kills, perLife = 5, 8, 60
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()

	hc := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "sock"))
	}}}
	client := &Client{URL: "http://spool/v1/spool", HTTP: hc}
	var acked [sources]atomic.Uint64
	var answers atomic.Int64
	more := make(chan struct{}, 1)
	sending, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for i := range sources {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(i)))
			source := fmt.Sprintf("agent/%d/journald", i)
			for sending.Err() == nil {
				from := acked[i].Load()
				back := min(from, uint64(rnd.IntN(4))) // sometimes what is known already
				first := from - back
				mid := first + 1 + uint64(rnd.IntN(40))
				last := mid + 1 + uint64(rnd.IntN(40))
				acks, err := client.Send(sending, batch(source, 1, first, mid), batch(source, 1, mid, last))
				for _, a := range acks {
					acked[i].Store(max(from, a.Last))
				}
				if err == nil {
					answers.Add(1)
					select {
					case more <- struct{}{}:
					default:
					}
					continue
				}
				var hole *spool.ErrHole
				if errors.As(err, &hole) {
					t.Errorf("%s: acknowledged up to %d, then: %v", source, from, err)
					return
				}
				select { // the receiver is down
				case <-sending.Done():
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
	}
	rnd := rand.New(rand.NewPCG(seed, 99))
	for life := range kills {
		cmd, in := startChild(t, dir)
		want := answers.Load() + int64(rnd.IntN(perLife)) + 1
		for answers.Load() < want && ctx.Err() == nil {
			select {
			case <-more:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			t.Fatalf("life %d: %d answers, want %d", life, answers.Load(), want)
		}
		if err := cmd.Process.Kill(); err != nil { // SIGKILL
			t.Fatal(err)
		}
		_ = cmd.Wait()
		_ = in.Close()
	}
	stop()
	wg.Wait()
	checkStream(ctx, t, dir, sources, func(i int) uint64 { return acked[i].Load() })
}

func startChild(t *testing.T, dir string) (*exec.Cmd, io.Closer) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, in
}

// checkStream reads what the reader copied and then the rest of the stream: each source's units are 0, 1, 2, ...
// without a double, at least up to what was acknowledged; sequences have no gap, and the clock never falls.
func checkStream(ctx context.Context, t *testing.T, dir string, sources int, acked func(int) uint64) {
	t.Helper()
	srv, err := spool.OpenServer(spool.ServerConfig{Dir: dir, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	s, err := spool.Open(ctx, srv, spool.Config{Tick: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	lines, _, err := readCopy(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) == 0 {
		t.Fatal("the reader copied nothing")
	}
	at := lines[len(lines)-1].Cursor
	trimmed := s.Trimmed("copy")
	for r, err := range s.Read(ctx, at) {
		if err != nil {
			t.Fatal(err)
		}
		line := copyOf(at, &r)
		at = line.Cursor
		lines = append(lines, line)
		if at.Equal(s.End()) {
			break
		}
	}
	if ctx.Err() != nil {
		t.Fatal("reading took too long")
	}
	next := map[string]uint64{}
	seq, clock, total := uint64(0), int64(0), uint64(0)
	for _, l := range lines {
		if l.Cursor.Seq(0) != seq+1 || l.Clock < clock {
			t.Fatalf("record %v at %d after %d at %d", l.Cursor, l.Clock, seq, clock)
		}
		seq, clock = l.Cursor.Seq(0), l.Clock
		for _, u := range l.Events {
			if u.Unit != next[u.Source] {
				t.Fatalf("record %v: %s: unit %d, want %d", l.Cursor, u.Source, u.Unit, next[u.Source])
			}
			next[u.Source]++
			total++
		}
	}
	for i := range sources {
		source := fmt.Sprintf("agent/%d/journald", i)
		if next[source] < acked(i) || next[source] == 0 {
			t.Errorf("%s: acknowledged up to %d, stored up to %d", source, acked(i), next[source])
		}
		if a, _ := s.Known(source); a.Last != next[source] {
			t.Errorf("%s: known up to %d, stored up to %d", source, a.Last, next[source])
		}
	}
	if trimmed.Seq(0) == 0 {
		t.Error("the reader never trimmed")
	}
	t.Logf("%d records, %d events, trimmed up to %v", seq, total, trimmed)
}
