// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/decoders"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/rules"
)

// province is an inventory of one system at the given level, under a policy of its own without a retention floor.
func province(t *testing.T, level int, profile string) *asset.Inventory {
	t.Helper()
	dir := t.TempDir()
	basis := map[string]string{"vn-2016": "NĐ 85/2016/NĐ-CP", "vn-2026": "NĐ 331/2026/NĐ-CP"}[profile]
	inventory := fmt.Sprintf(`
sites: [{id: dc1, cidrs: [10.10.0.0/16]}]
units: [{id: ubnd, name: Ủy ban nhân dân tỉnh, role: owner}]
systems:
  - id: dvc
    name: Cổng Dịch vụ công tỉnh
    owner: ubnd
    level: %d
    decision: {number: 12/QĐ-UBND, date: 2025-01-02, authority: Chủ tịch UBND tỉnh, status: approved, basis: %s}
    profile: %s
    components: [{name: web, hosts: [dvc-web-01], addresses: [10.10.1.11], site: dc1}]
`, level, basis, profile)
	policy := "decision: {number: 2300/QĐ-UBND, date: 2026-10-15, authority: Chủ tịch UBND tỉnh}\nretention_floor_days: 0\n"
	for name, text := range map[string]string{"inventory.yml": inventory, "policy.yml": policy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inv, err := asset.Load(asset.Config{Inventory: filepath.Join(dir, "inventory.yml"),
		Policy: filepath.Join(dir, "policy.yml")})
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func builtin(t *testing.T) *correlator.RuleSet {
	t.Helper()
	c, err := sigma.LoadFS(rules.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	set, refused := correlator.Compile(c)
	if len(c.Refusals)+len(refused) > 0 {
		t.Fatalf("refused: %v %v", c.Refusals, refused)
	}
	return set
}

func guess(i int) string {
	return fmt.Sprintf("<38>Nov 24 02:%02d:%02d dvc-web-01 sshd[4711]: Failed password for quản-trị from 203.0.113.9 "+
		"port 40001 ssh2\n", 10+i/3, i%3*20)
}

// doc is what the tests read of an alert's document.
type doc struct {
	At    time.Time `json:"@timestamp"`
	Rule  struct{ Name, ID string }
	Event struct{ Start, End time.Time }

	Haidang struct {
		Alert struct {
			ID       string
			Update   uint32
			Severity string
			Level    int
			Count    int
			Why      []string
			System   []alert.System
		}
	}
}

// replay plays files and returns the documents.
func replay(t *testing.T, cfg Config, files ...string) ([]doc, Stats) {
	t.Helper()
	var out bytes.Buffer
	if cfg.Now.IsZero() {
		cfg.Now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	}
	if cfg.Zone == nil {
		cfg.Zone = time.FixedZone("+07", 7*3600)
	}
	stats, err := Replay(t.Context(), cfg, &out, files...)
	if err != nil {
		t.Fatal(err)
	}
	var list []doc
	for line := range strings.Lines(out.String()) {
		var d doc
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list = append(list, d)
	}
	return list, stats
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLevelDecides: the same replay, and only the system's level differs: severity, threshold and retention class
// follow, and the alert says by which row of the policy and by which clauses.
func TestLevelDecides(t *testing.T) {
	var log strings.Builder
	for i := range 12 {
		log.WriteString(guess(i))
	}
	path, set := write(t, "auth.log", log.String()), builtin(t)
	for _, x := range []struct {
		level     int
		profile   string
		threshold int
		severity  string
		class     int
		clauses   []string
	}{
		{1, "vn-2016", 10, "low", 30, nil},
		{2, "vn-2016", 10, "medium", 30, nil},
		{3, "vn-2016", 5, "high", 90, []string{"NĐ 85/2016", "TT 12/2022", "TCVN 11930"}},
		{4, "vn-2016", 3, "high", 180, []string{"NĐ 85/2016", "TT 12/2022", "TCVN 11930"}},
		{5, "vn-2016", 3, "critical", 365, []string{"NĐ 85/2016", "TT 12/2022", "TCVN 11930"}},
		{3, "vn-2026", 5, "high", 90, []string{"NĐ 331/2026", "TCVN 14423"}},
		{4, "vn-2026", 3, "high", 180, []string{"NĐ 331/2026", "TCVN 14423"}},
	} {
		name := fmt.Sprintf("level %d, %s", x.level, x.profile)
		inv := province(t, x.level, x.profile)
		updates, _ := replay(t, Config{Rules: set, Inventory: inv, Updates: true}, path)
		var first, last *doc
		for i := range updates {
			if updates[i].Rule.Name == "Dò mật khẩu SSH từ một địa chỉ" {
				if first == nil {
					first = &updates[i]
				}
				last = &updates[i]
			}
		}
		if first == nil {
			t.Errorf("%s: no alert", name)
			continue
		}
		a := last.Haidang.Alert
		if got := first.Haidang.Alert.Count; got != x.threshold {
			t.Errorf("%s: raised at %d attempts, want %d", name, got, x.threshold)
		}
		if a.Count != 12 || a.Severity != x.severity || a.Level != x.level {
			t.Errorf("%s: count %d, severity %s, level %d; want 12, %s", name, a.Count, a.Severity, a.Level, x.severity)
		}
		why := strings.Join(a.Why, "\n")
		for _, want := range append(x.clauses, "2300/QĐ-UBND", "medium", fmt.Sprintf("cấp độ %d", x.level)) {
			if !strings.Contains(why, want) {
				t.Errorf("%s: the explanation lacks %q:\n%s", name, want, why)
			}
		}
		if got := retention(t, inv, guess(0)); got != x.class {
			t.Errorf("%s: kept for %d days, want %d", name, got, x.class)
		}
	}
}

// retention is the class that the store would keep a line's event in.
func retention(t *testing.T, inv *asset.Inventory, line string) int {
	t.Helper()
	b := event.NewBuilder("file/x", 0)
	b.Begin(0, 0)
	decoders.New(decoders.Config{}).Decode(b, []byte(strings.TrimSpace(line)), &decoders.Meta{
		Site: "dc1", Peer: netip.MustParseAddr("10.10.1.11"), Received: time.Now()})
	inv.Enrich(b, "dc1")
	b.End()
	return inv.Retention(b.Batch(0, 1).At(0))
}
