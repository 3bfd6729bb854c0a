// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/dashboards/console/api"
	"github.com/haidang-soc/haidang/internal/app/client"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// dayStore fills a store of its own with n events of a day; change may alter one.
func dayStore(t *testing.T, day time.Time, n int, change func(i int, b *event.Builder)) *local.Store {
	t.Helper()
	s, err := local.Open(local.Config{Dir: t.TempDir(), Memory: 64 << 20, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b := event.NewBuilder("test", 1)
	for i := range n {
		b.Begin(uint64(i), 0)
		b.Time(event.Timestamp, day.Add(time.Duration(i)*time.Minute).UnixNano())
		b.Str(event.EventOriginal, fmt.Sprintf("dòng %d: đăng nhập", i))
		b.Str(event.HostName, "dvc-web-01")
		b.Extra("n", fmt.Sprint(i))
		change(i, b)
		b.End()
	}
	r := &spool.Record{At: spool.Position{Seq: 1}, Incarnation: "X", Kind: spool.KindBatches,
		Batches: []*event.Batch{b.Batch(0, uint64(n))}}
	if err := s.Append(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDayManifest: the same events have the same manifest in another store; any change of one gives another.
func TestDayManifest(t *testing.T) {
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -3)
	same := func(int, *event.Builder) {}
	manifest := func(n int, change func(int, *event.Builder)) *DayManifest {
		m, err := dayManifest(t.Context(), dayStore(t, day, n, change), 365, day)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := manifest(50, same)
	if first.Count != 50 {
		t.Fatalf("%d events", first.Count)
	}
	if again := manifest(50, same); !again.same(first) {
		t.Errorf("%+v is not %+v", again, first)
	}
	for what, m := range map[string]*DayManifest{
		"an event taken out": manifest(49, same),
		"an event added":     manifest(51, same),
		"a text changed": manifest(50, func(i int, b *event.Builder) {
			if i == 25 {
				b.Str(event.HostName, "dvc-web-02")
			}
		}),
		"a cold field changed": manifest(50, func(i int, b *event.Builder) {
			if i == 49 {
				b.Extra("n", "0")
			}
		}),
		"a time changed": manifest(50, func(i int, b *event.Builder) {
			if i == 3 {
				b.Time(event.Timestamp, day.Add(3*time.Minute+1).UnixNano())
			}
		}),
		"an id changed": manifest(50, func(i int, b *event.Builder) {
			if i == 7 {
				b.SetID(event.MakeID("other", 1, 7, 0))
			}
		}),
	} {
		if m.same(first) {
			t.Errorf("%s: nothing differs", what)
		}
	}
}

// TestManifestChain: a line that was changed or taken out breaks the chain, one that was cut short does not.
func TestManifestChain(t *testing.T) {
	path := filepath.Join(t.TempDir(), manifestFile)
	last := ""
	for i := range 4 {
		var err error
		if last, err = appendManifest(path, &DayManifest{Day: fmt.Sprintf("2026-11-%02d", i+1), Class: 365, Prev: last}); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	for _, x := range []struct {
		name, text string
		lines      int
		broken     bool
	}{
		{"whole", string(whole), 4, false},
		{"cut short", string(whole[:len(whole)-5]), 3, false},
		{"changed", strings.Replace(string(whole), "2026-11-02", "2026-11-22", 1), 2, true},
		{"taken out", lines[0] + lines[2] + lines[3], 1, true},
		{"the first taken out", lines[1] + lines[2], 0, true},
	} {
		if err := os.WriteFile(path, []byte(x.text), 0o600); err != nil {
			t.Fatal(err)
		}
		list, _, err := readManifests(path)
		if len(list) != x.lines || (err != nil) != x.broken {
			t.Errorf("%s: %d lines, %v", x.name, len(list), err)
		}
	}
}

// TestVerifyDay closes a day on a server and verifies it over the API, before and after its manifest was forged.
func TestVerifyDay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	a, _ := startIn(t, dir, "builtin_rules: false\nstore: {sync: 1s}\n")
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -2)
	b := event.NewBuilder("test", 1)
	for i := range 20 {
		b.Begin(uint64(i), 0)
		b.Time(event.Timestamp, day.Add(time.Duration(i)*time.Hour).UnixNano())
		b.Str(event.EventOriginal, "Đăng nhập")
		b.End()
	}
	if err := a.spool.Write(t.Context(), b.Batch(0, 20)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the events in the index", func() bool { return a.store.Counts().Stored >= 20 })
	if err := a.closeDays(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	remote, err := client.New(client.Config{Data: dir})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() (v api.DayVerification) {
		if err := remote.Do(t.Context(), "GET", "/verification/events?day="+day.Format(time.DateOnly), nil, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := ask(); v.Events != 20 || len(v.Differences) > 0 {
		t.Errorf("a day in order: %+v", v)
	}
	// One more event of that day comes after it was closed.
	b.Reset("test", 1)
	b.Begin(20, 0)
	b.Time(event.Timestamp, day.Add(time.Minute).UnixNano())
	b.End()
	if err := a.spool.Write(t.Context(), b.Batch(20, 21)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the event in the index", func() bool { return a.store.Counts().Stored >= 21 })
	if v := ask(); len(v.Differences) != 1 || !strings.Contains(v.Differences[0], "21 events, 20 when the day was closed") {
		t.Errorf("a day with one more event: %+v", v)
	}
	var r api.Retention
	if err := remote.Do(t.Context(), "GET", "/retention", nil, &r); err != nil || len(r.Classes) == 0 || r.Free <= 0 {
		t.Errorf("retention: %+v %v", r, err)
	}
}

// TestForecast: the disk fills at the week's rate, unless the class lets go of as much before.
func TestForecast(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	usage := func(class, days int, perDay int64) local.Usage {
		u := local.Usage{Class: class, Bytes: map[time.Time]int64{}}
		for i := 1; i <= days; i++ {
			u.Bytes[now.Truncate(24*time.Hour).AddDate(0, 0, -i)] = perDay
		}
		return u
	}
	for _, x := range []struct {
		name string
		free int64
		left int
		fits bool
		list []local.Usage
	}{
		{"young, small disk", 1000, 10, false, []local.Usage{usage(365, 7, 100)}},
		{"young, large disk", 40000, 0, true, []local.Usage{usage(365, 7, 100)}},
		{"its days are full already", 100, 0, true, []local.Usage{usage(30, 30, 100)}},
		{"two classes", 1000, 5, false, []local.Usage{usage(365, 7, 100), usage(730, 7, 100)}},
		{"no room", 0, 0, false, []local.Usage{usage(365, 7, 100)}},
		{"of yesterday only", 1000, 10, false, []local.Usage{usage(365, 1, 100)}},
	} {
		r := forecast(x.list, x.free, now)
		c := r.Classes[0]
		if c.Fits != x.fits || !x.fits && c.DaysLeft != x.left {
			t.Errorf("%s: %d days left, fits %v; want %d, %v", x.name, c.DaysLeft, c.Fits, x.left, x.fits)
		}
	}
}
