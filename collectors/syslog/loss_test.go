// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"fmt"
	"net"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
)

// burst sends n datagrams as fast as it can.
func burst(t *testing.T, to net.Addr, n int) {
	t.Helper()
	conn, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	line := make([]byte, 0, 600)
	for i := range n {
		line = fmt.Appendf(line[:0], "<13>Nov  3 10:00:00 dvc-web-01 app: dòng %d %0400d", i, i)
		if _, err := conn.Write(line); err != nil {
			t.Fatal(err)
		}
	}
}

// reported sums what reports say, by reason.
func reported(m *memory) map[string]uint64 {
	_, reports := m.events()
	sum := map[string]uint64{}
	for _, e := range reports {
		n, _ := e.Get(event.HaidangDropCount)
		sum[e.Text(event.HaidangDropReason)] += uint64(n.Int())
	}
	return sum
}

// TestOracleLossOverflow sends bursts that neither the kernel's buffer nor the listener's can hold: what metric and
// events report is within 0.1 points of what did not arrive, also when the end of a burst is the end of the stream, of
// the run, or both, and when it comes while the Writer takes nothing.
func TestOracleLossOverflow(t *testing.T) {
	for _, c := range []struct {
		name    string
		cfg     Config
		blocked bool // until all was sent
		reason  string
		end     bool // of the run, right after the burst
	}{
		{"kernel", Config{ReceiveBuffer: 8 << 10}, false, dropKernel, false},
		{"kernel, then the stop", Config{ReceiveBuffer: 8 << 10}, false, dropKernel, true},
		{"kernel, several sockets", Config{ReceiveBuffer: 8 << 10, UDPSockets: 3}, false, dropKernel, true},
		{"queue", Config{QueueBytes: 64 << 10, MaxEvents: 16}, true, dropQueue, false},
		{"queue, then the stop", Config{QueueBytes: 64 << 10, MaxEvents: 16}, true, dropQueue, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &memory{}
			if c.blocked {
				m.block = make(chan struct{})
			}
			c.cfg.UDP = []string{"127.0.0.1:0"}
			r := start(t, c.cfg, m)
			sent := uint64(0)
			send := func() {
				burst(t, r.Addrs()[0], 10_000)
				sent += 10_000
			}
			for lost := uint64(0); lost == 0; { // the scheduler may be kind
				send()
				if c.blocked {
					break
				}
				poll(t, "the count of what was lost", func() bool {
					s := r.Stats()
					lost = s.Dropped[dropKernel]
					return s.Received+lost >= sent
				})
			}
			if c.end {
				send()
			}
			if c.blocked {
				close(m.block)
			}
			if !c.end {
				m.wait(t, "the report", func() bool {
					got := uint64(0)
					for _, n := range reported(m) {
						got += n
					}
					return uint64(len(m.originals()))+got >= sent-sent/1000
				})
			}
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
			lost := sent - uint64(len(m.originals()))
			s, by := r.Stats(), reported(m)
			told, counted := uint64(0), uint64(0)
			for _, n := range by {
				told += n
			}
			for _, n := range s.Dropped {
				counted += n
			}
			t.Logf("%d sent, %d lost, events report %v, metrics %v", sent, lost, by, s.Dropped)
			for what, n := range map[string]uint64{"events report": told, "metrics report": counted} {
				if max(n, lost)-min(n, lost) > sent/1000 {
					t.Errorf("of %d datagrams %d did not arrive, %s %d", sent, lost, what, n)
				}
			}
			if by[c.reason] == 0 {
				t.Errorf("nothing was lost for the reason %s: %v", c.reason, by)
			}
		})
	}
}
