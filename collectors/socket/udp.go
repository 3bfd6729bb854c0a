// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"errors"
	"iter"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// atOnce is how many datagrams one system call reads at most.
const atOnce = 64

// drainRounds bounds what is read from a socket after the stop.
const drainRounds = 1024

// Datagram is one datagram. Its memory is the reader's.
type Datagram struct {
	Data []byte
	At   int64          // when it was read, unix nanoseconds
	From netip.AddrPort // without a zone, IPv4 never in IPv6's clothes
	Cut  bool           // it was longer than UDPConfig.Longest

	area *area // it was received into, nil without an Inflight
	n    uint16
}

// Taken says that the datagram, and those before it of the same list, were kept or given up.
func (d *Datagram) Taken() {
	if d.area != nil {
		d.area.mark(uint64(d.n))
	}
}

// UDP is a UDP socket with the memory for reading it: one goroutine reads.
type UDP struct {
	conn     *net.UDPConn
	raw      syscall.RawConn
	recv     *receiver
	baseline uint32 // of the kernel's drop counter, which wraps
	cookie   uint64 // of a socket that was handed over and outlives the run, else 0
}

func newUDP(conn *net.UDPConn, c UDPConfig) (*UDP, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	if c.Buffer > 0 && setReceiveBuffer(raw, c.Buffer) != nil { // without privilege: up to net.core.rmem_max
		if err := conn.SetReadBuffer(c.Buffer); err != nil {
			return nil, err
		}
	}
	longest := 65535
	if c.Longest > 0 {
		longest = min(longest, c.Longest)
	}
	return &UDP{conn: conn, raw: raw, recv: newReceiver(longest)}, nil
}

// Addr is the address of the socket.
func (u *UDP) Addr() net.Addr { return u.conn.LocalAddr() }

// All yields what comes, some datagrams at a time, valid until the next. After Stop it yields what the kernel holds
// and ends. An error is the last that it yields; a socket that was closed is none.
func (u *UDP) All() iter.Seq2[[]Datagram, error] {
	return func(yield func([]Datagram, error) bool) {
		list := make([]Datagram, 0, atOnce)
		for {
			var err error
			list, err = u.recv.wait(u, list[:0])
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case errors.Is(err, os.ErrDeadlineExceeded):
				for range drainRounds {
					if list = u.recv.poll(u, list[:0]); len(list) == 0 || !yield(list, nil) {
						return
					}
				}
				return
			case err != nil:
				yield(nil, err)
				return
			}
			if !yield(list, nil) {
				return
			}
		}
	}
}

// Stop makes All end. Safe at any time.
func (u *UDP) Stop() { _ = u.conn.SetReadDeadline(time.Unix(1, 0)) }

// Close closes the socket; one that a parent process holds stays open there.
func (u *UDP) Close() error { return u.conn.Close() }

// drops returns the datagrams that the kernel dropped since the last call.
func (u *UDP) drops() uint64 {
	now, ok := kernelDrops(u.raw)
	if !ok {
		return 0
	}
	n := now - u.baseline
	u.baseline = now
	return uint64(n)
}

// Plain is an address without zone and without the IPv6 clothes of an IPv4 one.
func Plain(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }
