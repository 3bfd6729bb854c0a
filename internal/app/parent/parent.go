// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package parent keeps a server running: it holds the listening sockets and restarts the child that serves them.
//
// The parent does nothing else, so that it has nothing to crash from: no configuration beyond the addresses, no data.
// While the child is down the kernel's buffers collect; the next child goes on with the same sockets. After three ends
// in ten minutes the child is started with the store marked down: collecting and correlating go on, searching does not.
package parent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/haidang-soc/haidang/internal/app/sockets"
)

// Config says what to run.
type Config struct {
	Path    string   // of the program
	Args    []string // of the child, without the program's name
	Sockets *sockets.Set
	Ends    string // file that keeps the times of the child's ends
	// Degraded is an argument that is added after three ends in ten minutes.
	Degraded string
	Hangup   <-chan os.Signal // each is passed on as SIGHUP
	Log      *slog.Logger
	Stdout   *os.File
	Stderr   *os.File
	Grace    time.Duration // for the child to stop after SIGTERM; 0 is a minute
	Pause    time.Duration // before a restart; 0 is a second; from the fourth end in ten minutes on doubled, to 32 times
}

// Misconfigured is the status (EX_CONFIG of sysexits) with which a child says that no restart mends it. It is not 2: a
// panic ends a program with that.
const Misconfigured = 78

// Run runs the child until ctx is done, then stops it and returns nil. It returns an error when the child cannot be
// started at all, or ends by itself with the status Misconfigured.
func Run(ctx context.Context, c Config) error {
	if c.Grace == 0 {
		c.Grace = time.Minute
	}
	if c.Pause == 0 {
		c.Pause = time.Second
	}
	for {
		ends := recent(c.Ends, time.Now())
		args := c.Args
		if len(ends) >= tooMany && c.Degraded != "" {
			c.Log.Error("the server ended too often: it starts with the store marked down", "ends", len(ends),
				"within", window)
			args = append(args[:len(args):len(args)], c.Degraded)
		}
		status, err := c.once(ctx, args)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("parent: starting the server: %w", err)
		case status == Misconfigured:
			return errors.New("parent: the server cannot run with its configuration: see the line above")
		}
		if err := record(c.Ends, time.Now()); err != nil {
			c.Log.Warn("the end of the server could not be recorded", "error", err)
		}
		pause := c.pause(len(ends) + 1)
		c.Log.Error("the server ended and is started again; its sockets stay open", "status", status, "in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		select {
		case <-c.Hangup: // the next child reads everything anew
		default:
		}
	}
}

// pause is how long to wait before a restart: longer when it has not helped so far.
func (c *Config) pause(ends int) time.Duration {
	return c.Pause << min(max(ends-tooMany, 0), 5)
}

// once runs one child to its end and returns its exit status, -1 when a signal ended it.
func (c *Config) once(ctx context.Context, args []string) (status int, err error) {
	cmd := exec.Command(c.Path, args...)
	files, env := c.Sockets.Child()
	cmd.ExtraFiles = files
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = c.Stdout, c.Stderr
	// A parent that is killed takes its child with it: two servers must not share the data.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // the death signal comes when the thread that started the child ends
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the status is read from ProcessState
		}
	}()
	if err := <-started; err != nil {
		return 0, err
	}
	for {
		select {
		case <-done:
			return cmd.ProcessState.ExitCode(), nil
		case <-c.Hangup:
			_ = cmd.Process.Signal(syscall.SIGHUP)
		case <-ctx.Done():
			_ = cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-done:
			case <-time.After(c.Grace):
				c.Log.Error("the server did not stop in time and is killed; it goes on where it was next time")
				_ = cmd.Process.Kill()
				<-done
			}
			return 0, nil
		}
	}
}
