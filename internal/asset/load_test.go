// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestLoadWithoutFiles(t *testing.T) {
	inv, err := Load(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if m := inv.Lookup("dc1", netip.MustParseAddr("10.0.0.1")); m != outside || len(inv.Version()) != 16 {
		t.Errorf("an empty inventory knows %+v, version %q", m, inv.Version())
	}
	if _, err := Load(Config{Inventory: filepath.Join(t.TempDir(), "none.yml")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Load(Config{Profiles: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "no profiles") {
		t.Errorf("an empty folder of profiles: %v", err)
	}
}

// Behind a relay of the configuration the name that a sender gives itself goes before the relay's address.
func TestRelays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "inventory.yml")
	if err := os.WriteFile(file, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, relays := range map[string][]netip.Prefix{"fw": nil, "dvc": {netip.MustParsePrefix("10.10.0.1/24")}} {
		inv, err := Load(Config{Inventory: file, Relays: relays})
		if err != nil {
			t.Fatal(err)
		}
		if m := inv.Speaker("dc1", netip.MustParseAddr("10.10.0.1"), "dvc-web-01"); m.id() != want {
			t.Errorf("relays %v: the speaker is of %q, want %q", relays, m.id(), want)
		}
		if m := inv.Speaker("dc1", netip.MustParseAddr("10.10.0.1"), "nobody"); m.id() != "fw" {
			t.Errorf("relays %v: an unknown name behind it is of %q", relays, m.id())
		}
		got := enrich(t, inv, "dc1", "observer.ip=10.10.0.1", "observer.name=dvc-web-01")
		if got["system.id"] != want {
			t.Errorf("relays %v: a firewall that names itself is of %q, want %q", relays, got["system.id"], want)
		}
	}
}

// A broken file leaves the old inventory in use and says file and line; readers never see anything in between.
func TestHolderKeepsTheOldInventory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "inventory.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(small)
	ctx := t.Context()
	h, err := NewHolder(ctx, File{Config{Inventory: file}})
	if err != nil {
		t.Fatal(err)
	}
	first := h.Get()
	if changed, err := h.Reload(ctx); err != nil || changed {
		t.Errorf("the same file: changed %v, %v", changed, err)
	}
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if m := h.Get().Lookup("dc1", netip.MustParseAddr("10.10.1.11")); m.id() != "dvc" {
					t.Errorf("a reader sees %+v", m)
					return
				}
			}
		})
	}
	write(strings.Replace(small, "level: 3\n", "levle: 3\n", 1))
	if _, err := h.Reload(ctx); err == nil || !strings.Contains(err.Error(), file+":20: unknown key") {
		t.Errorf("a broken file: %v", err)
	}
	m := h.Get().Lookup("dc1", netip.MustParseAddr("10.10.1.11"))
	if m.Level != 3 || h.Get().Version() != first.Version() {
		t.Errorf("after a broken file: %+v", m)
	}
	write(strings.Replace(small, "level: 3\n", "level: 4\n", 1))
	if changed, err := h.Reload(ctx); err != nil || !changed {
		t.Errorf("a better file: changed %v, %v", changed, err)
	}
	if m := h.Get().Lookup("dc1", netip.MustParseAddr("10.10.1.11")); m.Level != 4 {
		t.Errorf("after a better file: level %d", m.Level)
	}
	close(stop)
	readers.Wait()
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := h.Reload(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
	write("systems: [")
	if _, err := NewHolder(ctx, File{Config{Inventory: file}}); err == nil {
		t.Error("a holder without an inventory")
	}
}

// Names typed with combining marks are the same names.
func TestTextIsComposed(t *testing.T) {
	inv := mustLoad(t, strings.Replace(small, "Cổng dịch vụ công", "Cô\u0309ng dịch vụ công", 1), "")
	if s, _ := inv.System("dvc"); s.Name != "Cổng dịch vụ công" {
		t.Errorf("name %q", s.Name)
	}
}

// A whole country's worth of systems loads in seconds, not minutes.
func BenchmarkLoadLarge(b *testing.B) {
	var text strings.Builder
	text.WriteString("sites: [{id: dc1, cidrs: [10.0.0.0/8]}]\nsystems:\n")
	for i := range 5000 {
		fmt.Fprintf(&text, "  - id: s%d\n    name: Hệ thống %d\n    level: %d\n    components:\n", i, i, 1+i%5)
		fmt.Fprintf(&text, "      - {name: web, hosts: [h%d], addresses: [10.%d.%d.%d], site: dc1}\n", i, 1+i/65536,
			i/256, i%256)
	}
	file := filepath.Join(b.TempDir(), "inventory.yml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Load(Config{Inventory: file}); err != nil {
			b.Fatal(err)
		}
	}
}
