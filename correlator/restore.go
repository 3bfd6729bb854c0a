// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"container/heap"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"github.com/klauspost/compress/s2"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/spool"
)

// ErrCheckpoint is wrapped by the errors about checkpoints that cannot be read: an older one may do.
var ErrCheckpoint = errors.New("checkpoint is damaged or of another version")

// Restore makes an engine with the state of a checkpoint. Rules that the checkpoint does not know, or knows with
// another meaning, start empty; alerts of rules that are gone end with the first record that is processed.
func Restore(cfg Config, data []byte) (*Engine, error) {
	state, err := openCheckpoint(data)
	if err != nil {
		return nil, err
	}
	return restore(cfg, state)
}

func restore(cfg Config, state []byte) (*Engine, error) {
	e, err := New(cfg)
	if err != nil {
		return nil, err
	}
	r := &stateReader{b: state}
	r.engine(e)
	if r.bad || len(r.b) > 0 {
		return nil, fmt.Errorf("correlator: restoring: %w", ErrCheckpoint)
	}
	for _, m := range e.cursor.Marks() {
		e.at = spool.Position{Shard: m.Shard, Seq: m.Seq} // where alerts of rules that are gone end
	}
	e.use(cfg.Rules)
	e.carry, e.out = append(e.carry, e.out.Alerts...), Output{}
	for i := range e.rules.correlations {
		c := &e.rules.correlations[i]
		for g := e.tables[len(e.rules.detections)+i].first; g != nil; g = g.next {
			g.rebuild(c)
		}
	}
	return e, nil
}

func openCheckpoint(data []byte) ([]byte, error) {
	if len(data) < checkpointHeader || string(data[:len(checkpointMagic)]) != checkpointMagic {
		return nil, fmt.Errorf("correlator: reading a checkpoint: no checkpoint: %w", ErrCheckpoint)
	}
	if v := data[len(checkpointMagic)]; v != checkpointVersion {
		return nil, fmt.Errorf("correlator: reading a checkpoint: version %d, want %d: %w", v, checkpointVersion,
			ErrCheckpoint)
	}
	body := data[checkpointHeader:]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(data[5:]) {
		return nil, fmt.Errorf("correlator: reading a checkpoint: checksum: %w", ErrCheckpoint)
	}
	n, err := s2.DecodedLen(body)
	if err != nil || n > maxCheckpoint {
		return nil, fmt.Errorf("correlator: reading a checkpoint: length: %w", ErrCheckpoint)
	}
	state, err := s2.Decode(nil, body)
	if err != nil {
		return nil, fmt.Errorf("correlator: reading a checkpoint: %w: %w", ErrCheckpoint, err)
	}
	return state, nil
}

// rebuild computes what a window's entries imply and the checkpoint leaves out.
func (g *group) rebuild(c *correlation) {
	if c.kind != temporalOrdered || len(g.best) != len(c.refs) {
		g.best = nil
	}
	for _, x := range g.entries {
		switch c.kind {
		case valueCount:
			if g.distinct == nil {
				g.distinct = make(map[string]uint32)
			}
			g.distinct[x.val]++
		case temporal:
			g.seen = grow(g.seen, len(c.refs))
			for i := range c.refs {
				if x.refs&(1<<i) != 0 {
					g.seen[i]++
				}
			}
		}
	}
}

// stateReader reads what stateWriter wrote. After the first mistake everything reads as zero and bad is set; counts
// are never believed beyond the bytes that are left.
type stateReader struct {
	b     []byte
	bad   bool
	facts []*fact
}

func (r *stateReader) fail() { r.bad, r.b = true, nil }

func (r *stateReader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *stateReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *stateReader) bytes(n int) []byte {
	if n > len(r.b) {
		r.fail()
		return make([]byte, min(n, 16))
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *stateReader) byte() byte { return r.bytes(1)[0] }
func (r *stateReader) bool() bool { return r.byte() != 0 }
func (r *stateReader) float() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(r.bytes(8)))
}
func (r *stateReader) id() (id [16]byte) { copy(id[:], r.bytes(16)); return id }

// count reads the length of a list whose elements take at least one byte each.
func (r *stateReader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *stateReader) text() string {
	n := r.count()
	if n == 0 {
		return ""
	}
	return string(r.bytes(n))
}

func (r *stateReader) texts() []string {
	var list []string
	for range r.count() {
		list = append(list, r.text())
	}
	return list
}

// readFacts reads what writeFacts wrote.
func (r *stateReader) readFacts() {
	for range r.count() {
		f := &fact{time: r.int(), id: r.id(), level: r.byte(), origin: r.text(), systems: r.texts(), units: r.texts(),
			original: r.text()}
		for range r.count() {
			f.fields = append(f.fields, pair{r.text(), r.text()})
		}
		r.facts = append(r.facts, f)
	}
}

