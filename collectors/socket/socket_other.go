// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package socket

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// receiver reads one datagram at a time.
type receiver struct{ buf []byte }

func newReceiver(longest int) *receiver {
	return &receiver{buf: make([]byte, longest+1)}
}

// wait blocks until there is a datagram and appends it to list; the datagram is valid until the next call.
func (r *receiver) wait(s *UDP, list []Datagram) ([]Datagram, error) {
	n, from, err := s.conn.ReadFromUDPAddrPort(r.buf)
	if err != nil {
		return list, err
	}
	d := Datagram{Data: r.buf[:n], At: time.Now().UnixNano(),
		From: netip.AddrPortFrom(Plain(from.Addr()), from.Port())}
	if n == len(r.buf) {
		d.Data, d.Cut = r.buf[:n-1], true
	}
	return append(list, d), nil
}

// poll has no way to look without waiting here.
func (r *receiver) poll(_ *UDP, list []Datagram) []Datagram { return list }

func kernelDrops(syscall.RawConn) (uint32, bool) { return 0, false }

func cookie(syscall.RawConn) uint64 { return 0 }

func setReceiveBuffer(syscall.RawConn, int) error { return errors.ErrUnsupported }

func reusePort(_, _ string, _ syscall.RawConn) error { return errors.ErrUnsupported }

// Readable returns at once: a read waits.
func Readable(syscall.RawConn) error { return nil }

// AcceptNow has no way to look without waiting here.
func AcceptNow(net.Listener) net.Conn { return nil }

// ReadNow has no way to look without waiting here.
func ReadNow(syscall.RawConn, []byte) int { return 0 }

// MaxFiles is not known here.
func MaxFiles() int { return 1 << 20 }
