// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestPeerSoftflowd wants the flows that softflowd makes of real packets between two network namespaces to be found
// once each, with the addresses, ports, packets and bytes that a capture beside it counts.
func TestPeerSoftflowd(t *testing.T) {
	softflowd, softflowctl := need(t, "softflowd"), need(t, "softflowctl")
	for _, c := range []struct {
		name, version string
		ipv6          bool
	}{{"v5", "5", false}, {"v9", "9", true}, {"ipfix", "10", true}} {
		t.Run(c.name, func(t *testing.T) {
			a, b := pair(t)
			// The socket of the listener is in the second namespace, where softflowd is.
			s := serve(t, "  - netflow: {name: flows, listen: \"127.0.0.1:2055\"}\n",
				func(_ context.Context, network, address string) (l net.Listener, p net.PacketConn, err error) {
					if network == "udp" {
						err = b.do(func() error {
							p, err = net.ListenPacket("udp", address)
							return err
						})
					}
					return l, p, err
				})
			s.port(t, "flows")
			truth := listen(t, b)
			control := filepath.Join(t.TempDir(), "ctl")
			start(t, b.command(softflowd, "-i", "v0", "-v", c.version, "-n", "127.0.0.1:2055", "-c", control,
				"-p", filepath.Join(t.TempDir(), "pid"), "-C", "1600", "-N", "-d"))
			ask := func(command string) string {
				out, _ := b.command(softflowctl, "-c", control, command).CombinedOutput()
				return string(out)
			}
			processed := regexp.MustCompile(`Packets processed: (\d+)`)
			eventually(t, "softflowd", func() bool { return processed.MatchString(ask("statistics")) })

			talk(t, a, b, "10.77.0.2")
			if c.ipv6 {
				talk(t, a, b, "fd77::2")
			}
			flush(t, a, b, truth, func() int64 {
				m := processed.FindStringSubmatch(ask("statistics"))
				if m == nil {
					return 0
				}
				n, _ := strconv.ParseInt(m[1], 10, 64)
				return n
			})
			ask("expire-all")
			_, want := truth.counted()
			maps.DeleteFunc(want, func(k conversation, _ traffic) bool { return k.dst.Port() == discard })
			if n := map[bool]int{false: 4, true: 8}[c.ipv6]; len(want) != n {
				t.Fatalf("the capture has %d conversations, want %d: %v", len(want), n, want)
			}
			query := fmt.Sprintf(`event.dataset:"netflow.flow" and network.transport:(tcp or udp) and not destination.port:%d`,
				discard)
			eventually(t, "the flows in the index", func() bool { return len(s.search(t, query)) >= len(want) })
			got := map[conversation]traffic{}
			list := s.search(t, query)
			for _, d := range list {
				k := conversation{end(t, d, "source"), end(t, d, "destination"), d.text("network.transport")}
				n := got[k]
				got[k] = traffic{n.packets + d.number("source.packets"), n.bytes + d.number("source.bytes")}
				if d.text("event.end") == "" || d.text("observer.ip") == "" {
					t.Errorf("no time or no exporter in %v", d)
				}
				at, err := time.Parse(time.RFC3339Nano, d.text("@timestamp"))
				if off := time.Since(at); err != nil || off > patience || off < -2*time.Second {
					t.Errorf("the flow's time is %q", d.text("@timestamp"))
				}
			}
			if d := cmp.Diff(want, got, cmp.AllowUnexported(traffic{}), cmpopts.EquateComparable(conversation{})); d != "" {
				t.Errorf("captured (-), indexed (+):\n%s", d)
			}
			if len(list) != len(want) {
				t.Errorf("%d flows are in the index, want %d", len(list), len(want))
			}
			all := len(s.search(t, `event.dataset:"netflow.flow"`)) // with those of neighbour discovery
			eventually(t, "the flows that were counted", func() bool {
				all = len(s.search(t, `event.dataset:"netflow.flow"`))
				return float64(all) >= s.counts(t, "flows")["flows_total"]
			})
			if n := s.counts(t, "flows")["flows_total"]; float64(all) != n {
				t.Errorf("%d flows are in the index, %v were decoded", all, n)
			}
			s.lossless(t, "flows")
		})
	}
}

