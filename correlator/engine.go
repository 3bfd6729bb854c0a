// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"errors"
	"fmt"
	"time"

	"github.com/haidang-soc/haidang/correlator/sigma/eval"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// SourceDerived is the source of the events that the engine itself makes of the stream: silence and clock skew. They
// are matched where they are made; read back from the stream they are passed over.
const SourceDerived = "derived"

// SourceAlerts is the source under which alerts are kept as events; the engine passes them over.
const SourceAlerts = "alerts"

// Setup is what a control record of the stream may put in the place of what was there. A nil member stays as it is.
type Setup struct {
	Rules     *RuleSet
	Policy    *Policy
	Inventory *Inventory
}

// Origin is who speaks, as its first event said it.
type Origin struct {
	Name string // haidang.origin, else agent.id, else observer.ip, and host.name behind a relay
	Host string // host.name
	Addr string // observer.ip
	Site string // haidang.site
}

// Limits bound the engine's memory. What is over a limit is counted in Stats, never silently lost. Zero means the
// default.
type Limits struct {
	Groups   int // of one rule; default 100,000. The group that was quiet longest makes room.
	Window   int // events in one window; default 10,000. The oldest makes room.
	Evidence int // events in all windows and alerts that keep text and fields, not only id and time; default 200,000
	Pending  int // matches that wait for the watermark; default 500,000. The watermark then moves early.
	Origins  int // default 65,536; the surplus is the origin "other"
}

// Config is what an engine is made of. Rules and Policy must be set.
type Config struct {
	Rules     *RuleSet
	Policy    *Policy
	Inventory *Inventory           // nil: alerts name systems by id only, and no silence is minded
	Relays    func(ip string) bool // whether an observer.ip is a relay of ours, whose senders are told apart by host
	Switch    func(control any) (Setup, error)

	Lateness      time.Duration // of an origin that sends to us directly; default 2 s
	RelayLateness time.Duration // of one behind an agent or relay; default 60 s
	Idle          time.Duration // after which an origin no longer holds the watermark; default 30 s
	Skew          time.Duration // how far a clock may be off before that is an event; default 60 s
	Limits        Limits
}

// Output is what one record caused, in the order in which it was caused.
type Output struct {
	Alerts  []*Alert
	Derived []*Batch // to be appended to the stream, for the stores
}

// Engine is the state of correlation after a record. One goroutine may use it at a time. Process never blocks.
type Engine struct {
	cfg    Config
	rules  *RuleSet
	policy *asset.Policy
	inv    *asset.Inventory

	cursor  spool.Cursor
	clock   int64 // stream time, unix ns
	down    int64 // ns for which no record came: nobody could have been heard
	gap     int64 // the last such time, ns
	resumed int64 // listening time (clock - down) when it ended
	origins originTable
	lanes   [lanes]lane
	tables  []table // of detections, then of correlations
	dirty   []change
	turns   uint64 // numbers the changes
	held    int    // entries and evidence with text and fields
	open    int    // episodes
	stats   Stats

	at      spool.Position
	out     Output
	carry   []*alert.Alert               // of Restore, for the output of the next record
	told    func(table int, id event.ID) // of Decide: a rule is true of an event
	builder *event.Builder
	scratch scratch
}

// scratch is memory that Process uses again and again.
type scratch struct {
	key   []byte
	name  []byte
	hits  []int
	truth []truth
	merge []hit
	ids   []event.FieldID
	text  []byte
	ends  []int
	eval  eval.Scratch
}

// Stats counts what happened since the engine was made or restored. Every figure but Origins, Groups, Episodes and
// Pending only rises.
type Stats struct {
	Records, Events, Matches, Emissions uint64
	Late                                uint64 // matches too late for any window
	MissingGroup                        uint64 // matches without a group-by value
	MissingValue                        uint64 // matches without the value to be counted or summed
	GroupsDropped                       uint64 // by Limits.Groups
	EntriesDropped                      uint64 // by Limits.Window
	EvidenceThinned                     uint64 // by Limits.Evidence
	Forced                              uint64 // times the watermark moved early, by Limits.Pending
	Future                              uint64 // events more than 5 s ahead of stream time
	OriginsOver                         uint64 // events of origins beyond Limits.Origins
	SwitchErrors                        uint64 // control records that could not be followed

	Origins, Groups, Episodes, Pending int   // now
	Watermark, Clock                   int64 // the lowest watermark; stream time
}

