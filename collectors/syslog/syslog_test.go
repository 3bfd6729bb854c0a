// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// hang is how long a test waits for what must happen; it only matters where it does not.
const hang = 30 * time.Second

// memory is a Writer that keeps what it is given. fail, if set, is asked first.
type memory struct {
	mu      sync.Mutex
	changed chan struct{}
	batches []*event.Batch
	tried   []*event.Batch // the refused ones too
	fail    func(n int) error
	block   chan struct{} // if not nil: Write waits until it is closed
}

func (m *memory) Write(ctx context.Context, b *event.Batch) error {
	if m.block != nil {
		select {
		case <-m.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tried = append(m.tried, b)
	if m.fail != nil {
		if err := m.fail(len(m.tried)); err != nil {
			return err
		}
	}
	m.batches = append(m.batches, b)
	if m.changed != nil {
		close(m.changed)
		m.changed = nil
	}
	return nil
}

// events returns what was written, raw messages apart from reports of drops.
func (m *memory) events() (raw, reports []event.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.batches {
		for e := range b.Events() {
			if _, ok := e.Get(event.EventOriginal); ok {
				raw = append(raw, e)
			} else {
				reports = append(reports, e)
			}
		}
	}
	return raw, reports
}

func (m *memory) originals() []string {
	raw, _ := m.events()
	var list []string
	for _, e := range raw {
		v, _ := e.Get(event.EventOriginal)
		list = append(list, v.Str())
	}
	return list
}

// wait waits until cond holds, looking again at each write.
func (m *memory) wait(t *testing.T, what string, cond func() bool) {
	t.Helper()
	end := time.NewTimer(hang)
	defer end.Stop()
	for {
		m.mu.Lock()
		if m.changed == nil {
			m.changed = make(chan struct{})
		}
		changed := m.changed
		m.mu.Unlock()
		if cond() {
			return
		}
		select {
		case <-changed:
		case <-end.C:
			t.Fatalf("%s did not come about; have %d messages", what, len(m.originals()))
		}
	}
}

// running is a collector at work.
type running struct {
	*Collector
	stop func() error // stops and waits
}

// start runs a collector of a Config whose missing parts it fills in, and stops it with the test.
func start(t *testing.T, cfg Config, out event.Writer) running {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "test"
	}
	if cfg.StateDir == "" {
		cfg.StateDir = t.TempDir()
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return run1(t, c, out)
}

func run1(t *testing.T, c *Collector, out event.Writer) running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, out) }()
	stop := sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(hang):
			return errors.New("the collector did not stop")
		}
	})
	t.Cleanup(func() { _ = stop() })
	poll(t, "the sockets", func() bool {
		select {
		case err := <-done:
			done <- err
			t.Fatalf("Run: %v", err)
		default:
		}
		return c.Addrs() != nil
	})
	return running{Collector: c, stop: stop}
}

