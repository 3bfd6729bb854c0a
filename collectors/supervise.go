// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package collectors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// The pauses before a collector is started again: the first, the longest, and the run after which the first is due
// again.
const (
	firstPause  = time.Second
	longestWait = time.Minute
	goodRun     = time.Minute
)

// Supervised is a collector with what Supervise needs to look after it.
type Supervised struct {
	Name      string // as people know it: "syslog/main"
	Collector Collector
	Out       event.Writer
	Log       *slog.Logger // nil means slog.Default
	// Failed, if set, is called for every run that failed, before the pause; it must not block.
	Failed func(error)
}

// Supervise runs a collector until ctx is done, and again whenever it fails: after one second, then two, four, and so
// on up to a minute; a run of a minute starts the series anew. A panic counts as a failure and is logged with its
// stack. It returns when the collector has stopped, with the error of a last run that lost something, else nil.
func Supervise(ctx context.Context, s Supervised) error {
	log := s.Log
	if log == nil {
		log = slog.Default()
	}
	log = log.With("collector", s.Name)
	pause := firstPause
	for {
		start := time.Now()
		err := Guard(func() error { return s.Collector.Run(ctx, s.Out) })
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("collector %s: stopping: %w", s.Name, err)
			}
			return nil
		}
		if err == nil {
			err = errors.New("it returned although it was not stopped")
		}
		if time.Since(start) >= goodRun {
			pause = firstPause
		}
		attrs := []any{"error", err, "again_in", pause}
		var p *PanicError
		if errors.As(err, &p) {
			attrs = append(attrs, "stack", string(p.Stack))
		}
		log.Error("the collector failed and will be started again", attrs...)
		if s.Failed != nil {
			s.Failed(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, longestWait)
	}
}
