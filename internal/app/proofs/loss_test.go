// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/app/sockets"
	"github.com/haidang-soc/haidang/internal/app/story"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/local"
)

const lossYAML = `
data: data
http: {listen: "127.0.0.1:0"}
spool: {reserve: 1}
collectors:
  - syslog: {name: main, listen: "127.0.0.1:0"}
  - netflow: {name: flows, listen: "127.0.0.2:0"}
`

// TestOracleLoss sends to the whole program: flows of which every thirtieth datagram is left out, and, while the
// process is stopped, more lines at once than the kernel's buffer holds, and then no more. The metrics and the events
// in the index agree with what was lost.
func TestOracleLoss(t *testing.T) {
	dir := configure(t, lossYAML)
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	server := underParent(ctx, t, dir)
	pid := nextChild(ctx, t, dir, 0)
	client := newSender(dir, 0, 1, clock{}).client.HTTP
	count := func(name, listener, more string) (n float64) {
		m, err := metrics(ctx, client)
		if err != nil {
			return -1
		}
		for key, v := range m {
			if strings.HasPrefix(key, "haidang_listener_"+name+"{") && strings.Contains(key, `"`+listener+`"`) &&
				strings.Contains(key, more) {
				n += v
			}
		}
		return n
	}
	wait := func(what string, ok func() bool) {
		t.Helper()
		poll := time.NewTicker(20 * time.Millisecond)
		defer poll.Stop()
		for !ok() {
			select {
			case <-poll.C:
			case <-ctx.Done():
				m, err := metrics(context.WithoutCancel(ctx), client)
				t.Fatalf("%s: it did not come: %v %v", what, err, m)
			}
		}
	}

	probes := map[string]float64{}
	for name, address := range map[string]string{"main": "127.0.0.1:0", "flows": "127.0.0.2:0"} {
		to := dialHeld(t, server.held, address)
		wait("listener "+name, func() bool { // until then the kernel's buffer is a small one
			probes[name]++
			_, err := to.Write([]byte("?"))
			return err == nil && count("received_total", name, "") > 0
		})
		wait("the probes", func() bool { return count("received_total", name, "") >= probes[name] })
	}

	const datagrams = 3000
	x := &story.Exporter{Boot: time.Now().Add(-time.Hour), Domain: 7}
	flows := make([]story.Flow, 10)
	for i := range flows {
		flows[i] = story.Flow{Src: netip.MustParseAddr("10.10.1.11"), Dst: netip.MustParseAddr("203.0.113.7"),
			SrcPort: uint16(40000 + i), DstPort: 443, Protocol: 6, Bytes: 1500, Packets: 3, Start: x.Boot, End: time.Now()}
	}
	to := dialHeld(t, server.held, "127.0.0.2:0")
	sent, left := 0, 0
	for i := range datagrams {
		p := x.Datagram(time.Now(), flows)
		if i%30 == 29 && i < datagrams-1 {
			left++
			continue
		}
		if _, err := to.Write(p); err != nil {
			t.Fatal(err)
		}
		if sent++; sent%500 == 0 {
			wait("the flows", func() bool { return count("received_total", "flows", "") >= float64(sent)+probes["flows"] })
		}
	}
	wait("the gaps", func() bool { return count("lost_total", "flows", "") >= float64(left) })

	to = dialHeld(t, server.held, "127.0.0.1:0")
	line := fmt.Appendf(nil, "<30>%s dvc-web-01 dồn[1]: %01500d", time.Now().Format(time.Stamp), 0)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	const lines = 30_000
	for range lines {
		if _, err := to.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	wait("the burst", func() bool {
		return count("accepted_total", "main", "")+count("dropped_total", "main", "") >= lines+probes["main"]
	})
	lost, gaps := count("dropped_total", "main", `"kernel"`), count("lost_total", "flows", "")
	got := lines + probes["main"] - count("accepted_total", "main", "")
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	last := start(t, dir, clock{}) // what was read at the stop is indexed by another life
	caughtUp(ctx, t, client)
	if err := last.end(); err != nil {
		t.Fatal(err)
	}
	told, arrived := reportedDrops(ctx, t, filepath.Join(server.cfg.Data, "store"))
	t.Logf("%d datagrams left out of %d, metric %v; %d of %d lines lost, metric %v; events report %v", left, datagrams,
		gaps, lines-arrived, lines, lost, told)
	if lost == 0 {
		t.Error("the burst was too small: nothing was lost")
	}
	near := func(what string, got, want, all float64) {
		if d := 100 * (got - want) / all; d > 0.1 || d < -0.1 {
			t.Errorf("%s: %v reported, %v lost of %v", what, got, want, all)
		}
	}
	near("lines by metric", lost, got, lines)
	near("lines by event", told["main kernel"], float64(lines-arrived), lines)
	near("flows by metric", gaps, float64(left), datagrams)
	near("flows by event", told["flows sequence_gap"], float64(left), datagrams)
}

// dialHeld connects to a UDP socket that is held for an address of the configuration.
func dialHeld(t *testing.T, held *sockets.Set, address string) net.Conn {
	t.Helper()
	_, p, err := held.Listen(t.Context(), "udp", address)
	if err != nil || p == nil {
		t.Fatal("no UDP socket: ", err)
	}
	defer p.Close()
	conn, err := net.Dial("udp", p.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// reportedDrops sums haidang.drop.count by listener and reason, and counts the lines of the burst, in an index that
// nobody has open.
func reportedDrops(ctx context.Context, t *testing.T, dir string) (told map[string]float64, lines int) {
	t.Helper()
	index, err := local.Open(local.Config{Dir: dir, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	told = map[string]float64{}
	for e, err := range index.Events(ctx, store.NewQuery(access.Everything(), nil, time.Time{}, time.Time{})) {
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := e.Get(event.HaidangDropCount); ok {
			told[e.Text(event.HaidangListener)+" "+e.Text(event.HaidangDropReason)] += float64(v.Int())
		}
		if strings.Contains(e.Text(event.EventOriginal), "dồn[1]") {
			lines++
		}
	}
	return told, lines
}
