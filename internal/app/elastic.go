// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/elastic"
)

// readerElastic keeps records in the spool until the cluster has them.
const readerElastic = "elastic"

// openElastic adds Elasticsearch, where it is configured, as a further reader of the spool: it has its own cursor
// beside the local store, and neither waits for the other. The cluster may be away.
func (a *App) openElastic() error {
	c := a.cfg.Elasticsearch
	if c == nil {
		return nil
	}
	cfg := elastic.Config{URLs: c.URLs, Username: c.Username, Password: string(c.Password), APIKey: string(c.APIKey),
		Dir:   filepath.Join(a.cfg.Data, "elastic"),
		Class: func(e event.Event) int { return a.inventory.Get().Retention(e) }}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return fmt.Errorf("elasticsearch: ca: %w", err)
		}
		cfg.CA = pem
	}
	st, err := elastic.Open(cfg)
	if err != nil {
		return err
	}
	a.elastic = st
	a.opt.Readers = append(a.opt.Readers[:len(a.opt.Readers):len(a.opt.Readers)], Reader{readerElastic,
		func(ctx context.Context, s *spool.Spool) error { return a.feedElastic(ctx, s) }})
	return nil
}

// feedElastic reads the spool into the cluster until ctx is done, and lets the spool forget what the cluster has.
// What failed stays in the driver and is tried again.
func (a *App) feedElastic(ctx context.Context, s *spool.Spool) error {
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		start := time.Now()
		err := a.feedElasticFrom(ctx, s)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(start) > time.Minute {
			pause = time.Second
		}
		a.log.Error("indexing in Elasticsearch stopped; nothing is lost while the spool has room", "error", err,
			"again_in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

func (a *App) feedElasticFrom(ctx context.Context, s *spool.Spool) error {
	sync := func(ctx context.Context) error {
		c, err := a.elastic.Sync(ctx)
		if err != nil {
			return err
		}
		return s.Trim(readerElastic, c)
	}
	next := time.Now().Add(a.cfg.Store.Sync)
	for r, err := range s.Read(ctx, a.elastic.Cursor()) {
		if err != nil {
			return err
		}
		if err := a.elastic.Append(ctx, &r); err != nil {
			return err
		}
		if time.Now().Before(next) {
			continue
		}
		if err := sync(ctx); err != nil {
			return err
		}
		next = time.Now().Add(a.cfg.Store.Sync)
	}
	if ctx.Err() == nil {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return sync(last)
}

// elasticMetrics are the driver's counts.
func (a *App) elasticMetrics(count func(name, help string, v uint64, labels ...string),
	gauge func(name, help string, v float64, labels ...string)) {
	if a.elastic == nil {
		return
	}
	n := a.elastic.Counts()
	count("elastic_events_total", "Documents that Elasticsearch took.", n.Stored)
	count("elastic_known_total", "Documents that Elasticsearch had already.", n.Known)
	count("elastic_dead_total", "Documents refused for good, kept in elastic/deadletters.ndjson.", n.Dead)
	count("elastic_waited_total", "Documents sent again because Elasticsearch could not keep up.", n.Waited)
	count("elastic_looked_up_total", "Ids looked up before they were created, after unknown outcomes.", n.LookedUp)
	count("elastic_clamped_total", "Events whose time was clamped.", n.Clamped)
	gauge("elastic_sequence", "Sequence of the last record that Elasticsearch has.",
		float64(a.elastic.Cursor().Seq(0)))
}
