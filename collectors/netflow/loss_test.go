// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// TestOracleLossOverflow sends an exporter's datagrams, one in fifty left out, faster than a small buffer of the kernel
// takes them, and then nothing more: what the kernel could not keep and what the sequence numbers say is missing are
// both reported within 0.1 points, the second being the larger by what was left out.
func TestOracleLossOverflow(t *testing.T) {
	c, err := New(Config{Name: "nf", Address: "127.0.0.1:0", StateDir: t.TempDir(), Buffer: 8 << 10, Drain: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	out := &memory{}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, out) }()
	eventually(t, "the socket", func() bool { return c.Addrs() != nil })
	conn := dial(t, c)
	seq, sent, left, dropped := uint32(1<<32-3000), uint64(0), uint64(0), uint64(0)
	send := func() {
		if _, err := conn.Write(v5(seq, 1)); err != nil {
			t.Fatal(err)
		}
		seq, sent = seq+1, sent+1
	}
	settled := func() bool {
		s := c.Stats()
		dropped = s.Dropped["kernel"]
		return s.Received+dropped == sent
	}
	for dropped == 0 { // the scheduler may be kind
		for i := range 20_000 {
			if i > 0 && i%50 == 0 {
				seq, left = seq+1, left+1
				continue
			}
			send()
		}
		eventually(t, "the kernel's count", settled)
	}
	// The numbers of what the end of the burst lost are missing once the next datagram comes.
	for before := c.Stats().Received; c.Stats().Received == before; {
		send()
		eventually(t, "the next datagram", settled)
	}
	eventually(t, "the gaps", func() bool { return c.Stats().Lost >= dropped+left-sent/1000 })
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s, all := c.Stats(), sent+left
	lost := sent - s.Received
	t.Logf("%d sent, %d of %d left out, %d lost; %+v", sent, left, all, lost, s)
	if s.Dropped["kernel"] != lost {
		t.Errorf("the kernel lost %d, the metric says %d", lost, s.Dropped["kernel"])
	}
	if want := lost + left; max(s.Lost, want)-min(s.Lost, want) > all/1000 {
		t.Errorf("%d of %d are missing, by sequence %d", want, all, s.Lost)
	}
	for reason, want := range map[string]uint64{"kernel": lost, "sequence_gap": lost + left} {
		if told := out.sum(reason); max(told, want)-min(told, want) > all/1000 {
			t.Errorf("%s: of %d datagrams %d are missing, events report %d", reason, all, want, told)
		}
	}
}

// sum adds up what events report for a reason.
func (m *memory) sum(reason string) (n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, doc := range m.docs {
		if strings.Contains(doc, `"reason":"`+reason+`"`) {
			b := event.NewBuilder("test", 1)
			b.Begin(0, 0)
			if err := event.ReadJSON(b, []byte(doc)); err != nil {
				continue
			}
			v, _ := b.Get(event.HaidangDropCount)
			n += uint64(v.Int())
		}
	}
	return n
}
