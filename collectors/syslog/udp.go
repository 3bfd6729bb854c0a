// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// datagrams is how many datagrams one system call reads at most.
const datagrams = 64

// drainRounds bounds what is read from a socket after the stop.
const drainRounds = 1024

// udpSocket is one UDP socket with the buffers for reading it.
type udpSocket struct {
	conn     *net.UDPConn
	raw      syscall.RawConn
	recv     *receiver
	baseline uint32 // of the kernel's drop counter, which wraps
	cookie   uint64 // of a socket that was handed over and outlives the run, else 0
}

func newUDPSocket(conn *net.UDPConn, cfg *Config) (*udpSocket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	if err := setReceiveBuffer(raw, cfg.ReceiveBuffer); err != nil {
		if err := conn.SetReadBuffer(cfg.ReceiveBuffer); err != nil {
			return nil, err
		}
	}
	return &udpSocket{conn: conn, raw: raw, recv: newReceiver(cfg.MaxMessage)}, nil
}

// drops returns the datagrams that the kernel dropped since the last call. One goroutine at a time.
func (s *udpSocket) drops() uint64 {
	now, ok := kernelDrops(s.raw)
	if !ok {
		return 0
	}
	n := now - s.baseline
	s.baseline = now
	return uint64(n)
}

// stop makes the reader return.
func (s *udpSocket) stop() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) }

// readUDP reads a socket until the stop, and then what is left in it.
func (r *run) readUDP(s *udpSocket) error {
	list := make([]message, 0, datagrams)
	for {
		var err error
		list, err = s.recv.wait(s, list[:0])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed):
			for range drainRounds {
				if list = s.recv.poll(s, list[:0]); len(list) == 0 {
					break
				}
				r.g.offer(list)
			}
			return nil
		case err != nil && r.ctx.Err() == nil:
			return err
		}
		r.g.offer(list)
	}
}

// plainAddr is an address without zone and without the IPv6 clothes of an IPv4 one.
func plainAddr(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }
