// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package offline runs decoders, inventory and correlator over files, without a server: what `haidang replay` and
// `haidang rules eval` do.
//
// Time is that of the events and nothing else: the same files give the same alerts on any machine at any hour. Files
// are merged by event time, so that their order on the command line does not matter.
package offline

import (
	"bufio"
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/collectors/netflow"
	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/decoders"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// Config says what to replay.
type Config struct {
	Rules     *correlator.RuleSet
	Inventory *asset.Inventory
	Zone      *time.Location // of lines that name none
	Site      string
	Relays    func(ip string) bool
	Now       time.Time // what a time without a year is near to; zero is now
	Updates   bool      // every update of an alert, not only its last
	// Problem is told of datagrams that cannot be decoded; nil ignores them.
	Problem func(error)
}

// Stats is what was replayed.
type Stats struct {
	Events     uint64
	Alerts     int
	First, Cut time.Time // event time of the first and the last event
}

// maxLine is the longest line in bytes; the rest is cut.
const maxLine = decoders.MaxOriginal

// player is a replay under way.
type player struct {
	cfg    Config
	engine *correlator.Engine
	out    io.Writer
	seq    uint64
	clock  int64
	end    int64 // of the input, once it was reached
	last   map[alert.ID]*alert.Alert
	order  []alert.ID
	stats  Stats
}

// Replay plays the files and writes each alert as one line of JSON, in the order in which they were first raised.
// It returns when everything is decided: the clock runs on behind the last event for as long as any rule can wait.
func Replay(ctx context.Context, cfg Config, w io.Writer, files ...string) (Stats, error) {
	engine, err := correlator.New(correlator.Config{Rules: cfg.Rules, Policy: cfg.Inventory.Policy(),
		Inventory: cfg.Inventory, Relays: cfg.Relays})
	if err != nil {
		return Stats{}, err
	}
	if cfg.Now.IsZero() {
		cfg.Now = time.Now()
	}
	p := &player{cfg: cfg, engine: engine, out: w, last: map[alert.ID]*alert.Alert{}}
	err = p.play(ctx, files)
	return p.stats, err
}

func (p *player) play(ctx context.Context, files []string) error {
	var sources sources
	defer func() {
		for _, s := range sources {
			_ = s.close()
		}
	}()
	for i, name := range files {
		s, err := p.open(name, i)
		if err != nil {
			return err
		}
		if ok, err := s.advance(); err != nil {
			return errors.Join(err, s.close())
		} else if ok {
			sources = append(sources, s)
		}
	}
	heap.Init(&sources)
	for len(sources) > 0 {
		s := sources[0]
		if err := p.batch(s.batch); err != nil {
			return err
		}
		switch ok, err := s.advance(); {
		case err != nil:
			return err
		case ok:
			heap.Fix(&sources, 0)
		default:
			_ = heap.Pop(&sources)
			_ = s.close()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if p.clock > 0 {
		p.end = p.clock
		if err := p.until(p.clock + int64(p.engine.Horizon())); err != nil {
			return err
		}
	}
	p.stats.Alerts = len(p.order)
	if p.cfg.Updates {
		return nil
	}
	for _, id := range p.order {
		if err := p.print(p.last[id]); err != nil {
			return err
		}
	}
	return nil
}

// batch lets the clock run to the batch's first event and processes it.
func (p *player) batch(b *event.Batch) error {
	at := b.At(0).Time()
	if p.clock == 0 {
		p.clock = at - at%1e9
		p.stats.First = time.Unix(0, at)
	}
	if err := p.until(at); err != nil {
		return err
	}
	p.stats.Events += uint64(b.Len())
	p.stats.Cut = time.Unix(0, p.clock)
	return p.process(spool.KindBatches, b)
}

// until ticks once a second; over a gap in which nothing can be decided any more it jumps.
func (p *player) until(end int64) error {
	quiet := p.clock + int64(p.engine.Horizon()) + int64(time.Hour)
	for {
		next := p.clock - p.clock%1e9 + 1e9
		if next > end {
			break
		}
		if next > quiet && end-next > int64(time.Minute) {
			next = end - end%1e9
		}
		p.clock = next
		if err := p.process(spool.KindTick); err != nil {
			return err
		}
	}
	p.clock = max(p.clock, end)
	return nil
}

func (p *player) process(kind spool.Kind, batches ...*event.Batch) error {
	p.seq++
	out, err := p.engine.Process(&spool.Record{At: spool.Position{Seq: p.seq}, Incarnation: "REPLAY", Clock: p.clock,
		Kind: kind, Batches: batches})
	if err != nil {
		return err
	}
	for _, a := range out.Alerts {
		if _, ok := p.last[a.ID]; !ok {
			if p.end > 0 && a.First > p.end {
				continue // that nothing comes behind the end of the input is no silence
			}
			p.order = append(p.order, a.ID)
		}
		p.last[a.ID] = a
		if p.cfg.Updates {
			if err := p.print(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *player) print(a *alert.Alert) error {
	s := alert.State{Alert: a, Status: alert.StatusOpen}
	line, err := s.AppendJSON(nil, "", "")
	if err != nil {
		return err
	}
	_, err = p.out.Write(append(line, '\n'))
	return err
}

// source is a file being read: one batch at a time, all events of which are of one second.
type source struct {
	order  int
	batch  *event.Batch
	next   func() (*event.Batch, error) // io.EOF at the end
	closer io.Closer
}

func (s *source) advance() (bool, error) {
	b, err := s.next()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	s.batch = b
	return err == nil, err
}

func (s *source) close() error {
	if s.closer == nil {
		return nil
	}
	return s.closer.Close()
}

// sources are ordered by event time, then by the order of the files.
type sources []*source

func (s sources) Len() int { return len(s) }
func (s sources) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(s[i].batch.At(0).Time(), s[j].batch.At(0).Time()), cmp.Compare(s[i].order, s[j].order)) < 0
}
func (s sources) Swap(i, j int) { s[i], s[j] = s[j], s[i] }

// Push is for container/heap.
func (s *sources) Push(x any) { *s = append(*s, x.(*source)) }

// Pop is for container/heap.
func (s *sources) Pop() any {
	old := *s
	x := old[len(old)-1]
	*s = old[:len(old)-1]
	return x
}

func (p *player) open(name string, order int) (*source, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	if info.IsDir() || strings.HasSuffix(name, ".pcap") || strings.HasSuffix(name, ".pcapng") {
		return p.capture(name, order)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	set := decoders.New(decoders.Config{})
	lines := bufio.NewReaderSize(f, 256<<10)
	label := "file/" + filepath.Base(name)
	b := event.NewBuilder(label, 0)
	unit := uint64(0)
	return &source{order: order, closer: f, next: func() (*event.Batch, error) {
		for {
			line, err := readLine(lines)
			if err != nil {
				return nil, err
			}
			if len(line) == 0 {
				continue
			}
			b.Reset(label, 0)
			b.Begin(unit, 0)
			unit++
			set.Decode(b, line, &decoders.Meta{Site: p.cfg.Site, Format: "syslog", Received: p.cfg.Now, Zone: p.cfg.Zone})
			p.finish(b, label)
			b.End()
			return b.Batch(unit-1, unit), nil
		}
	}}, nil
}

// finish makes a line's event what a server would have made of it: read when it happened, enriched, its origin known.
func (p *player) finish(b *event.Builder, label string) {
	if at, ok := b.Get(event.Timestamp); ok {
		b.Time(event.EventCreated, at.Time())
	}
	b.Del(event.HaidangFormat)
	if !b.Has(event.HaidangOrigin) {
		origin := b.Text(event.HostName)
		if origin == "" {
			origin = label
		}
		b.Str(event.HaidangOrigin, origin)
	}
	p.cfg.Inventory.Enrich(b, p.cfg.Site)
}

// readLine returns the next line without its end, cut at maxLine; it is valid until the next call.
func readLine(r *bufio.Reader) ([]byte, error) {
	var long []byte
	for {
		part, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if len(long) < maxLine {
				long = append(long, part...)
			}
			continue
		case err != nil && (!errors.Is(err, io.EOF) || len(part)+len(long) == 0):
			return nil, err
		}
		if long != nil {
			part = append(long, part...)
		}
		for len(part) > 0 && (part[len(part)-1] == '\n' || part[len(part)-1] == '\r') {
			part = part[:len(part)-1]
		}
		return part[:min(len(part), maxLine)], nil
	}
}

// capture reads export datagrams of a pcap file or of a folder of .bin files. All are decoded before the first is
// played: an exporter's flows end in no order.
func (p *player) capture(name string, order int) (*source, error) {
	label := "file/" + filepath.Base(name)
	problem := p.cfg.Problem
	if problem == nil {
		problem = func(error) {}
	}
	var list []*event.Batch
	err := netflow.Batches(name, netflow.Reading{Source: label, Problem: problem,
		Finish: func(b *event.Builder) { p.finish(b, label) },
		Each: func(b *event.Batch) error {
			if b.Len() > 0 { // a datagram of templates only
				list = append(list, b)
			}
			return nil
		}})
	if err != nil {
		return nil, err
	}
	i := 0
	return &source{order: order, next: func() (*event.Batch, error) {
		if i < len(list) {
			i++
			return list[i-1], nil
		}
		return nil, io.EOF
	}}, nil
}
