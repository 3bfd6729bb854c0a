// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package syslog

import (
	"errors"
	"syscall"
	"time"
)

// receiver reads one datagram at a time.
type receiver struct{ buf []byte }

func newReceiver(maxMessage int) *receiver {
	return &receiver{buf: make([]byte, min(maxMessage, 65535)+1)}
}

// wait blocks until there is a datagram and appends it to list; the message is valid until the next call.
func (r *receiver) wait(s *udpSocket, list []message) ([]message, error) {
	n, from, err := s.conn.ReadFromUDPAddrPort(r.buf)
	if err != nil {
		return list, err
	}
	m := message{raw: r.buf[:n], at: time.Now().UnixNano(), peer: plainAddr(from.Addr())}
	if n == len(r.buf) {
		m.raw, m.cut = r.buf[:n-1], true
	}
	return append(list, m), nil
}

// poll has no way to look without waiting here.
func (r *receiver) poll(_ *udpSocket, list []message) []message { return list }

func kernelDrops(syscall.RawConn) (uint32, bool) { return 0, false }

func cookie(syscall.RawConn) uint64 { return 0 }

func setReceiveBuffer(syscall.RawConn, int) error { return errors.ErrUnsupported }

func reusePort(_, _ string, _ syscall.RawConn) error { return errors.ErrUnsupported }

func readable(syscall.RawConn) error { return nil }

func readNow(syscall.RawConn, []byte) int { return 0 }

func maxFiles() int { return 1 << 20 }
