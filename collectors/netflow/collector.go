// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haidang-soc/haidang/collectors"
	"github.com/haidang-soc/haidang/collectors/netflow/flow"
	"github.com/haidang-soc/haidang/collectors/socket"
	"github.com/haidang-soc/haidang/internal/event"
)

// Config says what to listen on.
type Config struct {
	// Name makes the source listener/<name>, and haidang.listener.
	Name string
	// Site is where the exporters are, haidang.site.
	Site string
	// Address is host:port; an empty host is every address, IPv4 and IPv6.
	Address string
	// StateDir holds what must outlive the process: the bind counter, the templates, and the datagrams that are not
	// safe yet. It must exist.
	StateDir string
	// Buffer is the size in bytes of the kernel's buffer. Default 16 MiB; without privilege the kernel lowers it.
	Buffer int
	// QueueBytes bounds what waits for the Writer. Default 64 MiB.
	QueueBytes int
	// Drain is how long the Writer has, after a stop, to take what was read. Default 10 s.
	Drain time.Duration
	// Listen, if set, is asked for the socket first.
	Listen socket.ListenFunc
}

// Source is the name under which the flows are numbered for delivery.
func (c Config) Source() string { return "listener/" + c.Name }

func (c *Config) file(kind string) string { return filepath.Join(c.StateDir, c.Name+"."+kind) }

// Collector listens for NetFlow and IPFIX on one address. Its methods are safe for concurrent use, but Run is called
// once at a time.
type Collector struct {
	cfg   Config
	n     counters
	addrs atomic.Pointer[[]net.Addr]
}

// New checks the configuration and opens nothing.
func New(c Config) (*Collector, error) {
	if c.Name == "" || c.StateDir == "" {
		return nil, errors.New("netflow: a listener needs a name and a state directory")
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return nil, fmt.Errorf("netflow: listener %s: %w", c.Name, err)
	}
	if c.Buffer == 0 {
		c.Buffer = 16 << 20
	}
	if c.QueueBytes == 0 {
		c.QueueBytes = 64 << 20
	}
	if c.Drain == 0 {
		c.Drain = 10 * time.Second
	}
	return &Collector{cfg: c}, nil
}

// Addrs returns the address of the open socket, nil while Run has not opened it.
func (c *Collector) Addrs() []net.Addr {
	if p := c.addrs.Load(); p != nil {
		return *p
	}
	return nil
}

// Run opens the socket and collects until ctx is done; then it reads what the socket holds already, writes all of it,
// and returns nil. See collectors.Collector.
func (c *Collector) Run(ctx context.Context, out event.Writer) error {
	list, err := socket.ListenUDP(ctx, socket.UDPConfig{Address: c.cfg.Address, Buffer: c.cfg.Buffer,
		Listen: c.cfg.Listen})
	if err != nil {
		return fmt.Errorf("netflow: listener %s: %w", c.cfg.Name, err)
	}
	udp := list[0]
	defer udp.Close()
	state, err := socket.NextState(c.cfg.file("state"), time.Now())
	if err != nil {
		return fmt.Errorf("netflow: listener %s: %w", c.cfg.Name, err)
	}
	state.Resume(list)
	c.addrs.Store(&[]net.Addr{udp.Addr()})
	defer c.addrs.Store(nil)

	rctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q := newQueue(&c.cfg, &c.n, state.Epoch())
	// Where the file cannot be made, collecting goes on without; the datagrams count as unprotected.
	inflight, kept, err := socket.OpenInflight(c.cfg.file("inflight"), state.Epoch(), 1, 65535)
	if err == nil {
		q.inflight = inflight
		defer q.inflight.Close()
		q.inflight.Attach(0, udp)
	}
	q.resume(kept)
	var reading sync.WaitGroup
	guarded := func(f func() error) {
		reading.Go(func() {
			if err := collectors.Guard(f); err != nil {
				cancel(fmt.Errorf("netflow: listener %s: %w", c.cfg.Name, err))
			}
		})
	}
	guarded(func() error { return q.read(udp) })
	guarded(func() error {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-rctx.Done():
				return nil
			case now := <-tick.C:
				q.tick(now, state.Drops(list))
			}
		}
	})
	guarded(func() error { return q.saving(rctx) })
	written := make(chan error, 1)
	go func() { written <- collectors.Guard(func() error { return q.write(rctx, out) }) }()
	select {
	case <-rctx.Done():
	case err := <-written:
		cancel(err)
		written <- err
	}
	udp.Stop()
	reading.Wait()
	q.tick(time.Now(), state.Drops(list))
	q.close()
	err = <-written
	q.finish()
	if cause := context.Cause(rctx); ctx.Err() == nil && cause != nil {
		return errors.Join(cause, err)
	}
	return err
}

// Stats are a listener's counters since it was made. They only grow, but for Waiting and Exporters.
type Stats struct {
	Received    uint64 // datagrams read
	Accepted    uint64 // datagrams whose flows the Writer has taken
	Bytes       uint64 // of datagrams read
	Flows       uint64 // flow records decoded
	Options     uint64 // options records
	Templates   uint64
	Adopted     uint64            // datagrams that an earlier process read and was killed with
	Unprotected uint64            // datagrams that a kill would have lost until they were safe
	Unsaved     uint64            // times that the templates could not be written to the disk
	Waiting     uint64            // data sets that wait for their template now
	Undecoded   map[string]uint64 // by reason, see flow.Reason
	Lost        uint64            // by the exporters' sequence numbers, in their units
	Late        uint64            // datagrams out of order, or twice
	Restarts    uint64            // of exporters
	Dropped     map[string]uint64 // datagrams, by reason: kernel, queue, stop, stale
	WriteErrors uint64
}

// counters are what Stats reads.
type counters struct {
	received, accepted, bytes, kernel, queue, stop, stale, writeErrors atomic.Uint64
	adopted, unprotected, unsaved                                      atomic.Uint64

	mu      sync.Mutex
	decoder flow.Stats
	base    flow.Stats // of earlier runs
}

// Stats returns the counts so far.
func (c *Collector) Stats() Stats {
	n := &c.n
	n.mu.Lock()
	now, base := n.decoder, n.base
	n.mu.Unlock()
	s := Stats{Received: n.received.Load(), Accepted: n.accepted.Load(), Bytes: n.bytes.Load(),
		Flows: base.Flows + now.Flows, Options: base.Options + now.Options, Templates: base.Templates + now.Templates,
		Waiting: now.Waiting, Lost: base.Lost + now.Lost, Late: base.Late + now.Late,
		Restarts: base.Restarts + now.Restarts, WriteErrors: n.writeErrors.Load(), Undecoded: map[string]uint64{},
		Adopted: n.adopted.Load(), Unprotected: n.unprotected.Load(), Unsaved: n.unsaved.Load(),
		Dropped: map[string]uint64{"kernel": n.kernel.Load(), "queue": n.queue.Load(), "stop": n.stop.Load(),
			"stale": n.stale.Load()}}
	for r := range flow.Reasons {
		s.Undecoded[r.String()] = base.Failed[r] + now.Failed[r]
	}
	return s
}
