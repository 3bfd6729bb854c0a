// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/story"
)

// teller plays the night and prints what the server says of it.
type teller struct {
	Config
	app    *app.App
	clock  *story.Clock
	begin  time.Time
	mu     sync.Mutex // of Out
	lines  int
	flows  int
	raised int
	last   alert.ID
}

func (t *teller) printf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.Out, format, args...)
}

func (t *teller) dim(s string) string {
	if !t.Colour {
		return s
	}
	return "\x1b[2m" + s + "\x1b[0m"
}

// tell sends the night second by second, and prints alerts meanwhile; it returns when the last is decided.
func (t *teller) tell(ctx context.Context) error {
	t.printf("Tỉnh Hải Đăng, %s, nghỉ lễ Quốc khánh. Một phút của câu chuyện là %.0f giây.\n\n",
		t.begin.Format("15:04 ngày 02/01/2006"), 60/t.Speed)
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { t.watch(watching) })
	defer watch.Wait()
	defer stop()
	relay, err := t.dial(ctx, "tcp", "demo-tcp")
	if err != nil {
		return err
	}
	defer relay.Close()
	router, err := t.dial(ctx, "udp", "demo-flow")
	if err != nil {
		return err
	}
	defer router.Close()
	exporter := &story.Exporter{Boot: t.begin.Add(-30 * 24 * time.Hour), Domain: 1}
	for m := range story.Night(t.begin, t.Seed) {
		if err := t.wait(ctx, m.At); err != nil {
			return err
		}
		if m.Title != "" {
			t.printf("%s\n", t.dim(m.At.Format("15:04:05")+"  ▸ "+m.Title))
		}
		if err := t.send(relay, m.Lines); err != nil {
			return err
		}
		for len(m.Flows) > 0 {
			n := min(len(m.Flows), story.MaxFlows)
			if _, err := router.Write(exporter.Datagram(m.At, m.Flows[:n])); err != nil {
				return err
			}
			t.flows += n
			m.Flows = m.Flows[n:]
		}
	}
	// What waits for the last watermark is decided within two minutes of the story.
	if err := t.wait(ctx, t.begin.Add(story.Length+2*time.Minute)); err != nil {
		return err
	}
	t.printf("\n%d dòng nhật ký và %d luồng mạng, %d cảnh báo.\n", t.lines, t.flows, t.raised)
	return nil
}

func (t *teller) wait(ctx context.Context, until time.Time) error {
	d := t.clock.Until(until)
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// send writes octet-counted frames (RFC 6587).
func (t *teller) send(conn net.Conn, lines []string) error {
	var buf []byte
	for _, l := range lines {
		buf = append(strconv.AppendInt(buf, int64(len(l)), 10), ' ')
		buf = append(buf, l...)
		if _, err := conn.Write(buf); err != nil {
			return err
		}
		buf = buf[:0]
	}
	t.lines += len(lines)
	return nil
}

func (t *teller) dial(ctx context.Context, network, listener string) (net.Conn, error) {
	for range 500 {
		if list := t.app.ListenerAddrs(listener); len(list) > 0 {
			return (&net.Dialer{}).DialContext(ctx, network, list[0].String())
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil, errors.New("demo: the listener " + listener + " did not open")
}

// watch prints alerts as they are raised.
func (t *teller) watch(ctx context.Context) {
	for e, err := range t.app.Alerts().Subscribe(ctx, 0) {
		if err != nil {
			return
		}
		if e.Kind != alert.Raised || e.State == nil {
			continue
		}
		doc, err := e.State.AppendJSON(nil, "", e.Kind)
		if err != nil {
			continue
		}
		t.mu.Lock()
		t.raised++
		t.last = e.State.Alert.ID
		fmt.Fprintf(t.Out, "%s\n", app.AlertLine(doc, app.Style{Colour: t.Colour, Zone: t.begin.Location()}))
		t.mu.Unlock()
		if t.Raised != nil {
			t.Raised(e.State.Alert)
		}
	}
}

// explore says how to look closer.
func (t *teller) explore() {
	from, to := t.begin.Format(time.RFC3339), t.begin.Add(story.Length).Format(time.RFC3339)
	t.printf(`
Máy chủ còn chạy. Mở một cửa sổ khác để xem kỹ hơn:

  export HAIDANG_DATA=%[1]s
  %[6]s alerts list
  %[6]s alerts show %[2]s
  %[6]s query --from %[3]s --to %[4]s 'source.ip: 198.51.100.77'
  %[6]s query --from %[3]s --to %[4]s --by histogram:1m 'event.outcome: failure'
  %[6]s query --from %[3]s --to %[4]s --by top:destination.ip:5 'event.dataset: netflow.flow'
  %[6]s alerts ack %[2]s --note "đang xem"
  curl --unix-socket %[1]s/api.sock http://haidang/api/v1/alerts

API: http://%[5]s/api/v1 (cần token: %[6]s people token). Ctrl-C để dừng.
`, t.Data, t.last, from, to, t.app.HTTPAddr(), t.Program)
}
