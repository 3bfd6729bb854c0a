// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const small = `
sites:
  - {id: dc1, cidrs: [10.0.0.0/8]}
  - {id: dc2, cidrs: [10.20.0.0/16, "2001:db8:2::/48"]}
zones:
  - {id: dmz, cidrs: [10.10.1.0/24]}
  - {id: quan-tri, cidrs: [10.10.250.0/24]}
  - {id: xa, cidrs: [10.20.0.0/24], site: dc2}
units:
  - {id: stttt, name: Sở Khoa học và Công nghệ, role: operator}
  - {id: ubnd, name: Ủy ban nhân dân tỉnh, role: owner}
  - {id: xa-a, name: Xã A, parent: ubnd, aliases: [{name: Xã A cũ, until: 2025-06-30}]}
proxies: [10.10.1.5]
shared_addresses: [203.0.113.0/28]
systems:
  - id: dvc
    name: Cổng dịch vụ công
    owner: ubnd
    operator: stttt
    level: 3
    profile: vn-2016
    zone: dmz
    decision: {number: 1/QĐ-UBND, date: 01/02/2024, status: approved, basis: NĐ 85/2016}
    components:
      - {name: web, hosts: [dvc-web-01], addresses: [10.10.1.11]}
      - {name: all, cidrs: [10.10.1.0/24], site: dc1}
  - id: portal
    name: Cổng thông tin
    owner: ubnd
    level: 2
    components: [{name: web, addresses: [10.20.0.11, "2001:db8:2::11"], site: dc2, hosts: [web-01]}]
  - id: kho
    name: Kho dữ liệu
    level: 4
    owner: stttt
    decision: {status: submitted}
    components: [{name: db, addresses: [10.20.0.11], site: dc1, hosts: [web-01]}]
  - id: fw
    name: Tường lửa
    level: 2
    owner: stttt
    serves: [dvc, portal]
    components: [{name: fw, addresses: [10.10.0.1]}]
