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
	"sync"
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
	session := func(epoch uint64, yaml string, statements int) (off []time.Duration) {
		c, err := config.Parse(filepath.Join(dir, "haidang.yml"),
			[]byte("data: data\nhttp: {listen: \"127.0.0.1:0\"}\nspool: {reserve: 1}\n"+yaml))
		if err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), Options{Config: c, NoSync: true, Log: slog.New(slog.NewTextHandler(testWriter{t}, nil))})
		if err != nil {
			t.Fatal(err)
		}
		next := &tee{next: a.decode.Next}
		a.decode.Next = next
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
		if err := a.intake.Write(t.Context(), b.Batch(0, 20)); err != nil {
			t.Fatal(err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		seen := map[event.ID]bool{} // a batch may be written again
		for _, b := range next.batches {
			for e := range b.Events() {
				if seen[e.ID()] {
					continue
				}
				seen[e.ID()] = true
				switch {
				case b.Source() == "listener/main":
					off = append(off, time.Duration(e.Created()-e.Time()).Round(time.Minute))
				case e.Text(event.EventDataset) == "haidang.zone":
					statements--
					if e.Text(event.EventAction) != "zone-guessed" || e.Text(event.EventTimezone) != "+00:00" ||
						e.Text(event.HostName) != "mấy-chủ" || e.Text(event.HaidangOrigin) != "10.20.1.2" {
						t.Errorf("the decision is stated as %s", event.AppendJSON(nil, e, true))
					}
				}
			}
		}
		if statements != 0 {
			t.Errorf("session %d: %d statements are missing", epoch, statements)
		}
		if v := a.ledger.View(); !v.Balanced {
			t.Errorf("the ledger is not balanced: %+v", v)
		}
		return off
	}
	first := session(1, "", 1)
	if first[0] != 7*time.Hour || first[19] != 0 {
		t.Errorf("the first lines are off by %v", first)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "data", "zones")); err != nil ||
		strings.TrimSpace(string(data)) != `{"peer":"10.20.1.2","offset":0}` {
		t.Errorf("the file has %q: %v", data, err)
	}
	if second := session(2, "", 0); second[0] != 0 || second[19] != 0 {
		t.Errorf("after a restart the lines are off by %v", second)
	}
	third := session(3, "origins: [{address: 10.20.0.0/16, time_zone: Asia/Tokyo}]", 0)
	if third[0] != 9*time.Hour || third[19] != 9*time.Hour {
		t.Errorf("the configured zone was overridden: off by %v", third)
	}
}

// tee keeps the batches.
type tee struct {
	next    event.Writer
	mu      sync.Mutex
	batches []*event.Batch
}

func (x *tee) Write(ctx context.Context, b *event.Batch) error {
	x.mu.Lock()
	x.batches = append(x.batches, b)
	x.mu.Unlock()
	return x.next.Write(ctx, b)
}
