// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/alert"
)

const goodInventory = `units: [{id: so, name: Sở Thông tin, role: owner}]
sites: [{id: dc1, cidrs: [10.10.0.0/16]}]
systems:
  - id: dvc
    name: Cổng Dịch vụ công
    owner: so
    level: 3
    decision: {status: approved, basis: NĐ 331/2026/NĐ-CP}
    components: [{name: web, hosts: [dvc-web-01], addresses: [10.10.1.11], site: dc1}]
`

// TestReloadBroken: a file that cannot be read leaves everything as it was, and the error says file and line; one that
// was mended is taken.
func TestReloadBroken(t *testing.T) {
	s := newSite(t, "builtin_rules: false\nrules: [rule.yml]\ninventory: inventory.yml\n")
	s.write("inventory.yml", goodInventory)
	s.write("rule.yml", detection("A", "an"))
	a := s.open()
	defer a.Close()
	version, setup := a.inventory.Get().Version(), a.setups.last
	for _, x := range []struct{ file, text, want string }{
		{"inventory.yml", strings.Replace(goodInventory, "level: 3", "levle: 3", 1), "inventory.yml:7:"},
		{"inventory.yml", goodInventory + "  - {id: dvc, name: Hai, owner: so, level: 1}\n", "inventory.yml:10:"},
		{"inventory.yml", "systems: [", "inventory.yml:1:"},
		{"haidang", "rulez: []\n", `unknown key "rulez"`},
		{"haidang", "builtin_rules: false\nrules: [không-có.yml]\ninventory: inventory.yml\n", "không-có.yml"},
	} {
		yaml := s.yaml
		if x.file == "haidang" {
			s.yaml = x.text
		} else {
			s.write(x.file, x.text)
		}
		if _, err := a.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%.40q: error %v, want %s", x.text, err, x.want)
		}
		if a.inventory.Get().Version() != version || a.setups.last != setup {
			t.Errorf("%.40q: something was taken", x.text)
		}
		s.yaml = yaml
		s.write("inventory.yml", goodInventory)
	}
	s.write("inventory.yml", strings.Replace(goodInventory, "level: 3", "level: 4", 1))
	s.write("rule.yml", detection("A", "an")+"---\ntitle: hỏng\nlogsource: {product: linux}\n"+
		"detection: {s: {a|nothing: 1}, condition: s}\n")
	refused, err := a.Reload(t.Context())
	if err != nil || len(refused) != 1 || !strings.Contains(refused[0].Error(), "rule.yml:") {
		t.Errorf("mended: %v, refused %v", err, refused)
	}
	if x, ok := a.inventory.Get().System("dvc"); !ok || x.Level != 4 || a.setups.last == setup {
		t.Error("what was mended is not in use")
	}
	if !strings.Contains(s.log.String(), "a rule was refused") {
		t.Error("a refused rule is not in the log")
	}
	// Another file is another inventory, not the old path read again.
	s.write("khác.yml", strings.Replace(goodInventory, "level: 3", "level: 5", 1))
	s.yaml = strings.Replace(s.yaml, "inventory.yml", "khác.yml", 1)
	if _, err := a.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if x, _ := a.inventory.Get().System("dvc"); x.Level != 5 {
		t.Errorf("level %d: the new path was not read", x.Level)
	}
}

// TestReloadMany: setups are not kept for ever; the one in use is.
func TestReloadMany(t *testing.T) {
	s := newSite(t, "builtin_rules: false\ninventory: inventory.yml\n")
	s.write("inventory.yml", goodInventory)
	a := s.open()
	defer a.Close()
	for i := range 3 * kept {
		s.write("inventory.yml", goodInventory+strings.Repeat("# \n", i))
		if _, err := a.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.setups.by); n > kept || n != len(a.setups.order) || a.setups.current().Rules == nil {
		t.Errorf("%d setups, %d names", n, len(a.setups.order))
	}
}

// TestReloadAtPosition: the rules change at a place of the stream, whenever the correlator comes there: what is before
// is matched by the old ones, what is behind by the new.
func TestReloadAtPosition(t *testing.T) {
	s := newSite(t, "builtin_rules: false\nrules: [rule.yml]\n")
	s.write("rule.yml", detection("A", "an"))
	a := s.open()
	s.line(a, "x", failed("an"))
	s.line(a, "x", failed("binh"))
	s.write("rule.yml", detection("B", "binh"))
	if _, err := a.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.line(a, "x", failed("an"))
	s.line(a, "x", failed("binh"))
	last := a.spool.Stats().Last
	s.run(a)
	var got map[string]*alert.State
	eventually(t, "both alerts", func() bool {
		got = raised(t, a)
		c := a.correlated.Load()
		return c != nil && c.seq > last && len(got) == 2
	})
	for _, title := range []string{"A", "B"} {
		if x := got[title]; x == nil || x.Alert.Count != 1 {
			t.Errorf("%s: %+v", title, x)
		}
	}
}