// end reads one end of a flow.
func end(t *testing.T, d document, side string) netip.AddrPort {
	t.Helper()
	ip, err := netip.ParseAddr(d.text(side + ".ip"))
	if err != nil {
		t.Errorf("%s.ip: %v in %v", side, err, d)
	}
	return netip.AddrPortFrom(ip, uint16(d.number(side+".port")))
}

// talk has two conversations between the namespaces: over TCP 40,000 bytes there and 100,000 back, over UDP 20
// datagrams there and 10 back.
func talk(t *testing.T, a, b *namespace, server string) {
	t.Helper()
	var listener net.Listener
	var datagrams net.PacketConn
	fail(t, b.do(func() (err error) {
		if listener, err = net.Listen("tcp", net.JoinHostPort(server, "443")); err != nil {
			return err
		}
		datagrams, err = net.ListenPacket("udp", net.JoinHostPort(server, "53"))
		return err
	}))
	defer listener.Close()
	defer datagrams.Close()
	deadline := time.Now().Add(patience)
	fail(t, datagrams.SetDeadline(deadline))
	served := make(chan error, 1)
	go func() { served <- serveTCP(listener, deadline) }()
	var tcp, udp net.Conn
	fail(t, a.do(func() (err error) {
		// By address: a dialler that looks up names or tries several addresses works in other threads.
		to := netip.MustParseAddr(server)
		if tcp, err = net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(netip.AddrPortFrom(to, 443))); err != nil {
			return err
		}
		udp, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 53)))
		return err
	}))
	defer tcp.Close()
	defer udp.Close()
	fail(t, tcp.SetDeadline(deadline))
	_, err := tcp.Write(bytes.Repeat([]byte("q"), 40_000))
	fail(t, err)
	fail(t, tcp.(*net.TCPConn).CloseWrite())
	n, err := io.Copy(io.Discard, tcp)
	if err != nil || n != 100_000 {
		t.Fatalf("the answer has %d bytes: %v", n, err)
	}
	fail(t, <-served)
	fail(t, udp.SetDeadline(deadline))
	buf := make([]byte, 2048)
	for i := range 20 {
		_, err := udp.Write(bytes.Repeat([]byte("u"), 100+i))
		fail(t, err)
		_, from, err := datagrams.ReadFrom(buf)
		fail(t, err)
		if i%2 == 0 {
			_, err = datagrams.WriteTo(bytes.Repeat([]byte("v"), 500), from)
			fail(t, err)
			_, err = udp.Read(buf)
			fail(t, err)
		}
	}
}

// discard is the port that flush sends to.
const discard = 9

// flush sends datagrams until softflowd has processed all that was said before: it reads packets by blocks of 256 KiB,
// each once it is full.
func flush(t *testing.T, a, b *namespace, truth *capture, processed func() int64) {
	t.Helper()
	var sink net.PacketConn
	var out net.Conn
	fail(t, b.do(func() (err error) {
		sink, err = net.ListenPacket("udp", "10.77.0.2:"+strconv.Itoa(discard))
		return err
	}))
	defer sink.Close()
	fail(t, a.do(func() (err error) {
		out, err = net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(10, 77, 0, 2), Port: discard})
		return err
	}))
	defer out.Close()
	send := func() {
		_, err := out.Write(make([]byte, 1400))
		fail(t, err)
	}
	send()
	eventually(t, "the capture's end", func() bool {
		_, by := truth.counted()
		for k := range by {
			if k.dst.Port() == discard {
				return true
			}
		}
		return false
	})
	said, _ := truth.counted()
	eventually(t, "softflowd to see every packet", func() bool {
		for range 100 {
			send()
		}
		return processed() > said+100 // an acknowledgement may have come after the first of ours
	})
}

// serveTCP takes one connection, reads it to its end and answers.
func serveTCP(l net.Listener, deadline time.Time) error {
	c, err := l.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	if n, err := io.Copy(io.Discard, c); err != nil || n != 40_000 {
		return fmt.Errorf("the question has %d bytes: %w", n, err)
	}
	_, err = c.Write(bytes.Repeat([]byte("a"), 100_000))
	return err
}

func fail(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
