// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/klauspost/compress/s2"

	"github.com/haidang-soc/haidang/internal/alert"
)

// A checkpoint is magic, version, the CRC32C of the rest, and an S2 block: cursor and clocks, the origins, the facts,
// the rules by id and semantic hash with their groups, and what waits for the watermark. Everything refers to facts by
// number, so that what is shared in memory is written once.
const (
	checkpointMagic   = "HDCP"
	checkpointVersion = 1
	checkpointHeader  = len(checkpointMagic) + 1 + 4
	maxCheckpoint     = 1 << 30 // bytes of state, uncompressed
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checkpoint returns the whole state after the last record that was processed.
func (e *Engine) Checkpoint() ([]byte, error) {
	w := &stateWriter{facts: map[*fact]uint64{}}
	e.writeFacts(w)
	w.text(e.cursor.String())
	w.int(e.clock)
	w.int(e.down)
	w.int(e.gap)
	w.int(e.resumed)
	w.uint(e.turns)
	w.uint(uint64(len(e.origins.list)))
	for _, o := range e.origins.list {
		w.origin(o)
	}
	w.uint(uint64(len(e.rules.detections)))
	w.uint(uint64(len(e.rules.correlations)))
	for i := range e.tables {
		m := e.meta(i)
		w.text(m.rule.ID)
		w.text(m.hash)
		w.uint(uint64(len(e.tables[i].groups)))
		for g := e.tables[i].first; g != nil; g = g.next {
			if err := w.group(g); err != nil {
				return nil, err
			}
		}
	}
	for i := range e.lanes {
		w.lane(&e.lanes[i])
	}
	w.uint(uint64(len(e.carry)))
	for _, a := range e.carry {
		doc, err := json.Marshal(a)
		if err != nil {
			return nil, fmt.Errorf("correlator: writing a checkpoint: alert %v: %w", a.ID, err)
		}
		w.text(string(doc))
	}
	if len(w.b) > maxCheckpoint {
		return nil, fmt.Errorf("correlator: writing a checkpoint: %d bytes of state are more than %d", len(w.b),
			maxCheckpoint)
	}
	return sealCheckpoint(w.b), nil
}

// sealCheckpoint packs a state behind its head.
func sealCheckpoint(state []byte) []byte {
	out := append([]byte(checkpointMagic), checkpointVersion, 0, 0, 0, 0)
	body := s2.Encode(nil, state)
	binary.LittleEndian.PutUint32(out[5:], crc32.Checksum(body, castagnoli))
	return append(out, body...)
}

// writeFacts writes every fact that anything refers to, in the order in which it is met.
func (e *Engine) writeFacts(w *stateWriter) {
	var list []*fact
	meet := func(f *fact) {
		if _, ok := w.facts[f]; !ok {
			w.facts[f] = uint64(len(list))
			list = append(list, f)
		}
	}
	for i := range e.tables {
		for g := e.tables[i].first; g != nil; g = g.next {
			for _, x := range g.window() {
				meet(x.f)
			}
		}
	}
	for i := range e.lanes {
		for _, p := range e.lanes[i].pending {
			meet(p.f)
		}
	}
	w.uint(uint64(len(list)))
	for _, f := range list {
		w.int(f.time)
		w.b = append(w.b, f.id[:]...)
		w.b = append(w.b, f.level)
		w.text(f.origin)
		w.texts(f.systems)
		w.texts(f.units)
		w.text(f.original)
		w.uint(uint64(len(f.fields)))
		for _, p := range f.fields {
			w.text(p.name)
			w.text(p.value)
		}
	}
}

// stateWriter appends values to the state.
type stateWriter struct {
	b     []byte
	facts map[*fact]uint64
}

func (w *stateWriter) int(v int64)   { w.b = binary.AppendVarint(w.b, v) }
func (w *stateWriter) uint(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *stateWriter) float(v float64) {
	w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v))
}

func (w *stateWriter) text(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *stateWriter) texts(list []string) {
	w.uint(uint64(len(list)))
	for _, s := range list {
		w.text(s)
	}
}

func (w *stateWriter) bool(v bool) {
	if v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func (w *stateWriter) lane(l *lane) {
	w.int(l.watermark)
	w.uint(uint64(len(l.pending)))
	for _, p := range l.pending {
		w.uint(w.facts[p.f])
		w.uint(uint64(len(p.hits)))
		for _, h := range p.hits {
			w.int(int64(h.correlation))
			w.int(int64(h.inner))
			w.uint(h.refs)
			w.text(h.key)
			w.text(h.val)
			w.float(h.num)
		}
	}
}

func (w *stateWriter) origin(o *origin) {
	w.text(o.Name)
	w.text(o.Host)
	w.text(o.Addr)
	w.text(o.Site)
	w.bool(o.flow)
	w.int(o.lateness)
	w.int(o.high)
	w.int(o.seen)
	w.bool(o.silent)
	w.int(o.skew.from)
	w.int(int64(o.skew.n))
	w.int(o.skew.min)
	w.int(o.skew.max)
	w.int(o.skew.told)
}

func (w *stateWriter) group(g *group) error {
	w.text(g.key)
	w.int(g.last)
	w.b = append(w.b, g.level)
	w.float(g.sum)
	w.uint(uint64(len(g.best)))
	for _, t := range g.best {
		w.int(t)
	}
	w.uint(uint64(len(g.window())))
	for _, x := range g.window() {
		w.uint(w.facts[x.f])
		w.uint(x.refs)
		w.text(x.val)
		w.float(x.num)
		w.bool(x.full)
	}
	w.bool(g.ep != nil)
	if g.ep == nil {
		return nil
	}
	ep := g.ep
	doc, err := json.Marshal(&ep.a)
	if err != nil {
		return fmt.Errorf("correlator: writing a checkpoint: alert %v: %w", ep.a.ID, err)
	}
	w.text(string(doc))
	w.int(ep.last)
	w.int(ep.emitted)
	w.uint(ep.turn)
	w.evidence(ep.first)
	w.evidence(append(ep.later[ep.oldest:len(ep.later):len(ep.later)], ep.later[:ep.oldest]...))
	return nil
}

func (w *stateWriter) evidence(list []alert.Evidence) {
	w.uint(uint64(len(list)))
	for _, x := range list {
		w.b = append(w.b, x.Event[:]...)
		w.int(x.Time)
		w.text(x.Original)
		w.uint(uint64(len(x.Fields)))
		for _, f := range x.Fields {
			w.text(f.Field)
			w.text(f.Value)
		}
	}
}
