// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/haidang-soc/haidang/internal/app/story"
)

// Load is what a generator sends.
type Load struct {
	Syslog  string  // TCP address, octet-counted; empty sends none
	Netflow string  // UDP address; empty sends none
	Rate    int     // events a second, lines and flows together
	Events  int     // in all
	Flows   float64 // share of flows, 0 to 1
	Seed    uint64
}

// Sent is what a generator says at its end, as JSON.
type Sent struct {
	Lines   int            `json:"lines"`
	Flows   int            `json:"flows"`
	Bytes   int64          `json:"bytes"` // of lines, without framing
	Shapes  map[string]int `json:"shapes"`
	CPU     float64        `json:"cpu"`     // seconds of the generator
	Elapsed float64        `json:"elapsed"` // seconds
}

// pool is how many lines of each shape are made in advance: the generator must not be what is measured.
const pool = 2000

// Generate sends a load, paced in steps of 10 ms, and writes what it sent as one line of JSON.
func Generate(ctx context.Context, l Load, out io.Writer) error {
	r := rand.New(rand.NewPCG(l.Seed, 7))
	lines, flows, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer func() {
		for _, c := range []net.Conn{lines, flows} {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	list := shapes()
	frames := make([][][]byte, len(list))
	for i, s := range list {
		frames[i] = make([][]byte, pool)
		for j := range frames[i] {
			text := s.line(nil, r, time.Now())
			frames[i][j] = append(strconv.AppendInt(nil, int64(len(text)), 10), ' ')
			frames[i][j] = append(frames[i][j], text...)
		}
	}
	sent := Sent{Shapes: map[string]int{}}
	start := time.Now()
	exporter := &story.Exporter{Boot: start.Add(-24 * time.Hour), Domain: 7}
	w := bufio.NewWriterSize(lines, 256<<10)
	const step = 10 * time.Millisecond
	var probes [2]int
	for total := 0; total < l.Events; {
		due := min(int(time.Since(start).Seconds()*float64(l.Rate)), l.Events)
		for total < due {
			n := min(due-total, 500)
			f := int(float64(n) * l.Flows)
			for range n - f {
				i, j := r.IntN(len(list)), r.IntN(pool)
				frame := frames[i][j]
				if _, err := w.Write(frame); err != nil {
					return fmt.Errorf("bench: sending lines: %w", err)
				}
				sent.Lines++
				sent.Bytes += int64(len(frame))
				sent.Shapes[list[i].name]++
			}
			for f > 0 {
				k := min(f, story.MaxFlows)
				if _, err := flows.Write(exporter.Datagram(time.Now(), some(r, k))); err != nil {
					return fmt.Errorf("bench: sending flows: %w", err)
				}
				sent.Flows += k
				f -= k
			}
			total += n
		}
		if err := l.probe(w, &probes, total, &sent); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(step):
		}
	}
	sent.Elapsed = time.Since(start).Seconds()
	sent.CPU = cpu().Seconds()
	return json.NewEncoder(out).Encode(sent)
}

// probe sends what raises alerts, evenly over the run, and lets everything go.
func (l *Load) probe(w *bufio.Writer, sentSoFar *[2]int, total int, sent *Sent) error {
	var buf []byte
	for sentSoFar[0] < detections*total/l.Events {
		buf = detectionProbe(buf, sentSoFar[0])
		sentSoFar[0]++
		sent.Lines++
	}
	for sentSoFar[1] < correlations*total/l.Events {
		buf = correlationProbe(buf, sentSoFar[1])
		sentSoFar[1]++
		sent.Lines += guesses
	}
	sent.Bytes += int64(len(buf))
	if _, err := w.Write(buf); err != nil {
		return fmt.Errorf("bench: sending lines: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("bench: sending lines: %w", err)
	}
	return nil
}

func (l *Load) dial(ctx context.Context) (lines, flows net.Conn, err error) {
	var d net.Dialer
	if lines, err = d.DialContext(ctx, "tcp", l.Syslog); err != nil {
		return nil, nil, fmt.Errorf("bench: %w", err)
	}
	if l.Netflow == "" {
		l.Flows = 0
		return lines, nil, nil
	}
	if flows, err = d.DialContext(ctx, "udp", l.Netflow); err != nil {
		return nil, nil, fmt.Errorf("bench: %w", err)
	}
	return lines, flows, nil
}

// some makes n flows of citizens and servers.
func some(r *rand.Rand, n int) []story.Flow {
	list := make([]story.Flow, n)
	now := time.Now()
	for i := range list {
		list[i] = story.Flow{Src: netip.AddrFrom4([4]byte{100, byte(r.IntN(64)), byte(r.IntN(256)), byte(r.IntN(256))}),
			Dst: netip.AddrFrom4([4]byte{10, 10, byte(r.IntN(8)), byte(r.IntN(256))}), SrcPort: uint16(port(r)),
			DstPort: []uint16{443, 80, 53, 25}[r.IntN(4)], Protocol: 6, Bytes: uint64(r.IntN(1 << 20)),
			Packets: uint64(4 + r.IntN(900)), Start: now.Add(-time.Duration(r.IntN(60000)) * time.Millisecond), End: now}
	}
	return list
}

// cpu is the processor time that this process took so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
