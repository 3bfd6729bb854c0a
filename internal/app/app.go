// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package app wires the program: it is the only package that knows all the others.
//
// It follows the sentence of the design from left to right: collectors write to the decoders, those to the spool; the
// store and the correlator read the spool; the alert log feeds the sinks. Open opens in that order and touches the disk
// only; Run starts what moves; Close undoes Open in reverse. What a stage does when the next one cannot keep up is the
// stage's own business: nothing here buffers or drops.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/decoders"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/ledger"
	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/spool/ingest"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/elastic"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// ListenFunc hands over sockets that a parent process holds: a net.PacketConn for network "udp", a net.Listener for
// "tcp"; neither and no error means that there is none for the address, and the program opens its own.
type ListenFunc = func(ctx context.Context, network, address string) (net.Listener, net.PacketConn, error)

// Options are what a server is made of.
type Options struct {
	Config *config.Config
	// Load reads the configuration anew for Reload; nil keeps the one given.
	Load   func() (*config.Config, error)
	Log    *slog.Logger // nil is slog.Default
	Listen ListenFunc   // nil opens every socket itself
	// NoSync leaves out the fsync after each record, for replays and tests whose data may be lost.
	NoSync bool
	// Tick is the time between ticks of the stream; 0 is a second, negative none.
	Tick time.Duration
	// Clock is the time that events are received at and the stream runs by; nil is the system's. A story told faster than
	// it happened brings its own.
	Clock spool.TimeSource
	// StoreDown runs without the store: events are collected and correlated, and kept in the spool for a later start.
	StoreDown bool
	// Readers read the spool as well.
	Readers []Reader
	// Checkpoint is the time between checkpoints of the correlator; 0 is its own choice.
	Checkpoint time.Duration
}

// App is an open server. Its methods are safe for concurrent use.
type App struct {
	opt       Options
	cfg       *config.Config
	log       *slog.Logger
	lock      *os.File
	inventory *asset.Holder
	setups    *setups
	nats      *spool.Server
	spool     *spool.Spool
	decode    *decoders.Writer
	store     *local.Store
	elastic   *elastic.Store // nil when there is none
	alerts    *alert.Log
	people    *access.Store
	audit     *access.Audit
	tail      *auditTail
	sinks     *sinks.Set
	engine    *correlator.Engine
	saver     *correlator.Checkpointer
	listeners []listener
	relays    func(netip.Addr) bool // nil when there are none
	ledger    *ledger.Ledger
	intake    event.Writer   // the decoders, counted
	booked    store.Appender // the store, counted

	zones zoneDecisions

	started    time.Time
	correlated atomic.Pointer[correlation]
	// indexStopped says why nothing is indexed now; nil when all is well.
	indexStopped atomic.Pointer[string]
	indexed      atomic.Uint64 // sequence of the last record that the store has safe
	reached      atomic.Int64  // clock of the last record that the store was given
	reloading    sync.Mutex
	closing      sync.Mutex    // held while days are closed
	ready        chan struct{} // closed once the listeners were started
	addresses    addresses
	ingest       atomic.Pointer[ingest.Handler]
	webRefused   atomic.Pointer[atomic.Uint64] // connections
}

// the readers of the spool; records are kept until each has them safe elsewhere.
const (
	readerStore      = "store"
	readerCorrelator = "correlator"
)

// Open opens everything under the data directory and replays what the last stop left to do. The caller closes it. An
// error says what to mend.
func Open(ctx context.Context, opt Options) (a *App, err error) {
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	a = &App{opt: opt, cfg: opt.Config, log: opt.Log, started: time.Now(), ready: make(chan struct{}),
		tail: newAuditTail()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
			a = nil
		}
	}()
	if a.lock, err = openData(a.cfg.Data); err != nil {
		return a, err
	}
	a.relays = relays(a.cfg)
	if err = a.openPolicy(ctx); err != nil {
		return a, err
	}
	if err = a.openElastic(); err != nil {
		return a, err
	}
	if err = a.openSpool(ctx); err != nil {
		return a, err
	}
	if err = a.openPeople(ctx); err != nil {
		return a, err
	}
	if a.alerts, err = alert.Open(ctx, alert.Config{JS: a.nats.JetStream(),
		Room: func() error { return a.nats.Room(0.5) }}); err != nil {
		return a, err
	}
	if broken := a.alerts.Broken(); broken != nil {
		a.log.Error("the alert log was tampered with or damaged; see haidang alerts verify", "error", broken)
	}
	if err = a.openStore(); err != nil {
		return a, err
	}
	if err = a.openEngine(); err != nil {
		return a, err
	}
	if err = a.openLedger(); err != nil {
		return a, err
	}
	if a.sinks, err = a.newSinks(); err != nil {
		return a, err
	}
	a.listeners, err = a.newListeners()
	return a, err
}

func (a *App) openPolicy(ctx context.Context) (err error) {
	if a.inventory, err = asset.NewHolder(ctx, asset.File{Config: AssetConfig(a.cfg)}); err != nil {
		return err
	}
	var refused []sigma.Refusal
	a.setups, refused, err = newSetups(a.cfg, a.inventory.Get())
	a.tellRefused(refused)
	return err
}

