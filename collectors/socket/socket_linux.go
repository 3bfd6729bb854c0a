// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [unsafe.Sizeof(uintptr(0)) - 4]byte
}

// receiver holds the memory of one recvmmsg: messages are valid until the next call.
type receiver struct {
	hdrs  []mmsghdr
	iovs  []unix.Iovec
	names []unix.RawSockaddrInet6 // the larger of the two families
	bufs  [][]byte
	area  *area // whose memory all of these are, nil when it is the process's
}

func newReceiver(longest int) *receiver {
	r := &receiver{hdrs: make([]mmsghdr, atOnce), iovs: make([]unix.Iovec, atOnce),
		names: make([]unix.RawSockaddrInet6, atOnce), bufs: make([][]byte, atOnce)}
	for i := range r.bufs {
		r.bufs[i] = make([]byte, longest)
	}
	r.join()
	return r
}

// join makes each header point to its name and buffer.
func (r *receiver) join() {
	for i := range r.hdrs {
		r.iovs[i].Base = &r.bufs[i][0]
		r.iovs[i].SetLen(len(r.bufs[i]))
		r.hdrs[i].hdr.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		r.hdrs[i].hdr.Iov = &r.iovs[i]
		r.hdrs[i].hdr.SetIovlen(1)
	}
}

// wait blocks until there are datagrams and appends them to list.
func (r *receiver) wait(s *UDP, list []Datagram) ([]Datagram, error) {
	var n int
	var errno syscall.Errno
	err := s.raw.Read(func(fd uintptr) bool {
		n, errno = r.receive(fd)
		return errno != unix.EAGAIN
	})
	if err != nil {
		return list, err
	}
	if errno != 0 {
		return list, errno
	}
	return r.messages(n, list), nil
}

// poll appends what the kernel holds without waiting, nothing on an error.
func (r *receiver) poll(s *UDP, list []Datagram) []Datagram {
	n := 0
	if err := s.raw.Control(func(fd uintptr) { n, _ = r.receive(fd) }); err != nil {
		return list
	}
	return r.messages(n, list)
}

func (r *receiver) receive(fd uintptr) (int, syscall.Errno) {
	for i := range r.hdrs {
		r.hdrs[i].hdr.Namelen = unix.SizeofSockaddrInet6
		r.hdrs[i].hdr.Flags = 0
		r.hdrs[i].len = notReceived
	}
	if r.area != nil {
		r.area.mark(0)
	}
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.hdrs[0])),
			uintptr(len(r.hdrs)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR, unix.ECONNREFUSED:
			continue // the second is the ICMP answer to a datagram of someone's, once
		}
		return 0, errno
	}
}

// messages appends n datagrams to list.
func (r *receiver) messages(n int, list []Datagram) []Datagram {
	if n <= 0 {
		return list
	}
	at := time.Now().UnixNano()
	for i := range n {
		h := &r.hdrs[i]
		list = append(list, Datagram{Data: r.bufs[i][:h.len], At: at, From: address(&r.names[i]),
			Cut: h.hdr.Flags&unix.MSG_TRUNC != 0, area: r.area, n: uint16(i + 1)})
	}
	return list
}

// address is the address and port in a socket address of either family.
func address(name *unix.RawSockaddrInet6) netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&name.Port)) // in network order, at the same place in both
	n := uint16(port[0])<<8 | uint16(port[1])
	switch name.Family {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(name)).Addr), n)
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16(name.Addr).Unmap(), n)
	}
	return netip.AddrPort{}
}

// skMeminfoDrops is the place of the drop counter in SO_MEMINFO (linux/sock_diag.h).
const skMeminfoDrops = 8

// kernelDrops reads the number of datagrams that the kernel dropped for want of buffer since the socket was made.
// SO_RXQ_OVFL would tell only with the next datagram: the end of a burst would stay unseen.
func kernelDrops(raw syscall.RawConn) (uint32, bool) {
	var info [16]uint32
	size := uint32(unsafe.Sizeof(info))
	var errno syscall.Errno
	err := raw.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	})
	return info[skMeminfoDrops], err == nil && errno == 0 && size >= 4*(skMeminfoDrops+1)
}

// cookie is the number that the kernel gave a socket, and no other before the next boot; 0 where it gives none.
func cookie(raw syscall.RawConn) uint64 {
	var n uint64
	if err := raw.Control(func(fd uintptr) {
		n, _ = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_COOKIE)
	}); err != nil {
		return 0
	}
	return n
}

// setReceiveBuffer sets the size of the kernel's buffer above net.core.rmem_max, which needs CAP_NET_ADMIN.
func setReceiveBuffer(raw syscall.RawConn, n int) error {
	var err error
	if e := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, n)
	}); e != nil {
		return e
	}
	return err
}

// reusePort lets several sockets share an address; the kernel spreads the senders over them.
func reusePort(_, _ string, raw syscall.RawConn) error {
	var err error
	if e := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}); e != nil {
		return e
	}
	return err
}

// Readable waits until a stream has something to read, or has ended, without holding a buffer for it. An error of the
// stream is returned here, since looking takes it from the socket: a read would then see an orderly end.
func Readable(raw syscall.RawConn) error {
	var peek [1]byte
	var got error
	err := raw.Read(func(fd uintptr) bool {
		for {
			_, _, got = unix.Recvfrom(int(fd), peek[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			if got != unix.EINTR {
				return got != unix.EAGAIN
			}
		}
	})
	if err != nil {
		return err
	}
	return got
}

// AcceptNow accepts a connection that waits already; nil when there is none.
func AcceptNow(l net.Listener) net.Conn {
	sc, ok := l.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	fd := -1
	if err := raw.Control(func(on uintptr) {
		fd, _, err = unix.Accept4(int(on), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	}); err != nil || fd < 0 {
		return nil
	}
	file := os.NewFile(uintptr(fd), "accepted")
	conn, err := net.FileConn(file) // a copy of the descriptor
	_ = file.Close()
	if err != nil {
		return nil
	}
	return conn
}

// ReadNow reads what a stream has, without waiting; 0 when it has nothing.
func ReadNow(raw syscall.RawConn, buf []byte) int {
	n := 0
	if err := raw.Control(func(fd uintptr) { n, _ = unix.Read(int(fd), buf) }); err != nil || n < 0 {
		return 0
	}
	return n
}

// MaxFiles is how many files the process may have open.
func MaxFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return int(min(limit.Cur, 1<<30))
}
