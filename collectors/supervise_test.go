// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package collectors

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// collectorFunc is a Collector made of a function.
type collectorFunc func(ctx context.Context) error

func (f collectorFunc) Run(ctx context.Context, _ event.Writer) error { return f(ctx) }

func TestSuperviseBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		var starts []int
		run := collectorFunc(func(ctx context.Context) error {
			starts = append(starts, int(time.Since(start)/time.Second))
			switch len(starts) {
			case 9: // a good run, after which the pauses start anew
				time.Sleep(time.Minute)
			case 11:
				cancel()
				<-ctx.Done()
				return nil
			}
			return errors.New("the port is in use")
		})
		failures := 0
		err := Supervise(ctx, Supervised{Name: "test", Collector: run, Log: slog.New(slog.DiscardHandler),
			Failed: func(error) { failures++ }})
		want := []int{0, 1, 3, 7, 15, 31, 63, 123, 183, 244, 246}
		if err != nil || !slices.Equal(starts, want) {
			t.Errorf("starts at %v, error %v; want %v", starts, err, want)
		}
		if failures != 10 {
			t.Errorf("Failed was called %d times, want 10", failures)
		}
	})
}

func TestSuperviseRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var log bytes.Buffer
		runs := 0
		run := collectorFunc(func(context.Context) error {
			if runs++; runs == 1 {
				panic("index out of range")
			}
			cancel()
			return nil
		})
		err := Supervise(ctx, Supervised{Name: "test", Collector: run, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil || runs != 2 {
			t.Errorf("%d runs, error %v; want 2 and none", runs, err)
		}
		for _, want := range []string{"index out of range", "supervise_test.go", "level=ERROR", "collector=test"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, log.String())
			}
		}
	})
}

func TestSuperviseReportsLossAtStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		lost := errors.New("3 events lost")
		run := collectorFunc(func(context.Context) error { cancel(); return lost })
		if err := Supervise(ctx, Supervised{Collector: run, Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, lost) {
			t.Errorf("error %v, want %v", err, lost)
		}
	})
}

func TestGuardKeepsErrorsAndPanics(t *testing.T) {
	cause := errors.New("cause")
	if err := Guard(func() error { return cause }); err != cause {
		t.Errorf("an error came back as %v", err)
	}
	var p *PanicError
	if err := Guard(func() error { panic(cause) }); !errors.As(err, &p) || !errors.Is(err, cause) || len(p.Stack) == 0 {
		t.Errorf("a panic came back as %v", err)
	}
}
