// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/app/client"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/backup"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store"
)

const backupConfig = `
builtin_rules: false
rules: [%q]
store: {sync: 1s}
collectors:
  - syslog: {name: main, listen: "127.0.0.1:0", protocol: tcp}
`

// startIn runs a server on a data directory until stop is called.
func startIn(t *testing.T, dir, yaml string) (a *App, stop func()) {
	t.Helper()
	c, err := config.Parse(filepath.Join(dir, "..", "haidang.yml"), fmt.Appendf(nil,
		"data: %q\nhttp: {listen: \"127.0.0.1:0\"}\nspool: {reserve: 1}\n%s", dir, yaml))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err = Open(t.Context(), Options{Config: c, Log: log, Checkpoint: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	<-a.Ready()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, a.Close()); err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
	t.Cleanup(stop)
	return a, stop
}

// load sends numbered lines over TCP until stop is called, which returns how many.
func load(t *testing.T, a *App) (stop func() int) {
	t.Helper()
	conn := dial(t, a, "tcp")
	quit, sent := make(chan struct{}), make(chan int, 1)
	go func() {
		defer conn.Close()
		n := 0
		defer func() { sent <- n }()
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for {
			select {
			case <-quit:
				return
			case <-pace.C:
			}
			for range 5 {
				_, err := fmt.Fprintf(conn, "<38>%s dvc-web-01 sshd[%d]: Failed password for root from 203.0.113.%d port 40001 ssh2\n",
					time.Now().Format(time.Stamp), n, n/500%250)
				if err != nil {
					return
				}
				n++
			}
		}
	}()
	return func() int { close(quit); return <-sent }
}

// content is what a server knows: events by id, alerts by id, the chain, people.
type content struct {
	Events map[event.ID]string
	Alerts map[alert.ID]uint32
	Chain  map[uint64]string // hash by number
	People []access.Person
}

func contentOf(t *testing.T, a *App) content {
	t.Helper()
	c := content{map[event.ID]string{}, map[alert.ID]uint32{}, map[uint64]string{}, nil}
	for e, err := range a.Events().Events(t.Context(), store.NewQuery(access.Everything(), nil, time.Time{}, time.Time{})) {
		if err != nil {
			t.Fatal(err)
		}
		v, _ := e.Get(event.EventOriginal)
		c.Events[e.ID()] = v.String()
	}
	if n, _, err := a.alerts.Verify(t.Context()); err != nil {
		t.Errorf("the chain of %d entries: %v", n, err)
	}
	head, _ := a.alerts.Head()
	if head > 0 {
		for e, err := range a.alerts.Subscribe(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			c.Chain[e.N] = e.Hash().String()
			if e.Alert != nil {
				c.Alerts[e.Alert.ID] = max(c.Alerts[e.Alert.ID], e.Alert.Update)
			}
			if e.N >= head {
				break
			}
		}
	}
	var err error
	if c.People, err = a.people.People(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestKillBackup backs a server up under load, cuts the copy off, goes on, restores it onto an empty directory, and
// finds there what the original had at that moment; who knows the original is refused by name.
func TestKillBackup(t *testing.T) {
	rule := writeRule(t, testRule)
	top := t.TempDir()
	yaml := fmt.Sprintf(backupConfig, rule)
	a, stop := startIn(t, filepath.Join(top, "a"), yaml)
	if err := a.people.AddPerson(t.Context(), "test", access.Person{ID: "lan", Name: "Nguyễn Thị Lan",
		Roles: []access.Role{access.Lead}}); err != nil {
		t.Fatal(err)
	}
	loaded := load(t, a)
	eventually(t, "events in the index and alerts", func() bool {
		head, _ := a.alerts.Head()
		return a.store.Counts().Stored > 2000 && head > 2
	})
	remote, err := client.New(client.Config{Data: a.cfg.Data})
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(top, "backup")
	// The first copy is cut off in the middle of a file, as by a kill: what is on the disk stays.
	ctx, cut := context.WithCancel(t.Context())
	opened := 0
	_, err = backup.Copy(ctx, backup.CopyConfig{Image: image, To: to,
		Open: func(ctx context.Context, f backup.File, offset int64) (io.ReadCloser, error) {
			if opened++; opened == len(image.Files)/2 {
				cut()
			}
			return remote.OpenImage(image.ID)(ctx, f, offset)
		}})
	if err == nil {
		t.Fatal("a copy that was cut off says that it is finished")
	}
	if _, err := Restore(t.Context(), RestoreConfig{From: to, To: filepath.Join(top, "early")}); err == nil {
		t.Fatal("half a backup was restored")
	}
	id, err := backup.Unfinished(to)
	if err != nil || id != image.ID {
		t.Fatalf("the copy is of image %q (%v), want %q", id, err, image.ID)
	}
	if image, err = remote.Image(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	again := 0
	if _, err = backup.Copy(t.Context(), backup.CopyConfig{Image: image, To: to,
		Open: func(ctx context.Context, f backup.File, offset int64) (io.ReadCloser, error) {
			again++
			return remote.OpenImage(image.ID)(ctx, f, offset)
		}}); err != nil {
		t.Fatal(err)
	}
	if again >= len(image.Files) {
		t.Errorf("the copy that went on read all %d files again", again)
	}
	if err := remote.DropImage(t.Context(), image.ID); err != nil {
		t.Fatal(err)
	}
	sent := loaded()
	eventually(t, "all that was sent", func() bool { return a.store.Counts().Stored >= uint64(sent) && a.Progress().Lag() < 20 })
	was := contentOf(t, a)
	cursor, incarnation := a.spool.End(), a.spool.Incarnation()
	stop()

	r, err := Restore(t.Context(), RestoreConfig{From: to, To: filepath.Join(top, "b")})
	if err != nil {
		t.Fatal(err)
	}
	if r.Was != incarnation || r.Now == incarnation {
		t.Errorf("the stream %s was restored as %s, from %s", incarnation, r.Now, r.Was)
	}
	b, stopB := startIn(t, filepath.Join(top, "b"), yaml)
	eventually(t, "the restored server to catch up", func() bool {
		p := b.Progress()
		return p.Last > 0 && p.Lag() < 5 && p.Correlated > 0
	})
	var foreign *spool.ErrIncarnation
	for _, err := range b.spool.Read(t.Context(), cursor) {
		if !errors.As(err, &foreign) || foreign.Got != incarnation || foreign.Have != r.Now {
			t.Errorf("a reader of the original got %v", err)
		}
		break
	}
	// It takes in more, and still holds what the original had: nothing else but what came since.
	more := load(t, b)
	eventually(t, "new events", func() bool { return b.store.Counts().Stored > 500 })
	n := more()
	eventually(t, "new events and alerts", func() bool { return b.Progress().Lag() < 5 && b.store.Counts().Stored >= uint64(n) })
	got := contentOf(t, b)
	t.Logf("original: %d events, %d alerts, %d entries; restored: %d, %d, %d", len(was.Events), len(was.Alerts),
		len(was.Chain), len(got.Events), len(got.Alerts), len(got.Chain))
	compareRestored(t, was, got, n)
	stopB()
}

// compareRestored holds what was restored against the original: it is a beginning of it, whole up to a moment.
func compareRestored(t *testing.T, was, got content, after int) {
	t.Helper()
	if d := cmp.Diff(was.People, got.People); d != "" {
		t.Error(d)
	}
	common, lines := 0, 0
	for id, text := range got.Events {
		if old, ok := was.Events[id]; ok {
			if common++; old != text {
				t.Fatalf("event %s: %q was %q", id, text, old)
			}
		} else if strings.Contains(text, "Failed password") {
			lines++
		}
	}
	if common < 2000 || lines != after {
		t.Errorf("%d events of the original, want at least 2000; %d events that came after, want %d", common, lines, after)
	}
	// The sender numbered its lines: those restored are the first ones, without a hole.
	numbers := map[string]bool{}
	for id := range maps.Keys(got.Events) {
		if text, ok := was.Events[id]; ok && strings.Contains(text, "sshd[") {
			numbers[text[strings.Index(text, "["):strings.Index(text, "]")]] = true
		}
	}
	for i := range len(numbers) {
		if !numbers[fmt.Sprintf("[%d", i)] {
			t.Fatalf("line %d of %d is missing", i, len(numbers))
		}
	}
	chained := 0
	for n, hash := range got.Chain {
		if was.Chain[n] == hash {
			chained = max(chained, int(n))
		}
	}
	if chained < 3 {
		t.Errorf("the chain shares %d entries with the original's", chained)
	}
	for n := range uint64(chained) {
		if was.Chain[n+1] != got.Chain[n+1] {
			t.Errorf("entry %d differs before entry %d", n+1, chained)
		}
	}
}

// TestKillStoppedBackup copies the directory of a stopped server, and refuses to restore it once a byte was changed.
func TestKillStoppedBackup(t *testing.T) {
	yaml := fmt.Sprintf(backupConfig, writeRule(t, testRule))
	top := t.TempDir()
	dir := filepath.Join(top, "a")
	a, stop := startIn(t, dir, yaml)
	loaded := load(t, a)
	eventually(t, "events", func() bool { return a.store.Counts().Stored > 200 })
	loaded()
	if _, _, _, err := StoppedImage(dir); err == nil || !strings.Contains(err.Error(), "running haidang") {
		t.Errorf("the directory of a server that runs: %v", err)
	}
	stop()
	image, open, release, err := StoppedImage(dir)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(top, "backup")
	if _, err := backup.Copy(t.Context(), backup.CopyConfig{Image: image, Open: open, To: to}); err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), RestoreConfig{From: to, To: dir}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("restoring over data: %v", err)
	}
	if _, err := Restore(t.Context(), RestoreConfig{From: to, To: filepath.Join(top, "b")}); err != nil {
		t.Fatal(err)
	}
	b, stopB := startIn(t, filepath.Join(top, "b"), yaml)
	if got := contentOf(t, b); len(got.Events) < 200 {
		t.Errorf("%d events restored", len(got.Events))
	}
	stopB()
	flip(t, filepath.Join(to, "data", "version"), 0)
	if _, err := Restore(t.Context(), RestoreConfig{From: to, To: filepath.Join(top, "c")}); !errors.Is(err, backup.ErrChanged) {
		t.Errorf("restoring what was changed: %v", err)
	}
	if _, err := os.Stat(filepath.Join(top, "c")); err == nil {
		t.Error("it wrote before it had verified")
	}
}

// flip changes one byte of a file.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	if err == nil {
		b[0] ^= 0x20
		_, err = f.WriteAt(b[:], at)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}
