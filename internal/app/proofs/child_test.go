// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/app/sockets"
	"github.com/haidang-soc/haidang/internal/spool"
)

// What the test process tells its child.
const (
	envDir   = "HAIDANG_PROOF"       // the folder of haidang.yml
	envEpoch = "HAIDANG_PROOF_EPOCH" // of clock.real, unix ns; the child's time is the system's without it
	envStdin = "HAIDANG_PROOF_STDIN" // end with the standard input
)

const guard = 170 * time.Second // only against hanging for ever

// TestMain is also the program that is killed: haidang server --single in the folder that envDir names.
func TestMain(m *testing.M) {
	if dir := os.Getenv(envDir); dir != "" {
		if err := serve(dir); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func serve(dir string) error {
	held, err := sockets.Inherited()
	if err != nil {
		return err
	}
	cfg, err := config.Load(filepath.Join(dir, "haidang.yml"))
	if err != nil {
		return err
	}
	cfg.Store.Sync = 300 * time.Millisecond // more often than a configuration may ask for
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if os.Getenv(envStdin) != "" {
		go func() { // ends with its parent
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(3)
		}()
	}
	pid := filepath.Join(dir, "pid")
	if err := errors.Join(os.WriteFile(pid+".new", []byte(strconv.Itoa(os.Getpid())), 0o600),
		os.Rename(pid+".new", pid)); err != nil {
		return err
	}
	opt := app.Options{Config: cfg, Listen: held.Listen,
		Log:  slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Tick: time.Second / pace, Checkpoint: 60 * time.Millisecond,
		Readers: []app.Reader{{Name: "copy", Run: func(ctx context.Context, s *spool.Spool) error {
			return copyRecords(ctx, s, dir)
		}}}}
	if text := os.Getenv(envEpoch); text == "" {
		opt.Tick = 0
	} else {
		ns, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		opt.Clock = clock{ns}
	}
	a, err := app.Open(ctx, opt)
	if err != nil {
		return err
	}
	return errors.Join(a.Run(ctx), a.Close())
}

// pace is how much faster than real time the stream's time is: minutes pass in the seconds of a test, so that windows
// close, episodes go on and sources fall silent.
const pace = 20

// clock is the same time in every process: two hours before real, it runs at pace from there.
type clock struct{ real int64 }

// Wall is the time, unix ns.
func (c clock) Wall() int64 { return c.real - int64(2*time.Hour) + pace*(time.Now().UnixNano()-c.real) }

// Mono is a time that does not fall.
func (c clock) Mono() time.Duration { return time.Duration(c.Wall()) }

// server is a child process.
type server struct {
	cmd   *exec.Cmd
	stop  io.Closer
	ended chan struct{}
	err   error // of its end, once ended is closed
}

// start starts a child in the folder; the zero clock is the system's.
func start(t *testing.T, dir string, c clock) *server {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envDir+"="+dir, envStdin+"=1")
	if c.real != 0 {
		cmd.Env = append(cmd.Env, envEpoch+"="+strconv.FormatInt(c.real, 10))
	}
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{cmd: cmd, stop: in, ended: make(chan struct{})}
	go func() {
		s.err = cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() { _ = s.kill() })
	return s
}

// kill ends the child with SIGKILL; an error says that it had ended by itself.
func (s *server) kill() error {
	err := s.cmd.Process.Kill()
	<-s.ended
	_ = s.stop.Close()
	return err
}

// end asks the child to stop and waits until it has.
func (s *server) end() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-s.ended
	return s.err
}

// configure writes haidang.yml and the inventory into a new folder whose path is short enough for a socket.
func configure(t *testing.T, yaml string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	write(t, filepath.Join(dir, "haidang.yml"), yaml)
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