func (r *stateReader) engine(e *Engine) {
	r.readFacts()
	cursor, err := spool.ParseCursor(r.text())
	if err != nil {
		r.fail()
		return
	}
	e.cursor = cursor
	e.clock, e.down, e.gap, e.resumed = r.int(), r.int(), r.int(), r.int()
	e.turns = r.uint()
	for range r.count() {
		r.origin(e)
	}
	nd, nc := r.count(), r.count()
	old := &RuleSet{}
	var tables []table
	for i := 0; i < nd+nc && !r.bad; i++ {
		m := meta{hash: ""}
		m.rule.ID, m.hash = r.text(), r.text()
		if i < nd {
			old.detections = append(old.detections, detection{meta: m})
		} else {
			old.correlations = append(old.correlations, correlation{meta: m})
		}
		tables = append(tables, table{})
		for range r.count() {
			r.group(e, &tables[i], i)
		}
	}
	for i := range e.lanes {
		e.lanes[i].watermark = r.int()
		r.pending(&e.lanes[i], nc)
	}
	for range r.count() {
		a := &alert.Alert{}
		if err := json.Unmarshal([]byte(r.text()), a); err != nil {
			r.fail()
		}
		e.carry = append(e.carry, a)
	}
	slices.SortFunc(e.dirty, func(a, b change) int {
		if a.turn < b.turn {
			return -1
		}
		return 1
	})
	if !r.bad {
		e.rules, e.tables = old, tables
	}
}

func (r *stateReader) origin(e *Engine) {
	o := &origin{}
	o.Name, o.Host, o.Addr, o.Site = r.text(), r.text(), r.text(), r.text()
	o.flow, o.lateness, o.high, o.seen, o.silent = r.bool(), r.int(), r.int(), r.int(), r.bool()
	o.skew = skew{from: r.int(), n: int(r.int()), min: r.int(), max: r.int(), told: r.int()}
	if e.origins.byName == nil {
		e.origins.byName = make(map[string]*origin)
	}
	if r.bad || e.origins.byName[o.key()] != nil {
		r.fail()
		return
	}
	e.origins.byName[o.key()] = o
	e.origins.list = append(e.origins.list, o)
}

func (r *stateReader) group(e *Engine, t *table, at int) {
	key := r.text()
	g, isNew := t.get([]byte(key))
	if !isNew {
		r.fail()
		return
	}
	g.last, g.level, g.sum = r.int(), r.byte(), r.float()
	for range r.count() {
		g.best = append(g.best, r.int())
	}
	for range r.count() {
		x := entry{f: r.fact(), refs: r.uint(), val: r.text(), num: r.float(), full: r.bool()}
		if r.bad {
			return
		}
		if x.full {
			e.held++
		}
		g.entries = append(g.entries, x)
	}
	if !r.bool() {
		return
	}
	ep := &episode{table: at, g: g}
	if err := json.Unmarshal([]byte(r.text()), &ep.a); err != nil {
		r.fail()
		return
	}
	ep.last, ep.emitted, ep.turn = r.int(), r.int(), r.uint()
	ep.first, ep.later = r.evidence(), r.evidence()
	if r.bad || len(ep.first) > maxEvidence || len(ep.later) > maxEvidence {
		r.fail()
		return
	}
	e.held += ep.full()
	if ep.turn > 0 {
		e.dirty = append(e.dirty, change{ep, ep.turn})
	}
	g.ep = ep
	e.open++
}

func (r *stateReader) fact() *fact {
	n := r.uint()
	if n >= uint64(len(r.facts)) {
		r.fail()
		return nil
	}
	return r.facts[n]
}

func (r *stateReader) evidence() []alert.Evidence {
	var list []alert.Evidence
	for range r.count() {
		x := alert.Evidence{Event: r.id(), Time: r.int(), Original: r.text()}
		for range r.count() {
			x.Fields = append(x.Fields, alert.KV{Field: r.text(), Value: r.text()})
		}
		list = append(list, x)
	}
	return list
}

func (r *stateReader) pending(l *lane, correlations int) {
	for range r.count() {
		p := pendingEvent{f: r.fact()}
		for range r.count() {
			h := hit{correlation: int(r.int()), inner: int(r.int()), refs: r.uint(), key: r.text(), val: r.text(),
				num: r.float()}
			if h.correlation < 0 || h.correlation >= correlations || h.inner < -1 || h.inner >= correlations {
				r.fail()
			}
			p.hits = append(p.hits, h)
		}
		if r.bad {
			return
		}
		l.pending = append(l.pending, p)
	}
	heap.Init(&l.pending)
}
