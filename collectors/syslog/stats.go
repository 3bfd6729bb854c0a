// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats are a listener's counters since it was made, over all its runs. They only grow, but for Connections.
type Stats struct {
	Received    uint64 // messages read from a socket, by an earlier process too, whatever became of them
	Accepted    uint64 // messages that the Writer has taken
	Bytes       uint64 // bytes of messages read, without framing
	Truncated   uint64 // messages cut at the longest length or by the end of their connection
	Batches     uint64 // batches that the Writer has taken
	WriteErrors uint64 // batches that the Writer refused, each time
	Connections int64  // connections open now
	Opened      uint64 // connections accepted
	Refused     uint64 // connections refused: too many, or no good TLS handshake
	Handshakes  uint64 // of those refused: TLS handshakes that failed, or took too long
	Evicted     uint64 // idle connections closed to make room
	Resets      uint64 // connections that broke: what was in the kernel's buffers is lost
	Framing     uint64 // streams whose octet counts went wrong, and were read on line by line
	Adopted     uint64 // of Received: messages that an earlier process read and was killed with
	Unprotected uint64 // messages that a kill would have lost until they were safe: see socket.Inflight

	// Dropped are messages lost, by reason: "kernel" (the socket's buffer was full), "queue" (ours was), "stop" (the
	// Writer did not take them in time at the end, and they could not be left for the next start), "stale" (adopted, but
	// their range is over).
	Dropped map[string]uint64
}

// The reasons of Stats.Dropped and haidang.drop.reason.
const (
	dropKernel = "kernel"
	dropQueue  = "queue"
	dropStop   = "stop"
	dropStale  = "stale"
)

// counters are the live form of Stats.
type counters struct {
	received, accepted, bytes, truncated, batches, writeErrors    atomic.Uint64
	opened, refused, evicted, resets, framing, reportedConnResets atomic.Uint64
	adopted, unprotected, handshakes                              atomic.Uint64
	connections                                                   atomic.Int64

	mu      sync.Mutex
	dropped map[string]uint64
}

func (c *counters) drop(reason string, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped == nil {
		c.dropped = map[string]uint64{dropKernel: 0, dropQueue: 0, dropStop: 0, dropStale: 0}
	}
	c.dropped[reason] += n
}

// Stats returns the counters. Safe at any time.
func (c *Collector) Stats() Stats {
	n := &c.n
	n.mu.Lock()
	dropped := maps.Clone(n.dropped)
	n.mu.Unlock()
	if dropped == nil {
		dropped = map[string]uint64{dropKernel: 0, dropQueue: 0, dropStop: 0, dropStale: 0}
	}
	return Stats{Received: n.received.Load(), Accepted: n.accepted.Load(), Bytes: n.bytes.Load(),
		Truncated: n.truncated.Load(), Batches: n.batches.Load(), WriteErrors: n.writeErrors.Load(),
		Connections: n.connections.Load(), Opened: n.opened.Load(), Refused: n.refused.Load(),
		Handshakes: n.handshakes.Load(),
		Evicted:    n.evicted.Load(), Resets: n.resets.Load(), Framing: n.framing.Load(),
		Adopted: n.adopted.Load(), Unprotected: n.unprotected.Load(), Dropped: dropped}
}
