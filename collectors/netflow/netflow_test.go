// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/collectors/collectorstest"
	"github.com/haidang-soc/haidang/internal/event"
)

// v5 is a NetFlow v5 datagram of one flow: 10.0.0.<n> to 203.0.113.7:443.
func v5(seq uint32, n byte) []byte {
	be := binary.BigEndian
	p := make([]byte, 72)
	be.PutUint16(p, 5)
	be.PutUint16(p[2:], 1)
	be.PutUint32(p[4:], 100_000)
	be.PutUint32(p[8:], 1_790_000_000)
	be.PutUint32(p[16:], seq)
	r := p[24:]
	copy(r, []byte{10, 0, 0, n, 203, 0, 113, 7})
	be.PutUint32(r[16:], 3)
	be.PutUint32(r[20:], 1500)
	be.PutUint32(r[24:], 90_000)
	be.PutUint32(r[28:], 95_000)
	be.PutUint16(r[32:], 40000)
	be.PutUint16(r[34:], 443)
	r[38] = 6
	return p
}

func newCollector(t *testing.T, dir string) *Collector {
	t.Helper()
	c, err := New(Config{Name: "nf", Site: "dc1", Address: "127.0.0.1:0", StateDir: dir, Drain: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func dial(t *testing.T, c *Collector) net.Conn {
	t.Helper()
	conn, err := net.Dial("udp", c.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestCollector(t *testing.T) {
	collectorstest.Run(t, func(t *testing.T, dir string) collectorstest.Subject {
		c := newCollector(t, dir)
		return collectorstest.Subject{Collector: c, Ready: func() bool { return c.Addrs() != nil },
			Send: func(t *testing.T, n int) {
				conn := dial(t, c)
				for i := range n {
					if _, err := conn.Write(v5(uint32(i), byte(i))); err != nil {
						t.Fatal(err)
					}
				}
			}}
	})
}

// memory is a Writer that keeps documents.
type memory struct {
	mu   sync.Mutex
	docs []string
}

func (m *memory) Write(_ context.Context, b *event.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for e := range b.Events() {
		m.docs = append(m.docs, string(event.AppendJSON(nil, e, false)))
	}
	return nil
}

func (m *memory) find(parts ...string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
next:
	for _, d := range m.docs {
		for _, p := range parts {
			if !strings.Contains(d, p) {
				continue next
			}
		}
		return d
	}
	return ""
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it did not come", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestFlowsLossesAndBadDatagrams(t *testing.T) {
	c, out := newCollector(t, t.TempDir()), &memory{}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, out) }()
	eventually(t, "the socket", func() bool { return c.Addrs() != nil })
	conn := dial(t, c)
	for _, p := range [][]byte{v5(0, 1), v5(1, 2), []byte("xin chào"), {0, 10, 0}, v5(5, 3)} {
		if _, err := conn.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the flow", func() bool {
		return out.find(`"source":{"bytes":1500,"ip":"10.0.0.3","packets":3,"port":40000}`,
			`"destination":{"ip":"203.0.113.7","port":443}`, `"dataset":"netflow.flow"`, `"transport":"tcp"`,
			`"site":"dc1"`, `"duration":5000000000`) != ""
	})
	eventually(t, "the bad datagram", func() bool { return out.find(`"reason":"unknown_version"`, `127.0.0.1`) != "" })
	eventually(t, "the loss", func() bool { return out.find(`"count":3`, `"reason":"sequence_gap"`) != "" })
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s := c.Stats()
	if s.Received != 5 || s.Accepted < 5 || s.Flows != 3 || s.Lost != 3 || s.Undecoded["unknown_version"] != 1 ||
		s.Undecoded["too_short"] != 1 {
		t.Errorf("%+v", s)
	}
}

func TestRenderFolder(t *testing.T) {
	dir := t.TempDir()
	for name, p := range map[string][]byte{"000.bin": v5(0, 1), "001.bin": v5(9, 2), "002.bin": {1}} {
		if err := os.WriteFile(filepath.Join(dir, name), p, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	var problems []string
	err := Render(t.Context(), &out, []string{dir}, func(err error) { problems = append(problems, err.Error()) })
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !json.Valid([]byte(lines[1])) || len(problems) != 2 {
		t.Errorf("%d lines, problems %q", len(lines), problems)
	}
	if err := Render(t.Context(), &out, []string{filepath.Join(dir, "none")}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
}
