// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/correlator/sigma/eval"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// match is one line of the output: a rule by id, else title, and the number of an event, from 1 over all files.
type match struct {
	Rule  string `json:"rule"`
	Event int    `json:"event"`
}

// Input is one file of events; Name is for problems.
type Input struct {
	Name string
	io.Reader
}

// Eval evaluates rules over events, read as JSON documents, and writes what matches as one JSON object a line, ordered
// by event, then rule. A correlation sees the events in the order of their times and names the one that completes it.
// Where there are correlations, what matches is kept in memory to the end. What cannot be read is told to problem. It
// returns the rules that were refused.
func Eval(ctx context.Context, rules *sigma.Collection, inputs []Input, w io.Writer, problem func(error)) (
	[]sigma.Refusal, error) {
	mapping, err := eval.DefaultMapping()
	if err != nil {
		return nil, err
	}
	set, refused := eval.Compile(rules.Rules, mapping)
	refused = append(slices.Clone(rules.Refusals), refused...)
	v := &evaluation{set: set, out: w, problem: problem}
	if len(rules.Correlations) > 0 {
		compiled, more := correlator.Compile(rules)
		for _, r := range more {
			if !slices.ContainsFunc(refused, func(x sigma.Refusal) bool { return x.Error() == r.Error() }) {
				refused = append(refused, r)
			}
		}
		inv, err := asset.Load(asset.Config{})
		if err != nil {
			return refused, err
		}
		// Nothing is late: the events come in order, and each is decided before the next.
		v.engine, err = correlator.New(correlator.Config{Rules: compiled, Policy: inv.Policy(),
			Lateness: 1, RelayLateness: 1, Idle: 1})
		if err != nil {
			return refused, err
		}
		v.correlations = map[string]string{}
		for _, c := range rules.Correlations {
			v.correlations[c.Key()] = c.Key()
		}
	}
	for _, in := range inputs {
		if err := v.read(ctx, in); err != nil {
			return refused, err
		}
	}
	if v.engine != nil {
		return refused, v.finish()
	}
	return refused, nil
}

type evaluation struct {
	set          *eval.Set
	engine       *correlator.Engine
	correlations map[string]string // by key, what the engine calls a rule
	out          io.Writer
	problem      func(error)
	n            int
	seq          uint64
	clock        int64
	builder      *event.Builder
	matches      []match   // kept to the end when there are correlations
	waiting      []waiting // for the correlations
}

// waiting is an event that a detection matches.
type waiting struct {
	n    int
	at   int64 // event time; of an event without one, that of the event before it
	what event.Event
}

func (v *evaluation) read(ctx context.Context, in Input) error {
	for r, err := range v.set.Evaluate(in.Reader, v.n+1) {
		if err != nil {
			return fmt.Errorf("rules eval: reading %s: %w", in.Name, err)
		}
		v.n = r.N
		if r.Err != nil {
			v.problem(fmt.Errorf("%s:%d: %w", in.Name, r.Line, r.Err))
		}
		for _, h := range r.Hits {
			v.matches = append(v.matches, match{v.set.Rule(h.Rule).Key(), v.n})
		}
		if t := r.Event.Time(); t != 0 {
			v.clock = t
		}
		if v.engine != nil {
			if len(r.Hits) > 0 {
				v.waiting = append(v.waiting, waiting{v.n, v.clock, r.Event})
			}
		} else if err := v.write(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// write writes the matches gathered so far, in order.
func (v *evaluation) write() error {
	slices.SortStableFunc(v.matches, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), strings.Compare(a.Rule, b.Rule))
	})
	for _, m := range v.matches {
		line, err := json.Marshal(m)
		if err != nil {
			return err
		}
		if _, err := v.out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	v.matches = v.matches[:0]
	return nil
}

// finish gives the events to the correlations in the order of their times, whatever the order of the input, and writes
// everything.
func (v *evaluation) finish() error {
	slices.SortStableFunc(v.waiting, func(a, b waiting) int { return cmp.Compare(a.at, b.at) })
	v.clock = 0
	for _, w := range v.waiting {
		if err := v.correlate(w); err != nil {
			return err
		}
	}
	return v.write()
}

// correlate gives the event to the engine and notes the correlations that it completes.
func (v *evaluation) correlate(w waiting) error {
	if v.builder == nil {
		v.builder = event.NewBuilder("file/events", 0)
	}
	b := v.builder
	b.Reset("file/events", 0)
	b.Begin(uint64(w.n), 0)
	id := b.ID()
	b.Copy(w.what)
	b.SetID(id)
	at := max(w.at, v.clock+1) // events of one instant are a few nanoseconds apart, so that none is late
	b.Time(event.Timestamp, at)
	b.Time(event.EventCreated, at)
	b.End()
	v.clock = at
	records := []*spool.Record{
		{Kind: spool.KindBatches, Batches: []*event.Batch{b.Batch(uint64(w.n), uint64(w.n)+1)}},
		{Kind: spool.KindTick},
	}
	for _, r := range records {
		v.seq++
		r.At, r.Incarnation = spool.Position{Seq: v.seq}, "EVAL"
		if r.Kind == spool.KindTick {
			v.clock += 2
		}
		r.Clock = v.clock
		out, err := v.engine.Process(r)
		if err != nil {
			return err
		}
		v.completed(out.Alerts, w.n)
	}
	return nil
}

func (v *evaluation) completed(alerts []*alert.Alert, n int) {
	for _, a := range alerts {
		key, ok := v.correlations[a.Rule.ID]
		if ok && a.Update == 1 {
			v.matches = append(v.matches, match{key, n})
		}
	}
}
