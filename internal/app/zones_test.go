// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/event"
)

// TestZoneKept wants a guessed zone to outlive a restart, and one that the configuration states since to win over it.
func TestZoneKept(t *testing.T) {
	dir := t.TempDir()
	peer := netip.MustParseAddr("10.20.1.2")
	now := time.Now()
	// session runs a server, lets it decode lines of a sender whose clock shows UTC, and returns how far off they were.
	session := func(epoch uint64, yaml string) (off []time.Duration) {
		c, err := config.Parse(filepath.Join(dir, "haidang.yml"),
			[]byte("data: data\nhttp: {listen: \"127.0.0.1:0\"}\nspool: {reserve: 1}\n"+yaml))
		if err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), Options{Config: c, NoSync: true, Log: slog.New(slog.NewTextHandler(testWriter{t}, nil))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		<-a.Ready()
		b := event.NewBuilder("listener/main", epoch)
		for i := range 20 {
			at := now.Add(time.Duration(i-20) * 10 * time.Second)
			b.Begin(uint64(i), 0)
			b.Str(event.EventOriginal, fmt.Sprintf("<13>%s mấy-chủ app: dòng %d", at.UTC().Format(time.Stamp), i))
			b.Time(event.EventCreated, at.UnixNano())
			b.IPs(event.ObserverIP, peer)
			b.Str(event.HaidangListener, "main")
			b.Str(event.HaidangFormat, "syslog")
			b.End()
		}
		next := &tee{next: a.decode.Next}
		a.decode.Next = next
		if err := a.decode.Write(t.Context(), b.Batch(0, 20)); err != nil {
			t.Fatal(err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		for e := range next.last.Events() {
			if e.Text(event.EventDataset) != "haidang.zone" {
				off = append(off, time.Duration(e.Created()-e.Time()).Round(time.Minute))
			}
		}
		return off
	}
	first := session(1, "")
	if first[0] != 7*time.Hour || first[19] != 0 {
		t.Errorf("the first lines are off by %v", first)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "data", "zones")); err != nil ||
		strings.TrimSpace(string(data)) != `{"peer":"10.20.1.2","offset":0}` {
		t.Errorf("the file has %q: %v", data, err)
	}
	if second := session(2, ""); second[0] != 0 || second[19] != 0 {
		t.Errorf("after a restart the lines are off by %v", second)
	}
	third := session(3, "origins: [{address: 10.20.0.0/16, time_zone: Asia/Tokyo}]")
	if third[0] != 9*time.Hour || third[19] != 9*time.Hour {
		t.Errorf("the configured zone was overridden: off by %v", third)
	}
}

// tee keeps the last batch.
type tee struct {
	next event.Writer
	last *event.Batch
}

func (x *tee) Write(ctx context.Context, b *event.Batch) error {
	x.last = b
	return x.next.Write(ctx, b)
}
