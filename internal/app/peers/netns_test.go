// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace that the test made; nothing leads from it to the outside.
type namespace struct {
	name string
	ip   string // the program ip
}

// pair makes two namespaces joined by a veth pair, in each the interface v0 with 10.77.0.N/24 and fd77::N/64. They go
// when the test ends, and with them everything in them.
func pair(t *testing.T) (a, b *namespace) {
	t.Helper()
	ip := need(t, "ip")
	if os.Geteuid() != 0 {
		missing(t, "only root may make network namespaces")
	}
	var both [2]*namespace
	for i := range both {
		n := &namespace{fmt.Sprintf("haidang-%d-%d", os.Getpid(), i+1), ip}
		if out, err := exec.Command(ip, "netns", "add", n.name).CombinedOutput(); err != nil {
			missing(t, fmt.Sprintf("network namespaces are not to be had here (%v: %s)", err, out))
		}
		t.Cleanup(func() {
			if out, err := exec.Command(ip, "netns", "delete", n.name).CombinedOutput(); err != nil {
				t.Errorf("deleting the namespace: %v: %s", err, out)
			}
		})
		both[i] = n
	}
	run(t, ip, "link", "add", "v0", "netns", both[0].name, "type", "veth", "peer", "name", "v0", "netns", both[1].name)
	for i, n := range both {
		n.run(t, "link", "set", "lo", "up")
		n.run(t, "addr", "add", fmt.Sprintf("10.77.0.%d/24", i+1), "dev", "v0")
		n.run(t, "addr", "add", fmt.Sprintf("fd77::%d/64", i+1), "dev", "v0", "nodad")
		n.run(t, "link", "set", "v0", "up")
	}
	return both[0], both[1]
}

// run runs ip in the namespace.
func (n *namespace) run(t *testing.T, args ...string) {
	t.Helper()
	run(t, n.ip, append([]string{"-n", n.name}, args...)...)
}

// command is a program in the namespace.
func (n *namespace) command(name string, args ...string) *exec.Cmd {
	return exec.Command(n.ip, append([]string{"netns", "exec", n.name, name}, args...)...)
}

// do calls f on a thread that is in the namespace: a socket that f opens stays there. f starts no goroutine.
func (n *namespace) do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		done <- func() error {
			there, err := os.Open("/run/netns/" + n.name)
			if err != nil {
				return err
			}
			defer there.Close()
			if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("entering the namespace %s: %w", n.name, err)
			}
			return f()
		}()
	}()
	return <-done
}
