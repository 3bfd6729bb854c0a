// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haidang-soc/haidang/collectors"
	"github.com/haidang-soc/haidang/collectors/socket"
	"github.com/haidang-soc/haidang/internal/event"
)

// Collector is one listener: the sockets of a Config and the batches made of what they receive.
type Collector struct {
	cfg Config
	n   counters

	addrs atomic.Pointer[[]net.Addr]
}

var _ collectors.Collector = (*Collector)(nil)

// Addrs returns the addresses of the open sockets in the order of the configuration, UDP before TCP before TLS; nil
// while Run has not opened them. Safe at any time.
func (c *Collector) Addrs() []net.Addr {
	if p := c.addrs.Load(); p != nil {
		return *p
	}
	return nil
}

// run is what one Run shares among its goroutines.
type run struct {
	c      *Collector
	ctx    context.Context // done when the run stops, for whatever reason
	cancel context.CancelCauseFunc
	g      *gather
	conns  *conns
	state  *socket.State

	acceptors sync.WaitGroup // all that make connections
	readers   sync.WaitGroup // all that call gather
}

// Run opens the sockets and collects until ctx is done; then it reads what the sockets hold already, closes them,
// writes all that was read, and returns nil. See collectors.Collector.
func (c *Collector) Run(ctx context.Context, out event.Writer) error {
	files, err := c.loadTLS()
	if err != nil {
		return err
	}
	sockets, err := c.open(ctx)
	if err != nil && ctx.Err() != nil {
		return nil // stopped before it began
	}
	if err != nil {
		return err
	}
	defer sockets.close()
	state, err := socket.NextState(c.cfg.stateFile(), time.Now())
	if err != nil {
		return fmt.Errorf("syslog: listener %s: %w", c.cfg.Name, err)
	}
	state.Resume(sockets.udp)
	addrs := sockets.addrs()
	c.addrs.Store(&addrs)
	defer c.addrs.Store(nil)

	r := &run{c: c, g: newGather(&c.cfg, &c.n, state.Epoch()), state: state}
	r.g.adopt(r.protect(sockets.udp))
	defer r.g.inflight.Close()
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	r.conns = newConns(r)
	for _, s := range sockets.udp {
		r.goRead(func() error { return r.readUDP(s) })
	}
	for _, l := range sockets.tcp {
		r.acceptors.Add(1)
		r.goRead(func() error { return r.accept(l, nil) })
	}
	for _, l := range sockets.tls {
		r.acceptors.Add(1)
		r.goRead(func() error { return r.accept(l, files) })
	}
	r.goRead(func() error { return r.watch(sockets.udp) })

	written := make(chan error, 1)
	go func() { written <- collectors.Guard(func() error { return r.write(ctx, out) }) }()
	select {
	case <-r.ctx.Done():
	case err := <-written: // only a panic ends the writing before the stop
		r.cancel(err)
		written <- err
	}
	sockets.stop()
	r.acceptors.Wait()
	r.conns.stop()
	r.readers.Wait()
	r.report(sockets.udp)
	r.g.close()
	err = <-written
	if cause := context.Cause(r.ctx); ctx.Err() == nil && cause != nil {
		return errors.Join(cause, err)
	}
	return err
}

// protect makes what is read outlive the process, and returns what an earlier one was killed with. Where the file
// cannot be made, collecting goes on without; the messages count as unprotected.
func (r *run) protect(udp []*socket.UDP) []socket.Kept {
	f, kept, err := socket.OpenInflight(r.c.cfg.inflightFile(), r.state.Epoch(), len(udp), r.c.cfg.MaxMessage)
	if err != nil {
		return nil
	}
	r.g.inflight = f
	for i, u := range udp {
		f.Attach(i, u)
	}
	return kept
}

// goRead runs f until it returns; an error stops the whole run.
func (r *run) goRead(f func() error) {
	r.readers.Add(1)
	go func() {
		defer r.readers.Done()
		if err := collectors.Guard(f); err != nil {
			r.cancel(fmt.Errorf("syslog: listener %s: %w", r.c.cfg.Name, err))
		}
	}()
}

// write hands batch after batch to the Writer until the gather is closed and empty. A refused batch is written again,
// the same range, until it is taken. When the run stops the Writer has Config.Drain to take the rest.
func (r *run) write(ctx context.Context, out event.Writer) error {
	wctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(r.ctx, func() { time.AfterFunc(r.c.cfg.Drain, cancel) })()
	defer r.g.abandon()
	var last error
	for {
		batch := r.g.take(wctx)
		if batch == nil {
			break
		}
		pause := 10 * time.Millisecond
		for {
			if last = out.Write(wctx, batch); last == nil {
				break
			}
			r.c.n.writeErrors.Add(1)
			if batch.Epoch() != r.state.Epoch() && errors.Is(last, event.ErrRefused) {
				r.c.n.drop(dropStale, uint64(batch.Len())) // the spool is not the one that the messages were read for
				last = nil
				break
			}
			select {
			case <-wctx.Done():
			case <-time.After(pause):
				pause = min(2*pause, time.Second)
				continue
			}
			break
		}
		if last != nil {
			break
		}
		r.g.done()
	}
	r.g.abandon()
	if n := r.g.left(); n > 0 {
		wait := min(r.g.inflight.Len(), n)
		r.c.n.drop(dropStop, uint64(n-wait))
		return fmt.Errorf("syslog: listener %s: writing what was read before the stop: %d messages wait for the next "+
			"start, %d are lost: %w", r.c.cfg.Name, wait, n-wait, errors.Join(wctx.Err(), last))
	}
	return nil
}

// watch reports once a second what was lost, and at the end.
func (r *run) watch(list []*socket.UDP) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return nil
		case <-tick.C:
			r.report(list)
		}
	}
}

// report makes events of what was lost since the last report.
func (r *run) report(list []*socket.UDP) {
	r.g.kernelDrops(r.state.Drops(list))
	r.g.report(time.Now())
}

// readUDP reads a socket until the stop, and then what is left in it.
func (r *run) readUDP(u *socket.UDP) error {
	for list, err := range u.All() {
		if err != nil {
			return err
		}
		r.g.offer(list)
	}
	return nil
}
