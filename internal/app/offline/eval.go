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
	"time"

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
// by event, then rule. A correlation names the event that completes it. What cannot be read is told to problem. It
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
		// Nothing waits: each event is decided before the next one is read.
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
		var list []match
		for _, h := range r.Hits {
			list = append(list, match{v.set.Rule(h.Rule).Key(), v.n})
		}
		if v.engine != nil && len(r.Hits) > 0 {
			more, err := v.correlate(r.Event)
			if err != nil {
				return err
			}
			list = append(list, more...)
		}
		slices.SortStableFunc(list, func(a, b match) int {
			return cmp.Or(cmp.Compare(a.Event, b.Event), strings.Compare(a.Rule, b.Rule))
		})
		for _, m := range list {
			line, err := json.Marshal(m)
			if err != nil {
				return err
			}
			if _, err := v.out.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// correlate gives the event to the engine and names the correlations that it completes.
func (v *evaluation) correlate(e event.Event) (list []match, err error) {
	if v.builder == nil {
		v.builder = event.NewBuilder("file/events", 0)
	}
	b := v.builder
	b.Reset("file/events", 0)
	b.Begin(uint64(v.n), 0)
	id := b.ID()
	b.Copy(e)
	b.SetID(id)
	at := e.Time()
	if at == 0 {
		at = v.clock + int64(time.Second)
	}
	at = max(at, v.clock) // events of one instant, or out of order: a nanosecond apart, and never late
	b.Time(event.Timestamp, at)
	b.Time(event.EventCreated, at)
	b.End()
	v.clock = max(v.clock, at)
	records := []*spool.Record{
		{Kind: spool.KindBatches, Batches: []*event.Batch{b.Batch(uint64(v.n), uint64(v.n)+1)}},
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
			return nil, err
		}
		list = v.completed(list, out.Alerts)
	}
	return list, nil
}

func (v *evaluation) completed(list []match, alerts []*alert.Alert) []match {
	for _, a := range alerts {
		key, ok := v.correlations[a.Rule.ID]
		if ok && a.Update == 1 {
			list = append(list, match{key, v.n})
		}
	}
	return list
}
