// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/haidang-soc/haidang/collectors/socket"
)

// handshakeTime is how long a client has for a TLS handshake.
const handshakeTime = 10 * time.Second

// backlog bounds the connections that are accepted after the stop.
const backlog = 4096

// smallRead is the buffer that an idle TLS connection holds; an idle TCP connection holds none.
const smallRead = 4096

// accept takes connections until the stop, and then those that wait already. A failure to accept one (no file
// descriptor is free, the client is gone) passes, so it is tried again after a pause.
func (r *run) accept(l net.Listener, config *tls.Config) error {
	defer r.acceptors.Done()
	pause := time.Millisecond
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = time.Millisecond
			r.serve(nc, config)
			continue
		case r.ctx.Err() != nil:
			for range backlog {
				if nc = socket.AcceptNow(l); nc == nil {
					break
				}
				r.serve(nc, config)
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		}
		r.c.n.refused.Add(1)
		select {
		case <-r.ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
	}
}

// serve reads a new connection in a goroutine of its own, if there is room for it.
func (r *run) serve(nc net.Conn, config *tls.Config) {
	c := &conn{run: r, sock: nc, nc: nc, frames: framer{max: r.c.cfg.MaxMessage}}
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		c.peer = socket.Plain(a.AddrPort().Addr())
	}
	if !r.conns.add(c) {
		r.c.n.refused.Add(1)
		_ = nc.Close()
		return
	}
	r.c.n.opened.Add(1)
	r.goRead(func() error {
		defer r.conns.remove(c)
		return c.serve(config)
	})
}

// conn is one stream.
type conn struct {
	run    *run
	sock   net.Conn        // as accepted: deadlines are set on it, by anyone
	nc     net.Conn        // what serve reads: the same, or TLS over it
	raw    syscall.RawConn // of a plain TCP connection
	peer   netip.Addr
	client string // the subject of its certificate
	frames framer
	held   []byte       // the incomplete message
	active atomic.Int64 // when it was last waited for, unix nanoseconds
	spoke  atomic.Bool  // it has sent a message
	ending atomic.Bool  // set before the deadline that ends the connection
}

// end makes the connection read what it has and end.
func (c *conn) end() {
	c.ending.Store(true)
	_ = c.sock.SetReadDeadline(time.Unix(1, 0))
}

// serve reads the connection to its end.
func (c *conn) serve(config *tls.Config) error {
	defer func() { _ = c.sock.Close() }()
	if config != nil {
		t := tls.Server(c.sock, config)
		_ = c.sock.SetDeadline(time.Now().Add(handshakeTime))
		if err := t.HandshakeContext(c.run.ctx); err != nil {
			c.run.c.n.refused.Add(1)
			c.run.c.n.handshakes.Add(1)
			return nil
		}
		_ = c.sock.SetDeadline(time.Time{})
		if certs := t.ConnectionState().PeerCertificates; len(certs) > 0 {
			c.client = certs[0].Subject.String()
		}
		c.nc = t
	} else if tcp, ok := c.sock.(*net.TCPConn); ok {
		c.raw, _ = tcp.SyscallConn()
	}
	err := c.read()
	broke := !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) &&
		!errors.Is(err, net.ErrClosed)
	if broke {
		c.run.c.n.resets.Add(1)
	}
	c.flush(!errors.Is(err, io.EOF))
	c.run.c.n.framing.Add(uint64(c.frames.broken))
	return nil
}

// read reads until the end of the stream, the end of its idle time, or the stop; then it takes what the kernel holds.
// It never returns nil.
func (c *conn) read() error {
	var small []byte
	if c.raw == nil {
		small = make([]byte, smallRead)
	}
	for {
		now := time.Now()
		c.active.Store(now.UnixNano())
		_ = c.sock.SetReadDeadline(now.Add(c.run.c.cfg.Idle))
		if c.ending.Load() { // the deadline just set may have replaced the one of end
			_ = c.sock.SetReadDeadline(time.Unix(1, 0))
		}
		err := c.readOnce(small)
		if err != nil {
			if c.ending.Load() && c.raw != nil {
				c.rest()
			}
			return err
		}
	}
}

// readOnce waits for bytes and takes them.
func (c *conn) readOnce(small []byte) error {
	n, err := 0, error(nil)
	if c.raw != nil {
		if err := socket.Readable(c.raw); err != nil {
			return err
		}
	} else if n, err = c.nc.Read(small); n == 0 {
		return err
	}
	buf := c.run.conns.buffer()
	defer c.run.conns.free(buf)
	have := copy(*buf, c.held)
	if c.raw != nil {
		n, err = c.nc.Read((*buf)[have:])
	} else {
		copy((*buf)[have:], small[:n])
	}
	if n > 0 {
		c.take((*buf)[:have+n])
	}
	return err
}

// rest reads what the kernel has acknowledged to the client already.
func (c *conn) rest() {
	buf := c.run.conns.buffer()
	defer c.run.conns.free(buf)
	for range 64 {
		have := copy(*buf, c.held)
		n := socket.ReadNow(c.raw, (*buf)[have:])
		if n == 0 {
			return
		}
		c.take((*buf)[:have+n])
	}
}

// take cuts the messages out of data and keeps what is incomplete.
func (c *conn) take(data []byte) {
	m := message{at: time.Now().UnixNano(), peer: c.peer, client: c.client}
	for {
		line, cut, n := c.frames.next(data)
		if n == 0 {
			break
		}
		data = data[n:]
		if line != nil {
			m.raw, m.cut = line, cut
			c.run.g.put(&m)
			c.spoke.Store(true)
		}
	}
	if !c.run.conns.hold(len(data) - len(c.held)) {
		m.raw, m.cut = c.frames.giveUp(data), true
		c.run.g.put(&m)
		data = nil
		c.run.conns.hold(-len(c.held))
	}
	c.held = append(c.held[:0], data...)
	if cap(c.held) > 1024 && len(c.held) == 0 {
		c.held = nil
	}
}

// flush hands on the incomplete message at the end of the stream. A last line without LF is whole if the client has
// closed the stream in order.
func (c *conn) flush(cut bool) {
	if len(c.held) == 0 {
		return
	}
	octets := c.frames.mode == framingOctets
	m := message{raw: c.frames.giveUp(c.held), at: time.Now().UnixNano(), peer: c.peer, client: c.client,
		cut: cut || octets}
	if len(m.raw) > 0 {
		c.run.g.put(&m)
	}
	c.run.conns.hold(-len(c.held))
	c.held = nil
}