`

// load builds an inventory from texts, as Load does from files.
func load(t testing.TB, inventory, policy string) (*Inventory, error) {
	t.Helper()
	dir := t.TempDir()
	c := Config{Inventory: filepath.Join(dir, "inventory.yml")}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(c.Inventory, inventory)
	if policy != "" {
		c.Policy = filepath.Join(dir, "policy.yml")
		write(c.Policy, policy)
	}
	return Load(c)
}

func mustLoad(t testing.TB, inventory, policy string) *Inventory {
	t.Helper()
	inv, err := load(t, inventory, policy)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func (m Match) id() string {
	if m.System == nil {
		return ""
	}
	return m.System.ID
}

func TestLookup(t *testing.T) {
	inv := mustLoad(t, small, "")
	for _, c := range []struct {
		site, address, system, component, zone string
		level                                  uint8
		status                                 Status
	}{
		{"dc1", "10.10.1.11", "dvc", "web", "dmz", 3, Decided},
		{"dc1", "::ffff:10.10.1.11", "dvc", "web", "dmz", 3, Decided},
		{"dc1", "10.10.1.12", "dvc", "all", "dmz", 3, Decided},
		{"dc2", "10.10.1.12", "dvc", "all", "dmz", 3, Decided}, // not dc2's own: another site's
		{"dc1", "10.20.0.11", "kho", "db", "", 4, Proposed},
		{"dc2", "10.20.0.11", "portal", "web", "xa", 2, Proposed},
		{"", "10.20.0.11", "", "", "", 4, Unclassified}, // the sites disagree
		{"dc2", "2001:db8:2::11", "portal", "web", "", 2, Proposed},
		{"nowhere", "2001:db8:2::11", "portal", "web", "", 2, Proposed},
		{"dc1", "10.10.0.1", "fw", "fw", "", 3, Derived},
		{"dc1", "10.10.250.7", "", "", "quan-tri", 3, Unclassified},
		{"dc1", "8.8.8.8", "", "", "", 0, Decided},
		{"dc1", "255.255.255.255", "", "", "", 0, Decided},
		{"dc2", "10.20.0.12", "", "", "xa", 3, Unclassified},
	} {
		m := inv.Lookup(c.site, netip.MustParseAddr(c.address))
		if m.id() != c.system || m.Component != c.component || m.Zone != c.zone || m.Level != c.level ||
			m.Status != c.status {
			t.Errorf("Lookup(%q, %s) = %s %+v, want %+v", c.site, c.address, m.id(), m, c)
		}
	}
	for _, c := range []struct{ site, host, system string }{
		{"dc1", "DVC-Web-01.", "dvc"}, {"dc9", "dvc-web-01.tinh.example", "dvc"},
		{"dc1", "web-01", "kho"}, {"dc2", "web-01", "portal"}, {"", "web-01", ""}, {"dc1", "other", ""},
		{"dc1", "máy-chủ", ""}, {"dc1", ".", ""},
	} {
		if m, ok := inv.LookupHost(c.site, c.host); m.id() != c.system || ok != (c.system != "") {
			t.Errorf("LookupHost(%q, %q) = %s", c.site, c.host, m.id())
		}
	}
	if !inv.Shared(netip.MustParseAddr("203.0.113.3")) || inv.Shared(netip.MustParseAddr("203.0.113.16")) {
		t.Error("shared_addresses")
	}
	if got := inv.UnitsUnder("ubnd"); strings.Join(got, " ") != "ubnd xa-a" {
		t.Errorf("UnitsUnder: %v", got)
	}
}

func TestInventoryMistakes(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown key", "    level: 3\n", "    levle: 3\n",
			`inventory.yml:20: unknown key "levle" (did you mean "level"?)`},
		{"unknown top key", "\nproxies:", "\nproxy:", `unknown key "proxy" (did you mean "proxies"?)`},
		{"tie of addresses", "[10.10.0.1]", "[10.10.1.11]", `address 10.10.1.11/32 of fw/fw is already claimed by dvc/web`},
		{"tie of ranges", "addresses: [10.10.0.1]", "cidrs: [10.10.1.0/24], site: dc1",
			`range 10.10.1.0/24 of fw/fw is already claimed by dvc/all`},
		{"tie with a component of every site", "[10.10.0.1]", "[10.20.0.11]", `address 10.20.0.11/32 of fw/fw is already`},
		{"tie of zones", "id: quan-tri, cidrs: [10.10.250.0/24]", "id: quan-tri, cidrs: [10.20.0.0/24]", `already in zone`},
		{"deep nesting", "\nproxies: [10.10.1.5]", "\nproxies: " + strings.Repeat("[", 40), `nested too deeply`},
		{"tie of hosts", "{name: fw, addresses", "{name: fw, hosts: [DVC-WEB-01], addresses", `host dvc-web-01 of fw/fw`},
		{"host bits", "[10.10.1.0/24]}", "[10.10.1.1/24]}",
			`"10.10.1.1/24" has bits beyond its length: did you mean "10.10.1.0/24"?`},
		{"no address", "[10.10.0.1]", "[10.10.0.256]", `"10.10.0.256" is not an IP address`},
		{"level", "level: 4", "level: 6", `"6" is not a whole number from 1 to 5`},
		{"site", "site: dc2, hosts", "site: dc3, hosts", `site "dc3" of component "web" is not listed under sites`},
		{"serves", "[dvc, portal]", "[dvv]", `system "fw" serves "dvv", which is no system (did you mean "dvc"?)`},
		{"profile", "vn-2016", "vn-2017", `profile "vn-2017" of system "dvc" is not one of vn-2016, vn-2026`},
		{"overlay as profile", "vn-2016", "bca", `is not one of vn-2016, vn-2026`},
		{"owner", "operator: stttt", "operator: sttt",
			`operator "sttt" of system "dvc" is no unit (did you mean "stttt"?)`},
		{"zone", "zone: dmz", "zone: dzm", `zone "dzm" of system "dvc" is not listed under zones`},
		{"twice", "id: kho", "id: portal", `system "portal" is given twice`},
		{"parent circle", "name: Ủy ban nhân dân tỉnh,", "name: Ủy ban, parent: xa-a,", `its own parent`},
		{"status", "submitted", "ok", `"ok" is not one of draft, submitted, appraised, approved`},
		{"date", "01/02/2024", "2024-13-01", `"2024-13-01" is not a date`},
		{"no yaml", "systems:", "systems: [", `inventory.yml:`},
	} {
		if !strings.Contains(small, c.from) {
			t.Fatalf("%s: %q is not in the inventory", c.name, c.from)
		}
		_, err := load(t, strings.Replace(small, c.from, c.to, 1), "")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	_, err := load(t, small, "retention_exceptions: [{system: dcv, days: 30, decision: x}]")
	if err == nil || !strings.Contains(err.Error(), `policy.yml:1: retention exception for "dcv"`) {
		t.Errorf("exception of an unknown system: %v", err)
	}
	_, err = load(t, "sytems: []\nzone: []\n", "unmaped_level: 3")
	if err == nil || strings.Count(err.Error(), "unknown key") != 3 {
		t.Errorf("not every mistake is reported: %v", err)
	}
}

// serves is followed to the end, and a system without a level of its own takes the policy's.
func TestServes(t *testing.T) {
	inv := mustLoad(t, `
