// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const childEnv = "HAIDANG_SOCKETS_TEST"

func TestMain(m *testing.M) {
	if want := os.Getenv(childEnv); want != "" {
		child(strings.Fields(want))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child prints what it finds for each network and address.
func child(want []string) {
	set, err := Inherited()
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println("has", set.Len(), "left", os.Getenv("LISTEN_FDS")+os.Getenv("LISTEN_FDNAMES"))
	for i := 0; i+1 < len(want); i += 2 {
		l, p, err := set.Listen(context.Background(), want[i], want[i+1])
		switch {
		case err != nil:
			fmt.Println("error:", err)
		case l != nil:
			fmt.Println(want[i], l.Addr())
		case p != nil:
			fmt.Println(want[i], p.LocalAddr())
		default:
			fmt.Println(want[i], "none")
		}
	}
}

// inherit starts a child with the set's sockets and returns what it prints.
func inherit(t *testing.T, files []*os.File, env []string, want ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.ExtraFiles = files
	cmd.Env = append(os.Environ(), append(env, childEnv+"="+strings.Join(want, " "))...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// free returns an address that nothing listens on.
func free(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		p, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		return p.LocalAddr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestInherit(t *testing.T) {
	tcp, udp := free(t, "tcp"), free(t, "udp")
	set := &Set{}
	defer set.Close()
	list := []Address{{"tcp", tcp}, {"udp", udp}}
	if err := set.Open(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	if err := set.Open(t.Context(), list...); err != nil || set.Len() != 2 { // what is open is not opened again
		t.Fatalf("%v, %d sockets", err, set.Len())
	}
	files, env := set.Child()
	want := "has 2 left \ntcp " + tcp + "\nudp " + udp + "\ntcp none\nudp none\n"
	ask := []string{"tcp", tcp, "udp", udp, "tcp", udp, "udp", "127.0.0.1:1"}
	if got := inherit(t, files, env, ask...); got != want {
		t.Errorf("by name:\n%swant\n%s", got, want)
	}
	// As systemd hands them over: names of its own, found by the address they are bound to.
	for _, names := range []string{"LISTEN_FDNAMES=syslog.socket:syslog.socket", "LISTEN_FDNAMES=", "X=y"} {
		if got := inherit(t, files, []string{"LISTEN_FDS=2", names}, ask...); got != want {
			t.Errorf("by address (%s):\n%swant\n%s", names, got, want)
		}
	}
	// What is another process' is not ours.
	if got := inherit(t, files, []string{"LISTEN_FDS=2", "LISTEN_PID=1"}, "tcp", tcp); got != "has 0 left \ntcp none\n" {
		t.Errorf("of another process: %s", got)
	}
	for _, n := range []string{"-1", "x", "99999"} {
		if got := inherit(t, files, []string{"LISTEN_FDS=" + n}, "tcp", tcp); !strings.Contains(got, "LISTEN_FDS is") {
			t.Errorf("LISTEN_FDS=%s: %s", n, got)
		}
	}
}

// TestListenTwice: what is handed out is a duplicate: closing it leaves the socket to the next.
func TestListenTwice(t *testing.T) {
	tcp := free(t, "tcp")
	set := &Set{}
	defer set.Close()
	if err := set.Open(t.Context(), Address{"tcp", tcp}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l, _, err := set.Listen(t.Context(), "tcp", tcp)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", tcp)
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		c.Close()
		l.Close()
	}
	if c, err := net.Dial("tcp", tcp); err != nil {
		t.Errorf("while nobody serves: %v", err)
	} else {
		c.Close()
	}
}

func TestUnspecified(t *testing.T) {
	p, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	f, err := p.(*net.UDPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	port := p.LocalAddr().(*net.UDPAddr).Port
	for host, want := range map[string]bool{"": true, "0.0.0.0": true, "[::]": true, "127.0.0.1": false, "10.0.0.1": false} {
		if got := bound(f, Address{"udp", fmt.Sprintf("%s:%d", host, port)}); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestOpenFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	set := &Set{}
	defer set.Close()
	err = set.Open(t.Context(), Address{"tcp", l.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("error: %v", err)
	}
}
