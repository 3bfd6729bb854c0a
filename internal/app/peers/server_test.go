// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/client"
	"github.com/haidang-soc/haidang/internal/app/config"
)

// patience guards against hanging; no test depends on it.
const patience = time.Minute

// server is the real program, in this process.
type server struct {
	app *app.App
	api *client.Client
}

// document is an event as the API answers it with flat=true: ECS names to values.
type document map[string]any

func (d document) text(name string) string {
	switch v := d[name].(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

func (d document) number(name string) int64 {
	v, _ := d[name].(float64)
	return int64(v)
}

// serve runs a server with the given collectors until the test ends. listen may be nil.
func serve(t *testing.T, collectors string, listen app.ListenFunc) *server {
	t.Helper()
	dir := t.TempDir()
	c, err := config.Parse(filepath.Join(dir, "haidang.yml"), []byte("data: data\nhttp: {listen: \"127.0.0.1:0\"}\n"+
		"spool: {reserve: 1}\nstore: {sync: 1s}\ncollectors:\n"+collectors))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&testLog{t: t}, nil))
	a, err := app.Open(t.Context(), app.Options{Config: c, Log: log, Listen: listen})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	<-a.Ready()
	s := &server{app: a}
	if s.api, err = client.New(client.Config{Data: c.Data}); err != nil {
		t.Fatal(err)
	}
	return s
}

// port waits for a listener and returns its port.
func (s *server) port(t *testing.T, listener string) string {
	t.Helper()
	var port string
	eventually(t, "the listener "+listener, func() bool {
		list := s.app.ListenerAddrs(listener)
		if len(list) > 0 {
			_, port, _ = net.SplitHostPort(list[0].String())
		}
		return port != ""
	})
	return port
}

// search returns every event that the query finds, page by page.
func (s *server) search(t *testing.T, query string) (list []document) {
	t.Helper()
	after := ""
	for {
		v := url.Values{"q": {query}, "limit": {"1000"}, "flat": {"true"}, "after": {after}}
		var page struct {
			Events []document `json:"events"`
			After  string     `json:"after"`
		}
		if err := s.api.Do(t.Context(), "GET", "/events?"+v.Encode(), nil, &page); err != nil {
			t.Fatal(err)
		}
		list = append(list, page.Events...)
		if after = page.After; after == "" {
			return list
		}
	}
}

// counts are the counters of a listener, as the API's list of sources gives them.
func (s *server) counts(t *testing.T, listener string) map[string]float64 {
	t.Helper()
	var list struct {
		Sources []struct {
			Name   string             `json:"name"`
			Counts map[string]float64 `json:"counts"`
		} `json:"sources"`
	}
	if err := s.api.Do(t.Context(), "GET", "/sources", nil, &list); err != nil {
		t.Fatal(err)
	}
	for _, x := range list.Sources {
		if x.Name == listener {
			return x.Counts
		}
	}
	t.Fatalf("no source %q", listener)
	return nil
}

// lossless fails for every counter of the listener that tells of a loss or an error.
func (s *server) lossless(t *testing.T, listener string) {
	t.Helper()
	for name, n := range s.counts(t, listener) {
		base, _, _ := strings.Cut(name, ".")
		switch base {
		case "dropped_total", "undecoded_total", "truncated_total", "write_errors_total", "framing_errors_total",
			"connections_refused_total", "connections_evicted_total", "lost_total":
			if n != 0 {
				t.Errorf("%s of %s is %v", name, listener, n)
			}
		}
	}
}

// testLog gives the server's log to the test.
type testLog struct{ t *testing.T }

func (w *testLog) Write(p []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("%s: it did not come", what)
		case <-tick.C:
		}
	}
}

// missing skips the test, or fails it where every peer was to be installed.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PEERS") == "install" {
		t.Fatalf("%s, although PEERS=install was to see to it", what)
	}
	t.Skipf("%s: PEERS=install make test, as root on Debian, installs it", what)
}

// need finds a program, or ends the test.
func need(t *testing.T, program string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} { // not in the path of ordinary people
		if path := filepath.Join(dir, program); exec.Command("test", "-x", path).Run() == nil {
			return path
		}
	}
	missing(t, program+" is missing")
	return ""
}

// start runs a program until the test ends: then it gets a SIGTERM and, if it does not go, is killed. If it ends
// before, the test fails with what it wrote.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var out lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 5 * time.Second
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the kernel's "parent" in Pdeathsig is this thread
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case err := <-ended:
			t.Errorf("%s ended by itself: %v", cmd.Path, err)
		default:
			_ = cmd.Process.Signal(syscall.SIGTERM)
			kill := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
			<-ended
			kill.Stop()
		}
		if t.Failed() {
			t.Logf("%s wrote:\n%s", cmd.Path, out.String())
		}
	})
}

// run runs a program to its end.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// lockedBuffer is a bytes.Buffer for two goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b.Len() > 1<<20 {
		return len(p), nil
	}
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