// New makes an engine with no state.
func New(cfg Config) (*Engine, error) {
	if cfg.Rules == nil || cfg.Policy == nil {
		return nil, errors.New("correlator: making an engine: rules and policy must be set")
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&cfg.Lateness, 2*time.Second)
	def(&cfg.RelayLateness, time.Minute)
	def(&cfg.Idle, 30*time.Second)
	def(&cfg.Skew, time.Minute)
	least := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	least(&cfg.Limits.Groups, 100_000)
	least(&cfg.Limits.Window, 10_000)
	least(&cfg.Limits.Evidence, 200_000)
	least(&cfg.Limits.Pending, 500_000)
	least(&cfg.Limits.Origins, 65_536)
	e := &Engine{cfg: cfg, policy: cfg.Policy, inv: cfg.Inventory, builder: event.NewBuilder(SourceDerived, 0)}
	e.use(cfg.Rules)
	return e, nil
}

// Process takes the next record of the stream. The output is the caller's. An error means that the record is not the
// next one, and changes nothing.
func (e *Engine) Process(r *Record) (Output, error) {
	if e.cursor.Has(r.At) {
		return Output{}, fmt.Errorf("correlator: processing record %v: it was processed before", r.At)
	}
	e.cursor = e.cursor.Advance(r)
	e.at = r.At
	e.out, e.carry = Output{Alerts: e.carry}, nil
	e.stats.Records++
	e.pass(r.Clock)
	switch r.Kind {
	case spool.KindBatches:
		for _, b := range r.Batches {
			if src := b.Source(); src == SourceDerived || src == SourceAlerts {
				continue
			}
			for i := range b.Len() {
				ev := b.At(i)
				e.hear(ev)
				e.match(ev)
			}
		}
	case spool.KindTick:
		e.tick()
	case spool.KindControl:
		e.control(r.Control)
	}
	return e.out, nil
}

// Cursor returns the place after the last record that was processed.
func (e *Engine) Cursor() Cursor { return e.cursor }

// Rules returns the rule set in use.
func (e *Engine) Rules() *RuleSet { return e.rules }

// Stats returns the counts so far.
func (e *Engine) Stats() Stats {
	s := e.stats
	s.Origins, s.Watermark, s.Clock = len(e.origins.list), e.lanes[mixedLane].watermark, e.clock
	for i := range e.lanes {
		s.Pending += len(e.lanes[i].pending)
	}
	s.Episodes = e.open
	for i := range e.tables {
		s.Groups += len(e.tables[i].groups)
	}
	return s
}

// Horizon returns how far beyond its last event the stream must run until everything it caused is decided: the longest
// timespan and lateness, and the hour after which a detection's episode ends.
func (e *Engine) Horizon() time.Duration {
	longest := detectionSpan
	for i := range e.rules.correlations {
		longest = max(longest, e.rules.correlations[i].span*int64(time.Millisecond))
	}
	return time.Duration(longest) + e.cfg.RelayLateness + e.cfg.Idle + 2*time.Second
}

// pass moves stream time on. Without a record for 10 s nobody listened, for there is a tick each second: silence in
// that time is not the senders', and they may still have what nobody took.
func (e *Engine) pass(clock int64) {
	if gap := clock - e.clock; e.clock > 0 && gap > int64(10*time.Second) {
		e.down += gap
		e.gap, e.resumed = gap, clock-e.down
	}
	e.clock = max(e.clock, clock)
}

// tick moves the watermark and does everything that time alone decides.
func (e *Engine) tick() {
	e.listen()
	e.drain()
	e.close()
	e.update()
}

func (e *Engine) control(c any) {
	if e.cfg.Switch == nil {
		return
	}
	s, err := e.cfg.Switch(c)
	if err != nil {
		e.stats.SwitchErrors++
		return
	}
	if s.Policy != nil {
		e.policy = s.Policy
	}
	if s.Inventory != nil {
		e.inv = s.Inventory
		e.origins.forget()
	}
	if s.Rules != nil {
		e.use(s.Rules)
	}
}
