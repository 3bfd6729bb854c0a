// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package parent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/app/sockets"
)

// hang is a guard: what is waited for comes long before.
const hang = 2 * time.Minute

// childEnv names the addresses of a child of these tests: its program is the test's own.
const childEnv = "HAIDANG_PARENT_TEST"

func TestMain(m *testing.M) {
	if addresses := os.Getenv(childEnv); addresses != "" {
		if err := child(strings.Split(addresses, ",")); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(9)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child answers questions over the socket that it was handed.
func child(addresses []string) error {
	var hups atomic.Int64
	hup, term := make(chan os.Signal, 8), make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		for range hup {
			hups.Add(1)
		}
	}()
	go func() {
		<-term
		if os.Args[1] != "stuck" {
			os.Exit(0)
		}
	}()
	set, err := sockets.Inherited()
	if err != nil {
		return err
	}
	l, _, err := set.Listen(context.Background(), "tcp", addresses[0])
	if err != nil || l == nil {
		return errors.Join(errors.New("no tcp socket was handed over"), err)
	}
	_, udp, err := set.Listen(context.Background(), "udp", addresses[1])
	if err != nil || udp == nil {
		return errors.Join(errors.New("no udp socket was handed over"), err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		question, _ := bufio.NewReader(c).ReadString('\n')
		answer := ""
		switch question = strings.TrimSpace(question); question {
		case "who":
			answer = strconv.Itoa(os.Getpid()) + " " + strings.Join(os.Args[1:], " ")
		case "hups":
			answer = strconv.FormatInt(hups.Load(), 10)
		case "datagram":
			buf := make([]byte, 1500)
			n, _, err := udp.ReadFrom(buf)
			if err != nil {
				return err
			}
			answer = string(buf[:n])
		default: // a status to end with
			status, err := strconv.Atoi(question)
			if err != nil {
				return err
			}
			os.Exit(status)
		}
		fmt.Fprintln(c, answer)
		c.Close()
	}
}

// under is a parent under test.
type under struct {
	t        *testing.T
	tcp, udp string
	ends     string
	hangup   chan os.Signal
	cancel   func()
	done     chan error
}

func start(t *testing.T, args ...string) *under {
	t.Helper()
	u := &under{t: t, ends: filepath.Join(t.TempDir(), "ends"), hangup: make(chan os.Signal, 1), done: make(chan error, 1)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.tcp, u.udp = l.Addr().String(), p.LocalAddr().String()
	l.Close()
	p.Close()
	set := &sockets.Set{}
	err = set.Open(t.Context(), sockets.Address{Network: "tcp", Address: u.tcp},
		sockets.Address{Network: "udp", Address: u.udp})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	t.Setenv(childEnv, u.tcp+","+u.udp)
	u.run(set, args...)
	return u
}

// run starts the parent; the test's end stops it.
func (u *under) run(set *sockets.Set, args ...string) {
	ctx, cancel := context.WithCancel(context.Background())
	u.cancel = cancel
	go func() {
		u.done <- Run(ctx, Config{Path: os.Args[0], Args: args, Sockets: set, Ends: u.ends, Degraded: "--store-down",
			Hangup: u.hangup, Log: slog.New(slog.DiscardHandler), Stdout: os.Stdout, Stderr: os.Stderr,
			Pause: time.Millisecond, Grace: 50 * time.Millisecond})
		close(u.done)
	}()
	u.t.Cleanup(func() {
		cancel()
		<-u.done
	})
}

// ask asks the child that serves, which may be the next one; "" is the answer of one that ends.
func (u *under) ask(question string) string {
	u.t.Helper()
	c, err := net.Dial("tcp", u.tcp)
	if err != nil {
		u.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(hang))
	fmt.Fprintln(c, question)
	answer, err := bufio.NewReader(c).ReadString('\n')
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		u.t.Fatalf("%s: no answer", question)
	}
	return strings.TrimSpace(answer)
}

// TestRestart: a child that ends is followed by another with the same sockets; what came meanwhile is there.
func TestRestart(t *testing.T) {
	u := start(t, "serve")
	first := u.ask("who")
	u.ask("1")
	c, err := net.Dial("udp", u.udp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "gói tin")
	if got := u.ask("datagram"); got != "gói tin" {
		t.Errorf("datagram: %q", got)
	}
	pid, _, _ := strings.Cut(first, " ")
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the first child is not gone: %v", err)
	}
	second := u.ask("who")
	if second == first || !strings.HasSuffix(second, " serve") {
		t.Errorf("first %q, second %q", first, second)
	}
	// Killed as by the kernel when memory ran out.
	pid, _, _ = strings.Cut(second, " ")
	n, _ = strconv.Atoi(pid)
	if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for third := second; third == second || third == ""; {
		third = u.ask("who")
	}
	if got := len(recent(u.ends, time.Now())); got != 2 {
		t.Errorf("%d ends are recorded, want 2", got)
	}
}

// TestDegraded: the third end within ten minutes starts the child degraded, not an earlier one.
func TestDegraded(t *testing.T) {
	u := start(t, "serve")
	for end := range 4 {
		want := " serve"
		if end >= tooMany {
			want = " serve --store-down"
		}
		if who := u.ask("who"); !strings.HasSuffix(who, want) {
			t.Errorf("after %d ends: %q", end, who)
		}
		u.ask("1")
	}
}

// TestConfigurationWrong: the status that says so is not tried again; that of a panic is.
func TestConfigurationWrong(t *testing.T) {
	u := start(t, "serve")
	u.ask("2")
	u.ask(strconv.Itoa(Misconfigured))
	select {
	case err := <-u.done:
		if err == nil || !strings.Contains(err.Error(), "configuration") {
			t.Errorf("error: %v", err)
		}
	case <-time.After(hang):
		t.Fatal("the parent goes on")
	}
}

// TestHangup: SIGHUP reaches the child and does not end it.
func TestHangup(t *testing.T) {
	u := start(t, "serve")
	who := u.ask("who")
	u.hangup <- syscall.SIGHUP
	for deadline := time.Now().Add(hang); u.ask("hups") != "1"; {
		if time.Now().After(deadline) {
			t.Fatal("it did not come")
		}
	}
	if again := u.ask("who"); again != who {
		t.Errorf("another child: %q, %q", who, again)
	}
}

// TestStop: the parent returns nil when the child has stopped, also one that does not want to.
func TestStop(t *testing.T) {
	for _, mode := range []string{"serve", "stuck"} {
		t.Run(mode, func(t *testing.T) {
			u := start(t, mode)
			pid, _, _ := strings.Cut(u.ask("who"), " ")
			u.cancel()
			select {
			case err := <-u.done:
				if err != nil {
					t.Errorf("error: %v", err)
				}
			case <-time.After(hang):
				t.Fatal("it does not stop")
			}
			n, _ := strconv.Atoi(pid)
			if err := syscall.Kill(n, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("the child is not gone: %v", err)
			}
			if _, err := os.Stat(u.ends); err == nil {
				t.Error("a wanted end was recorded")
			}
		})
	}
}

func TestNoProgram(t *testing.T) {
	err := Run(t.Context(), Config{Path: filepath.Join(t.TempDir(), "nothing"), Sockets: &sockets.Set{},
		Ends: filepath.Join(t.TempDir(), "ends"), Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "starting the server") {
		t.Errorf("error: %v", err)
	}
}

// TestEnds: only ends of the last ten minutes count; what is no time is passed over.
func TestEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ends")
	now := time.Date(2026, 11, 24, 2, 10, 0, 0, time.UTC)
	if got := recent(path, now); len(got) != 0 {
		t.Errorf("no file: %v", got)
	}
	for _, before := range []time.Duration{11 * time.Minute, 9 * time.Minute, time.Minute} {
		if err := record(path, now.Add(-before)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, "không phải giờ\n"+now.Add(time.Hour).Format(time.RFC3339Nano))
	f.Close()
	if got := recent(path, now); len(got) != 2 {
		t.Errorf("%v", got)
	}
	if err := record(path, now); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Count(string(data), "\n") != 3 {
		t.Errorf("%v\n%s", err, data)
	}
}

func TestPause(t *testing.T) {
	c := Config{Pause: time.Second}
	for ends, want := range map[int]time.Duration{1: time.Second, 3: time.Second, 4: 2 * time.Second,
		8: 32 * time.Second, 100: 32 * time.Second} {
		if got := c.pause(ends); got != want {
			t.Errorf("%d ends: %v", ends, got)
		}
	}
}
