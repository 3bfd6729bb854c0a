// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haidang-soc/haidang/collectors/socket"
)

// conns are the open connections of a run, and the memory they share.
type conns struct {
	run  *run
	max  int
	size int // of a buffer
	pool sync.Pool
	held atomic.Int64

	mu      sync.Mutex
	open    map[*conn]struct{}
	perPeer map[netip.Addr]int
	stopped bool
}

func newConns(r *run) *conns {
	p := &conns{run: r, max: max(1, min(r.c.cfg.MaxConnections, socket.MaxFiles()/4*3)), open: map[*conn]struct{}{},
		perPeer: map[netip.Addr]int{}}
	frames := framer{max: r.c.cfg.MaxMessage}
	p.size = max(64<<10, 2*frames.room())
	p.pool.New = func() any {
		b := make([]byte, p.size)
		return &b
	}
	return p
}

func (p *conns) buffer() *[]byte { return p.pool.Get().(*[]byte) }

func (p *conns) free(b *[]byte) { p.pool.Put(b) }

// hold accounts for n more bytes of incomplete messages and reports false, accounting nothing, when there is no room.
func (p *conns) hold(n int) bool {
	if p.held.Add(int64(n)) > heldBytes && n > 0 {
		p.held.Add(int64(-n))
		return false
	}
	return true
}

// add takes a new connection, making room for it if need be; false means that there is none.
func (p *conns) add(c *conn) bool {
	c.active.Store(time.Now().UnixNano())
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || len(p.open) >= p.max && !p.evict() {
		return false
	}
	p.open[c] = struct{}{}
	p.perPeer[c.peer]++
	p.run.c.n.connections.Add(1)
	return true
}

// evict closes a quarter of the connections of the address that has most, if it has two: first those that never sent a
// message, then those idle for longest. What is closed leaves the map at once, so that a flood cannot make it grow. mu
// is held.
func (p *conns) evict() bool {
	var busiest netip.Addr
	most := 1
	for peer, n := range p.perPeer {
		if n > most {
			busiest, most = peer, n
		}
	}
	if most < 2 {
		return false
	}
	var list []*conn
	for c := range p.open {
		if c.peer == busiest {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *conn) int {
		if x, y := a.spoke.Load(), b.spoke.Load(); x != y {
			if y {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.active.Load(), b.active.Load())
	})
	for _, c := range list[:max(1, len(list)/4)] {
		p.forget(c)
		p.run.c.n.evicted.Add(1)
		c.end()
	}
	return true
}

// forget takes a connection off the books. mu is held.
func (p *conns) forget(c *conn) {
	if _, ok := p.open[c]; !ok {
		return
	}
	delete(p.open, c)
	if p.perPeer[c.peer]--; p.perPeer[c.peer] <= 0 {
		delete(p.perPeer, c.peer)
	}
	p.run.c.n.connections.Add(-1)
}

// remove takes a closed connection off the books.
func (p *conns) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(c)
}

// stop makes every connection read what the kernel holds and end.
func (p *conns) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	for c := range p.open {
		c.end()
	}
}