func (a *App) openSpool(ctx context.Context) (err error) {
	a.nats, err = spool.OpenServer(spool.ServerConfig{Dir: a.cfg.Data, Reserve: a.cfg.Spool.Reserve,
		NoSync: a.opt.NoSync, Log: a.log})
	if err != nil {
		return err
	}
	a.spool, err = spool.Open(ctx, a.nats, spool.Config{Readers: a.readers(),
		MaxBytes: a.cfg.Spool.MaxBytes, Tick: a.opt.Tick, Log: a.log, OnSkew: a.clockOff, Clock: a.opt.Clock})
	if err != nil {
		return err
	}
	origins := newOrigins(a.cfg)
	a.decode = &decoders.Writer{
		Set:      decoders.New(decoders.Config{}),
		Next:     a.spool,
		Enrich:   a.enrich,
		Origin:   origins.of,
		Strict:   strict(a.cfg),
		Zones:    a.newZones(origins),
		Panicked: func(v any) { a.log.Error("a decoder panicked; its line was kept undecoded", "panic", v) },
	}
	return nil
}

// enrich says who speaks, and which systems the event touches.
func (a *App) enrich(b *event.Builder, site string) {
	if !b.Has(event.HaidangOrigin) {
		if id := b.Text(event.AgentID); id != "" {
			b.Str(event.HaidangOrigin, id)
		} else if v, ok := b.Get(event.ObserverIP); ok {
			var room [64]byte
			text := v.At(0).AppendText(room[:0])
			if a.relays != nil && a.relays(v.At(0).IP()) { // behind a relay senders are told apart by name
				text = append(append(text, ' '), b.Text(event.HostName)...)
			}
			b.Bytes(event.HaidangOrigin, text)
		}
	}
	a.inventory.Get().Enrich(b, site)
}

func (a *App) openStore() (err error) {
	if a.opt.StoreDown {
		a.log.Error("the store is down: events are collected, correlated and kept in the spool, but cannot be searched")
		return nil
	}
	a.store, err = local.Open(local.Config{Dir: a.cfg.StoreDir(), Memory: a.cfg.Store.Memory,
		Reserve: a.cfg.Store.Reserve,
		Class:   func(e event.Event) int { return a.inventory.Get().Retention(e) },
		Expired: func(e event.Event) { a.ledger.Expired(e) }})
	return err
}

func (a *App) openEngine() (err error) {
	setup := a.setups.current()
	a.saver = &correlator.Checkpointer{Dir: filepath.Join(a.cfg.Data, "correlator"), Every: a.opt.Checkpoint}
	var damaged []error
	a.engine, damaged, err = a.saver.Load(correlator.Config{Rules: setup.Rules, Policy: setup.Policy,
		Inventory: setup.Inventory, Switch: a.setups.follow, Relays: Relays(a.cfg)})
	for _, d := range damaged {
		a.log.Error("a checkpoint of the correlator is damaged; an older one is used, and the spool replayed", "error", d)
	}
	if err != nil {
		return fmt.Errorf("correlator: restoring its state: %w; move %s away to start it afresh", err, a.saver.Dir)
	}
	return nil
}

func (a *App) clockOff(d time.Duration) {
	a.log.Warn("the clock was set: stream time and wall clock differ", "difference", d)
}

// Alerts returns the alert log.
func (a *App) Alerts() *alert.Log { return a.alerts }

// Ready is closed once every listener was started.
func (a *App) Ready() <-chan struct{} { return a.ready }

// Run collects, indexes, correlates and sends until ctx is done; then it stops in the order of the sentence, so that
// what was taken in is safe, and returns nil. It returns earlier only with the error of a stage that cannot go on.
func (a *App) Run(ctx context.Context) error {
	web, err := a.listenHTTP(ctx)
	if err != nil {
		return err
	}
	g, work := errgroup.WithContext(context.WithoutCancel(ctx))
	work, stop := context.WithCancel(work)
	defer stop()
	if a.store != nil {
		g.Go(func() error { return named("store", a.index(work)) })
	}
	g.Go(func() error { return named("correlator", a.correlate(work)) })
	g.Go(func() error { return named("alert log", a.alerts.Run(work)) })
	g.Go(func() error { return named("alerts to the spool", a.signals(work)) })
	g.Go(func() error { return named("time zones", a.keepZones(work)) })
	g.Go(func() error { return named("sinks", a.sinks.Run(work)) })
	g.Go(func() error { return named("daily", a.daily(work)) })
	g.Go(func() error { return named("ledger", a.keepLedger(work)) })
	g.Go(func() error { return named("audit to the spool", a.auditEvents(work)) })
	if a.opt.StoreDown {
		g.Go(func() error { return named("server", a.tellStoreDown(work)) })
	}
	for _, r := range a.opt.Readers {
		g.Go(func() error { return named("reader "+r.Name, r.Run(work, a.spool)) })
	}
	// What takes in stops first: the others deal with what it took.
	in, refuse := context.WithCancel(ctx)
	defer refuse()
	defer context.AfterFunc(work, refuse)()
	var intake sync.WaitGroup
	for stage, run := range map[string]func(context.Context) error{"http": web.run, "collectors": a.collect} {
		intake.Add(1)
		g.Go(func() error {
			defer intake.Done()
			return named(stage, run(in))
		})
	}
	close(a.ready)
	select {
	case <-ctx.Done():
		intake.Wait()
	case <-work.Done():
	}
	stop()
	return g.Wait()
}

func named(stage string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("%s: %w", stage, err)
}

// Close closes what Open opened, in reverse. It may be called after a failed Open.
func (a *App) Close() error {
	var errs []error
	if a.ledger != nil {
		errs = append(errs, a.ledger.Save())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if a.elastic != nil {
		errs = append(errs, a.elastic.Close())
	}
	if a.spool != nil {
		errs = append(errs, a.spool.Close())
	}
	if a.nats != nil {
		errs = append(errs, a.nats.Close())
	}
	if a.audit != nil {
		errs = append(errs, a.audit.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	return errors.Join(errs...)
}
