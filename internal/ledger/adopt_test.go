// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

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

// FuzzInsert lays an inventory out in every way: one or two lines come in, all others stay, and the system has the
// component afterwards.
func FuzzInsert(f *testing.F) {
	f.Add([]byte{0}, "web")
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, "Cổng dịch vụ")
	f.Add([]byte{255, 254, 13, 77, 0, 3}, "#: {x")
	f.Fuzz(func(t *testing.T, layout []byte, name string) {
		next := 0
		pick := func(n int) int {
			if len(layout) == 0 {
				return 0
			}
			next++
			return int(layout[next%len(layout)]) % n
		}
		end := []string{"\n", "\r\n"}[pick(2)]
		var b strings.Builder
		line := func(indent int, text string) {
			for range pick(3) {
				b.WriteString([]string{"", "# ghi chú", "      # - {name: cũ}", "   "}[pick(4)] + end)
			}
			b.WriteString(strings.Repeat(" ", indent) + text + end)
		}
		line(0, "systems:")
		list := pick(3)
		key := list + 2
		for _, id := range []string{"a", "b"} {
			line(list, "- id: "+id)
			line(key, "name: Hệ thống")
			if pick(3) > 0 {
				line(key, "components:")
				at := key + pick(5)
				for i := range 1 + pick(3) {
					switch pick(3) {
					case 0:
						line(at, fmt.Sprintf("- {name: c%d, addresses: [10.0.0.%d]} # cũ", i, i))
					case 1:
						line(at, fmt.Sprintf("- name: c%d", i))
						line(at+2, "addresses:")
						line(at+2+pick(3), fmt.Sprintf("- 10.0.0.%d", i))
					default:
						line(at, fmt.Sprintf("- {name: c%d,", i))
						line(at+4, fmt.Sprintf("addresses: [10.0.0.%d]}", i))
					}
				}
			}
			if pick(2) == 0 {
				line(key, "reason: >-")
				b.WriteString(strings.Repeat(" ", key+2) + "vì - thế" + end)
			}
		}
		data := b.String()
		if pick(2) == 0 {
			data = strings.TrimSuffix(data, end)
		}
		text, err := insert([]byte(data), Adoption{Address: netip.MustParseAddr("2001:db8::1"), System: "a",
			Component: strings.ToValidUTF8(name, "")})
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		rest := strings.Split(strings.TrimSuffix(data, end), end)
		n := len(rest)
		lines := strings.Split(strings.TrimSuffix(string(text), end), end)
		for _, line := range lines {
			if len(rest) > 0 && line == rest[0] {
				rest = rest[1:]
			}
		}
		if len(rest) > 0 || len(lines) > n+2 {
			t.Fatalf("lost %q of\n%s\nin\n%s", rest, data, text)
		}
		count := func(text []byte, id string) int {
			file, err := parser.ParseBytes(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), 0)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			keys, err := findSystem(file.Docs[0].Body, id)
			if err != nil {
				t.Fatal(err)
			}
			x := field(keys, "components")
			if x == nil {
				return 0
			}
			return len(x.Value.(*ast.SequenceNode).Values)
		}
		if count(text, "a") != count([]byte(data), "a")+1 || count(text, "b") != count([]byte(data), "b") {
			t.Fatalf("not in its place:\n%s\nin\n%s", data, text)
		}
	})
}