systems:
  - {id: a, name: A, serves: [b]}
  - {id: b, name: B, level: 1, serves: [c], decision: {status: approved}}
  - {id: c, name: C, level: 2, serves: [d, a]}
  - {id: d, name: D, level: 4}
  - {id: e, name: E, level: 5, serves: [d], decision: {status: approved}}
  - {id: f, name: F}
  - {id: g, name: G, level: 1, serves: [f]}
`, "unmapped_level: 2")
	for id, want := range map[string]struct {
		level  uint8
		status Status
	}{"a": {4, Derived}, "b": {4, Derived}, "c": {4, Derived}, "d": {4, Proposed}, "e": {5, Decided},
		"f": {2, Unclassified}, "g": {2, Derived}} {
		if s, _ := inv.System(id); s.Effective != want.level || s.Status != want.status {
			t.Errorf("%s: level %d %q, want %+v", id, s.Effective, s.Status, want)
		}
	}
}

// Where sites disagree about an address and the site is unknown, the highest of their levels counts.
func TestDisagreeingSites(t *testing.T) {
	for _, levels := range [][3]int{{1, 5, 5}, {5, 1, 5}, {4, 4, 4}, {1, 1, 1}} {
		inv := mustLoad(t, fmt.Sprintf(`
sites: [{id: s1, cidrs: [10.0.0.0/8]}, {id: s2, cidrs: [10.0.0.0/8]}]
systems:
  - {id: a, name: A, level: %d, components: [{addresses: [10.0.0.1], site: s1}]}
  - {id: b, name: B, level: %d, components: [{addresses: [10.0.0.1], site: s2}]}
`, levels[0], levels[1]), "")
		m := inv.Lookup("", netip.MustParseAddr("10.0.0.1"))
		if m.System != nil || int(m.Level) != levels[2] || m.Status != Unclassified || !m.Inside {
			t.Errorf("levels %v: %+v", levels, m)
		}
	}
}

func TestVersion(t *testing.T) {
	a, b := mustLoad(t, small, ""), mustLoad(t, small, "")
	c := mustLoad(t, strings.Replace(small, "level: 4", "level: 3", 1), "")
	d := mustLoad(t, small, "unmapped_level: 2")
	if a.Version() != b.Version() || a.Version() == c.Version() || a.Version() == d.Version() {
		t.Errorf("versions: %s %s %s %s", a.Version(), b.Version(), c.Version(), d.Version())
	}
}