// poll waits until cond holds of something that nobody tells about.
func poll(t *testing.T, what string, cond func() bool) {
	t.Helper()
	end := time.Now().Add(hang)
	for !cond() {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func dial(t *testing.T, a net.Addr) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout(a.Network(), a.String(), hang)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func send(t *testing.T, conn net.Conn, data string) {
	t.Helper()
	if _, err := conn.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
}

// contiguous checks that the batches of each epoch begin where the last one ended, at 0 first, one unit an event.
func contiguous(t *testing.T, batches []*event.Batch) {
	t.Helper()
	next := map[uint64]uint64{}
	for _, b := range batches {
		if b.First() != next[b.Epoch()] || b.Last()-b.First() != uint64(b.Len()) {
			t.Errorf("batch [%d, %d) of %d events follows %d", b.First(), b.Last(), b.Len(), next[b.Epoch()])
		}
		next[b.Epoch()] = b.Last()
		for i := range b.Len() {
			if want := event.MakeID(b.Source(), b.Epoch(), b.First()+uint64(i), 0); b.At(i).ID() != want {
				t.Errorf("event %d of [%d, %d) has the id %v, want %v", i, b.First(), b.Last(), b.At(i).ID(), want)
			}
		}
	}
}

func TestUDP(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(address, func(t *testing.T) {
			if probe, err := net.ListenPacket("udp", address); err != nil {
				t.Skipf("this machine has no %s: %v", address, err)
			} else {
				_ = probe.Close()
			}
			out := &memory{}
			c := start(t, Config{UDP: []string{address}, Site: "dc1"}, out)
			to := c.Addrs()[0].(*net.UDPAddr)
			peer := "127.0.0.1"
			if address == "[::1]:0" {
				peer = "::1"
			}
			conn := dial(t, &net.UDPAddr{IP: net.ParseIP(peer), Port: to.Port})
			before := time.Now().UnixNano()
			var want []string
			for i := range 100 {
				line := fmt.Sprintf("<13>Nov 24 10:00:00 web1 app: thông báo %d", i)
				want = append(want, line)
				send(t, conn, line+[]string{"", "\n", "\r\n", "\x00"}[i%4])
			}
			out.wait(t, "100 messages", func() bool { return len(out.originals()) >= 100 })
			if got := out.originals(); !slices.Equal(got, want) {
				t.Errorf("got %q", got)
			}
			raw, _ := out.events()
			e := raw[0]
			for id, want := range map[event.FieldID]string{event.HaidangListener: "test", event.HaidangSite: "dc1",
				event.HaidangFormat: "syslog", event.ObserverIP: peer} {
				if v, _ := e.Get(id); v.String() != want {
					t.Errorf("%s is %q, want %q", id.Name(), v, want)
				}
			}
			if at := e.Created(); at < before || at > time.Now().UnixNano() {
				t.Errorf("event.created is %d, not between the sending and now", at)
			}
			if err := c.stop(); err != nil {
				t.Errorf("Run: %v", err)
			}
			contiguous(t, out.batches)
			if s := c.Stats(); s.Received != 100 || s.Accepted != 100 || s.Batches == 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestUDPReusePort(t *testing.T) {
	out := &memory{}
	c := start(t, Config{UDP: []string{"127.0.0.1:0"}, UDPSockets: 3}, out)
	addrs := c.Addrs()
	if len(addrs) != 3 || addrs[0].String() != addrs[2].String() {
		t.Fatalf("addresses %v, want three equal ones", addrs)
	}
	for i := range 50 {
		send(t, dial(t, addrs[0]), fmt.Sprintf("<13>%d", i))
	}
	out.wait(t, "50 messages", func() bool { return len(out.originals()) == 50 })
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	contiguous(t, out.batches)
}

func TestTCPFramings(t *testing.T) {
	long := "<13>" + strings.Repeat("x", 3000)
	f := func(name, data string, want ...string) {
		t.Helper()
		out := &memory{}
		c := start(t, Config{TCP: []string{"127.0.0.1:0"}, MaxMessage: 1000}, out)
		for _, step := range []int{len(data), 1, 7} {
			conn := dial(t, c.Addrs()[0])
			for rest := data; rest != ""; {
				n := min(step, len(rest))
				send(t, conn, rest[:n])
				rest = rest[n:]
			}
			_ = conn.Close()
		}
		out.wait(t, name, func() bool { return len(out.originals()) >= 3*len(want) })
		if err := c.stop(); err != nil {
			t.Error(err)
		}
		got := out.originals()
		slices.Sort(got)
		var all []string
		for _, w := range want {
			all = append(all, w, w, w)
		}
		slices.Sort(all)
		if !slices.Equal(got, all) {
			t.Errorf("%s: got %q, want %q", name, got, all)
		}
		contiguous(t, out.batches)
	}
	f("lines", "<13>a\n<13>tiếng Việt\r\n\n<13>c\n", "<13>a", "<13>tiếng Việt", "<13>c")
	f("a last line without LF", "<13>a\n<13>b", "<13>a", "<13>b")
	f("octets", "5 <13>a7 <13>b\nc5 <13>d", "<13>a", "<13>b\nc", "<13>d")
	f("octets with line feeds between", "5 <13>a\n5 <13>b\n", "<13>a", "<13>b")
	f("half a counted message", "5 <13>a9 <13>b", "<13>a", "<13>b")
	f("lines that begin with digits", "2026-11-24T10:00:00Z a\n1 b\n", "2026-11-24T10:00:00Z a", "1 b")
	f("octets that go wrong", "5 <13>a<13>b\n<13>c\n", "<13>a", "<13>b", "<13>c")
	f("a long line", long+"\n<13>b\n", long[:1000], "<13>b")
	f("a long counted message", fmt.Sprintf("%d %s5 <13>b", len(long), long), long[:1000], "<13>b")
	f("an endless count", "999999999999 <13>a\n<13>b\n", "999999999999 <13>a", "<13>b")
	f("exactly the longest", long[:1000]+"\n<13>b\n", long[:1000], "<13>b")
}

func TestTruncatedIsMarked(t *testing.T) {
	out := &memory{}
	c := start(t, Config{TCP: []string{"127.0.0.1:0"}, UDP: []string{"127.0.0.1:0"}, MaxMessage: 100}, out)
	line := strings.Repeat("y", 101)
	send(t, dial(t, c.Addrs()[0]), line)
	send(t, dial(t, c.Addrs()[1]), line+"\n"+line[:100]+"\n")
	out.wait(t, "three messages", func() bool { return len(out.originals()) == 3 })
	raw, _ := out.events()
	marked := 0
	for _, e := range raw {
		v, _ := e.Get(event.EventOriginal)
		if len(v.Str()) != 100 {
			t.Errorf("a message of %d bytes", len(v.Str()))
		}
		if cut, ok := e.Get(event.HaidangTruncated); ok && cut.Bool() {
			marked++
		}
	}
	if n := c.Stats().Truncated; marked != 2 || n != 2 {
		t.Errorf("%d messages are marked and %d counted as truncated, want 2", marked, n)
	}
}

// TestWriteErrorKeepsTheRange: a refused batch comes again with the same range and content, and nothing is lost.
func TestWriteErrorKeepsTheRange(t *testing.T) {
	out := &memory{fail: func(n int) error {
		if n <= 3 || n == 5 {
			return errors.New("the disk is slow")
		}
		return nil
	}}
	c := start(t, Config{TCP: []string{"127.0.0.1:0"}, MaxEvents: 10}, out)
	conn := dial(t, c.Addrs()[0])
	var want []string
	for i := range 95 {
		want = append(want, fmt.Sprintf("<13>%d", i))
	}
	send(t, conn, strings.Join(want, "\n")+"\n")
	out.wait(t, "95 messages", func() bool { return len(out.originals()) == 95 })
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	if got := out.originals(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	contiguous(t, out.batches)
	for _, b := range out.tried[:4] {
		if b.First() != 0 || b.Last() != out.tried[0].Last() || b.Epoch() != out.tried[0].Epoch() {
			t.Errorf("the refused batch [0, %d) came again as [%d, %d)", out.tried[0].Last(), b.First(), b.Last())
		}
	}
	if n := c.Stats().WriteErrors; n != 4 {
		t.Errorf("%d write errors counted, want 4", n)
	}
}

// TestStopWritesWhatWasRead: everything that reached the sockets before the stop is written, though the Writer blocks.
func TestStopWritesWhatWasRead(t *testing.T) {
	out := &memory{block: make(chan struct{})}
	c := start(t, Config{TCP: []string{"127.0.0.1:0"}, UDP: []string{"127.0.0.1:0"}, MaxEvents: 10,
		QueueBytes: 100 << 10}, out)
	tcp := dial(t, c.Addrs()[1])
	for i := range 100 {
		send(t, dial(t, c.Addrs()[0]), fmt.Sprintf("<13>udp %d", i))
		send(t, tcp, fmt.Sprintf("<13>tcp %d\n", i))
	}
	poll(t, "the connection", func() bool { return c.Stats().Connections == 1 })
	stopped := make(chan error, 1)
	go func() { stopped <- c.stop() }()
	poll(t, "the end of the reading", func() bool { return c.Stats().Connections == 0 })
	close(out.block)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if got := len(out.originals()); got != 200 {
		t.Errorf("%d of 200 messages were written", got)
	}
	contiguous(t, out.batches)
}

// TestStopTakesTheBacklog: connections that wait to be accepted at the stop are read as well.
func TestStopTakesTheBacklog(t *testing.T) {
	out := &memory{}
	cfg := Config{Name: "test", TCP: []string{"127.0.0.1:0"}, StateDir: t.TempDir()}
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen = func(context.Context, string, string) (net.Listener, net.PacketConn, error) { return l, nil, nil }
	for i := range 20 {
		send(t, dial(t, l.Addr()), fmt.Sprintf("<13>waiting %d\n", i))
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // the stop comes before anything was accepted
	if err := c.Run(ctx, out); err != nil {
		t.Error(err)
	}
	if n := len(out.originals()); n != 20 {
		t.Errorf("%d of 20 messages were written", n)
	}
}

// TestStopLeaves: a Writer that takes nothing makes Run end in bounded time, and what was read waits for the next run,
// under the numbers that it had.
func TestStopLeaves(t *testing.T) {
	out := &memory{block: make(chan struct{})}
	cfg := Config{StateDir: t.TempDir(), TCP: []string{"127.0.0.1:0"}, UDP: []string{"127.0.0.1:0"},
		Drain: time.Millisecond, QueueBytes: 4 << 10}
	c := start(t, cfg, out)
	udp, tcp := dial(t, c.Addrs()[0]), dial(t, c.Addrs()[1])
	send(t, udp, "<13>gói tin")
	poll(t, "the datagram read", func() bool { return c.Stats().Received == 1 })
	for i := range 100 {
		send(t, tcp, fmt.Sprintf("<13>tcp %d\n", i))
	}
	poll(t, "something read", func() bool { return c.Stats().Received > 10 })
	err := c.stop()
	s := c.Stats()
	if err == nil || !strings.Contains(err.Error(), "wait for the next start") {
		t.Errorf("Run: %v, want an error that tells what waits", err)
	}
	waiting := s.Received - s.Dropped[dropStop]
	if s.Dropped[dropStop] > 1 || s.Accepted != 0 { // one was waiting for room
		t.Errorf("received %d, accepted %d, dropped %v", s.Received, s.Accepted, s.Dropped)
	}
	cfg.QueueBytes = 0 // what waits must leave room for a new message
	for range 2 {      // the second finds nothing
		out = &memory{}
		c = start(t, cfg, out)
		out.waitFor(t, c, "<13>mới")
		if err := c.stop(); err != nil {
			t.Error(err)
		}
		contiguous(t, out.batches)
		list := out.originals()
		if n := c.Stats().Adopted; n != waiting || len(list) != int(waiting)+1 {
			t.Errorf("%d adopted, %d written, want %d", n, len(list), waiting)
		}
		if waiting > 0 && (list[0] != "<13>gói tin" || list[len(list)-1] != "<13>mới") {
			t.Errorf("in the order %q", list)
		}
		waiting = 0
	}
}

// TestAdoptedRefused: what the Writer refuses for good of an earlier run holds up nothing.
func TestAdoptedRefused(t *testing.T) {
	cfg := Config{StateDir: t.TempDir(), UDP: []string{"127.0.0.1:0"}, Drain: time.Millisecond}
	c := start(t, cfg, &memory{block: make(chan struct{})})
	send(t, dial(t, c.Addrs()[0]), "<13>cũ")
	poll(t, "the datagram read", func() bool { return c.Stats().Received == 1 })
	if err := c.stop(); err == nil {
		t.Error("the stop told nothing of what waits")
	}
	out := &memory{}
	out.fail = func(n int) error {
		if n == 1 {
			return fmt.Errorf("spool: %w", event.ErrRefused)
		}
		return nil
	}
	c = start(t, cfg, out)
	out.waitFor(t, c, "<13>mới")
	if n := c.Stats().Dropped[dropStale]; n != 1 {
		t.Errorf("%d counted as stale", n)
	}
}

// waitFor sends a datagram and waits until it was written.
func (m *memory) waitFor(t *testing.T, c running, text string) {
	t.Helper()
	send(t, dial(t, c.Addrs()[0]), text)
	m.wait(t, text, func() bool { return slices.Contains(m.originals(), text) })
}

// TestBackPressure: while the Writer blocks, a stream is not read and datagrams are read into the bounded queue and
// then counted; when it goes on, all of the stream comes and the loss of datagrams is an event.
func TestBackPressure(t *testing.T) {
	out := &memory{block: make(chan struct{})}
	c := start(t, Config{TCP: []string{"127.0.0.1:0"}, UDP: []string{"127.0.0.1:0"}, QueueBytes: 64 << 10}, out)
	udp, tcp := dial(t, c.Addrs()[0]), dial(t, c.Addrs()[1])
	const lines = 20000
	sent := make(chan error, 1)
	go func() {
		for i := range lines {
			if _, err := fmt.Fprintf(tcp, "<13>tcp %d %s\n", i, strings.Repeat("z", 300)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	poll(t, "a full queue", func() bool {
		send(t, udp, "<13>udp "+strings.Repeat("u", 300))
		return c.Stats().Dropped[dropQueue] > 20
	})
	select {
	case err := <-sent:
		t.Fatalf("the stream was read although nothing could be written (%v)", err)
	default:
	}
	close(out.block)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	out.wait(t, "the stream", func() bool {
		n := 0
		for _, line := range out.originals() {
			if strings.HasPrefix(line, "<13>tcp") {
				n++
			}
		}
		return n == lines
	})
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	_, reports := out.events()
	told := uint64(0)
	for _, e := range reports {
		if reason, _ := e.Get(event.HaidangDropReason); reason.Str() == dropQueue {
			n, _ := e.Get(event.HaidangDropCount)
			told += uint64(n.Int())
		}
	}
	s := c.Stats()
	if told != s.Dropped[dropQueue] || told == 0 {
		t.Errorf("the events tell of %d lost datagrams, the counter of %d", told, s.Dropped[dropQueue])
	}
	if s.Received != s.Accepted+s.Dropped[dropQueue] {
		t.Errorf("received %d is not accepted %d and dropped %v", s.Received, s.Accepted, s.Dropped)
	}
	contiguous(t, out.batches)
}

func TestEpochCountsBinds(t *testing.T) {
	dir := t.TempDir()
	out := &memory{}
	for range 3 {
		c := start(t, Config{UDP: []string{"127.0.0.1:0"}, StateDir: dir}, out)
		n := len(out.originals())
		send(t, dial(t, c.Addrs()[0]), "<13>x")
		out.wait(t, "the message", func() bool { return len(out.originals()) > n })
		if err := c.stop(); err != nil {
			t.Fatal(err)
		}
	}
	if len(out.batches) != 3 {
		t.Fatalf("%d batches, want 3", len(out.batches))
	}
	for i, b := range out.batches {
		if b.Epoch() != out.batches[0].Epoch()+uint64(i) || b.First() != 0 || b.Source() != "listener/test" {
			t.Errorf("batch %d has source %s, epoch %d and begins at %d", i, b.Source(), b.Epoch(), b.First())
		}
	}
}
