// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/asset"
)

// sample copies the sample inventory.
func sample(t *testing.T) (path, text string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", "sample", "inventory.yml"))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "inventory.yml")
	if err := os.WriteFile(path, data, 0o640); err != nil {
		t.Fatal(err)
	}
	return path, string(data)
}

// TestAdoptEverySystem adds an address to each system of the sample in turn: one line more, all others as they were.
func TestAdoptEverySystem(t *testing.T) {
	path, _ := sample(t)
	c := asset.Config{Inventory: path}
	inv, err := asset.Load(c)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range inv.Systems() {
		if i%4 != 0 && s.ID != "dvc" { // each costs two readings of the whole file
			continue
		}
		before, _ := os.ReadFile(path)
		addr := netip.AddrFrom4([4]byte{10, 10, 199, byte(i + 1)})
		if i%2 == 1 {
			addr = netip.MustParseAddr("2001:db8:1::99:1").Next()
			for range i {
				addr = addr.Next()
			}
		}
		if err := Adopt(c, Adoption{Address: addr, Site: "dc1", System: s.ID}); err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
		after, _ := os.ReadFile(path)
		kept := 0
		old := strings.Split(string(before), "\n")
		for _, line := range strings.Split(string(after), "\n") {
			if kept < len(old) && line == old[kept] {
				kept++
			}
		}
		if grown := strings.Count(string(after), "\n") - len(old) + 1; kept != len(old) || grown < 1 || grown > 2 {
			t.Fatalf("%s: %d of %d lines kept, %d new", s.ID, kept, len(old), grown)
		}
		now, err := asset.Load(c)
		if err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
		if m := now.Speaker("dc1", addr, ""); m.System == nil || m.System.ID != s.ID {
			t.Fatalf("%s: %s belongs to %v", s.ID, addr, m.System)
		}
	}
}

func TestAdoptRefuses(t *testing.T) {
	for _, x := range []struct {
		name string
		a    Adoption
		want string
	}{
		{"no such system", Adoption{Address: netip.MustParseAddr("10.10.199.1"), System: "khong-co"}, "no system has the id"},
		{"taken", Adoption{Address: netip.MustParseAddr("10.10.1.11"), Site: "dc1", System: "portal"}, "already claimed"},
		{"no such site", Adoption{Address: netip.MustParseAddr("10.10.199.1"), Site: "dc9", System: "portal"}, "dc9"},
	} {
		path, text := sample(t)
		err := Adopt(asset.Config{Inventory: path}, x.a)
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want something with %q", x.name, err, x.want)
		}
		now, _ := os.ReadFile(path)
		if string(now) != text {
			t.Errorf("%s: the file changed", x.name)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".inventory-*")); len(left) > 0 {
			t.Errorf("%s: left %v", x.name, left)
		}
	}
}

func TestAdoptLayouts(t *testing.T) {
	head := "sites:\n- {id: dc1, cidrs: [10.0.0.0/8]}\nunits:\n- {id: u, name: Đơn vị, role: owner}\nsystems:\n"
	for name, x := range map[string]struct{ in, want string }{
		"list as deep as its key": {"- id: a\n  name: A\n  owner: u\n  level: 1\n  components:\n  - {name: x, addresses: [10.0.0.1]}\n# cuối\n",
			"  - {name: x, addresses: [10.0.0.1]}\n  - {name: nguon-10-0-0-9, addresses: [10.0.0.9]}\n# cuối\n"},
		"no components": {"- id: a\n  name: A\n  owner: u\n  level: 1\n\n- id: b\n  name: B\n  owner: u\n  level: 1",
			"  level: 1\n  components:\n    - {name: nguon-10-0-0-9, addresses: [10.0.0.9]}\n\n- id: b"},
		"no newline at the end": {"- id: a\n  name: A\n  owner: u\n  level: 1\n  components:\n    - name: x\n      addresses:\n        - 10.0.0.1",
			"        - 10.0.0.1\n    - {name: nguon-10-0-0-9, addresses: [10.0.0.9]}\n"},
		"carriage returns": {"- id: a\r\n  name: A\r\n  owner: u\r\n  level: 1\r\n  components:\r\n    - {name: x, addresses: [10.0.0.1]}\r\n",
			"[10.0.0.1]}\r\n    - {name: nguon-10-0-0-9, addresses: [10.0.0.9]}\r\n"},
		"components in brackets": {"- id: a\n  name: A\n  owner: u\n  level: 1\n  components: [{name: x, addresses: [10.0.0.1]}]\n", ""},
		"system in braces":       {"- {id: a, name: A, owner: u, level: 1}\n", ""},
	} {
		path := filepath.Join(t.TempDir(), "inventory.yml")
		if err := os.WriteFile(path, []byte(head+x.in), 0o640); err != nil {
			t.Fatal(err)
		}
		err := Adopt(asset.Config{Inventory: path}, Adoption{Address: netip.MustParseAddr("10.0.0.9"), System: "a"})
		data, _ := os.ReadFile(path)
		switch {
		case x.want == "" && (err == nil || string(data) != head+x.in):
			t.Errorf("%s: taken: %v", name, err)
		case x.want != "" && (err != nil || !strings.Contains(string(data), x.want)):
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}
