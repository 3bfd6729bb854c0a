// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"github.com/haidang-soc/haidang/collectors/socket"
	"github.com/haidang-soc/haidang/internal/event"
)

// adopt queues, before anything else, the messages that an earlier process read and was killed with. They keep their
// numbers: those that were stored all the same are known to the Writer.
func (g *gather) adopt(kept []socket.Kept) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(kept) > 0 {
		n := g.adoptSome(kept)
		kept = kept[n:]
	}
	if len(g.sealed) > 0 {
		g.signal()
	}
}

// adoptSome makes a batch of the first messages, all of one epoch, and returns how many it took. mu is held.
func (g *gather) adoptSome(kept []socket.Kept) int {
	epoch, n := kept[0].Epoch, 0
	b := event.NewBuilder(g.cfg.Source(), epoch)
	for ; n < len(kept) && kept[n].Epoch == epoch && b.Len() < g.cfg.MaxEvents && b.Size() < batchBytes; n++ {
		k := &kept[n]
		m := message{raw: trimEnd(k.Data), at: k.At, peer: k.Peer, client: k.Client, cut: k.Cut}
		if len(m.raw) > 0 {
			g.build(b, k.Unit, &m)
			b.End()
		}
	}
	last := kept[n-1].Unit + 1
	if epoch == g.epoch {
		g.next = last
	}
	size := b.Size()
	g.sealed = append(g.sealed, sealed{batch: b.Batch(kept[0].Prev, last), size: size, messages: b.Len()})
	g.pending += size
	g.n.adopted.Add(uint64(b.Len()))
	g.n.received.Add(uint64(b.Len()))
	return n
}
