// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// conversation is one direction of what two programs say to each other.
type conversation struct {
	src, dst netip.AddrPort
	protocol string
}

// traffic is what the packets of a conversation amount to, from the header of IP on.
type traffic struct{ packets, bytes int64 }

// capture counts the packets on v0 of a namespace, as anyone who listens there sees them.
type capture struct {
	mu  sync.Mutex
	all int64 // packets of IP, of any protocol
	by  map[conversation]traffic
}

// listen starts counting; it goes on until the test ends.
func listen(t *testing.T, n *namespace) *capture {
	t.Helper()
	fd := -1
	if err := n.do(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(bigEndian(unix.ETH_P_ALL)))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	wait := unix.NsecToTimeval(int64(100 * time.Millisecond))
	if err := errors.Join(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20)); err != nil {
		t.Fatal(err)
	}
	c := &capture{by: map[conversation]traffic{}}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		buf := make([]byte, 256)
		for {
			size, from, err := unix.Recvfrom(fd, buf, unix.MSG_TRUNC)
			if link, ok := from.(*unix.SockaddrLinklayer); err == nil && ok && link.Hatype == unix.ARPHRD_ETHER {
				c.packet(buf[:min(size, len(buf))])
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
		_ = unix.Close(fd)
	})
	return c
}

// bigEndian is htons.
func bigEndian(n uint16) uint16 { return n<<8 | n>>8 }

// packet counts one packet. Ours have no options of IP and no extension headers.
func (c *capture) packet(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var k conversation
	var size int64
	var protocol byte
	var src, dst netip.Addr
	switch {
	case len(p) >= 28 && p[0] == 0x45:
		size, protocol = int64(binary.BigEndian.Uint16(p[2:])), p[9]
		src, dst = netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20]))
		p = p[20:]
	case len(p) >= 48 && p[0]>>4 == 6:
		size, protocol = 40+int64(binary.BigEndian.Uint16(p[4:])), p[6]
		src, dst = netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40]))
		p = p[40:]
	default:
		return
	}
	c.all++
	switch protocol {
	case unix.IPPROTO_TCP:
		k.protocol = "tcp"
	case unix.IPPROTO_UDP:
		k.protocol = "udp"
	default:
		return
	}
	k.src = netip.AddrPortFrom(src, binary.BigEndian.Uint16(p))
	k.dst = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(p[2:]))
	n := c.by[k]
	c.by[k] = traffic{n.packets + 1, n.bytes + size}
}

// counted returns what was counted so far.
func (c *capture) counted() (all int64, by map[conversation]traffic) {
	c.mu.Lock()
	defer c.mu.Unlock()
	by = map[conversation]traffic{}
	for k, n := range c.by {
		by[k] = n
	}
	return c.all, by
}
