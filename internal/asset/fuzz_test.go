// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
)

// FuzzInventory: whatever an editor leaves behind is an inventory or errors with file and line, and never a panic.
func FuzzInventory(f *testing.F) {
	f.Add([]byte(small))
	f.Add(defaultPolicy)
	for _, name := range []string{"../../deploy/sample/policy.yml", "profiles/qcvn12-2026.yml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{"", "-", "a: &a [*a]", "? {a: b}\n: c", "systems: {}", "systems: [[]]", "--- 1\n--- 2",
		"systems:\n- id: \"\xff\"", "!!binary x", "a: |\n  b", "<<: {}", "zones: [{id: a, cidrs: [0.0.0.0/0, \"::/0\"]}]",
		"systems: [{id: e, name: Nguye\u0302\u0303n, level: 3}]"} {
		f.Add([]byte(s))
	}
	laws := mustLoad(f, "", "").profiles
	located := regexp.MustCompile(`^f\.yml:\d+: `)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 16<<10 {
			return
		}
		d, err := readInventory("f.yml", data)
		if err == nil {
			var inv *Inventory
			if inv, err = d.build(DefaultPolicy(), laws); err == nil {
				for _, a := range []string{"0.0.0.0", "10.10.1.11", "255.255.255.255", "::", "2001:db8::1"} {
					inv.Lookup("dc1", netip.MustParseAddr(a))
				}
				for _, s := range inv.Systems() {
					if s.Effective < 1 || s.Effective > 5 {
						t.Errorf("system %s has level %d", s.ID, s.Effective)
					}
				}
			}
		}
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !located.MatchString(line) && !strings.HasPrefix(line, "f.yml: and ") {
					t.Errorf("an error without file and line: %q", line)
				}
			}
		}
		parsePolicy("p.yml", data, DefaultPolicy())
		readProfile("v.yml", data)
	})
}

// hop is another reading of one hop of X-Forwarded-For, by the standard library's net package and a pattern.
var hop = regexp.MustCompile(`^(?:\[([0-9A-Fa-f.:]+)\](?::\d{1,5})?|` +
	`(\d+\.\d+\.\d+\.\d+)(?::\d{1,5})?|([0-9A-Fa-f.:]+))$`)

func oracleHop(s string) net.IP {
	s = strings.Trim(s, " \t\"")
	m := hop.FindStringSubmatch(s)
	if m == nil || len(s) > 64 {
		return nil
	}
	return net.ParseIP(m[1] + m[2] + m[3])
}

// FuzzForwardedFor compares the walk with one that splits the whole header first and goes the same way on net.IP.
func FuzzForwardedFor(f *testing.F) {
	for _, s := range []string{"", "-", "198.51.100.7", "10.0.0.9, 198.51.100.7, 10.10.1.5", "a, 198.51.100.7",
		"198.51.100.7:443", "[2001:db8::1]:443, 10.10.1.6", "2001:db8::1", "\"198.51.100.7\"", "198.51.100.7,,10.10.1.5",
		"unknown, 10.10.1.5", "::ffff:198.51.100.7", "::ffff:10.10.1.5, ::ffff:10.10.1.6", "fe80::1%eth0", "1.2.3.4:",
		"010.10.1.5", "10.10.1.5,\t203.0.113.1 ", "[::1", "[1.2.3.4]", "127.1", "Nguyễn, Nguye\u0302\u0303n"} {
		f.Add("10.10.1.5", s)
		f.Add("198.51.100.9", s)
	}
	ours := &net.IPNet{IP: net.IPv4(10, 10, 1, 0).To4(), Mask: net.CIDRMask(24, 32)}
	trusted := func(a netip.Addr) bool { return netip.MustParsePrefix("10.10.1.0/24").Contains(a) }
	f.Fuzz(func(t *testing.T, peer, header string) {
		at, err := netip.ParseAddr(peer)
		if err != nil || at.Zone() != "" {
			return
		}
		got := nearestUntrusted(at, header, trusted)
		want := net.ParseIP(peer)
		hops := strings.Split(header, ",")
		for i := len(hops) - 1; i >= 0 && ours.Contains(want); i-- {
			next := oracleHop(hops[i])
			if next == nil {
				break
			}
			want = next
		}
		if want.String() != got.String() {
			t.Errorf("peer %s, header %q: %s, the oracle says %s", peer, header, got, want)
		}
		if !trusted(at.Unmap()) && got != at.Unmap() {
			t.Errorf("a header from %s, no proxy, was believed", peer)
		}
	})
}

// TestOracleLookup compares the flattened tables with a plain search through everything that was declared.
func TestOracleLookup(t *testing.T) {
	type part struct {
		prefix       *net.IPNet
		bits         int
		system, site string
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		var text strings.Builder
		var parts []part
		inside := map[string][]*net.IPNet{}
		text.WriteString("sites:\n")
		for i := range 3 {
			cidr := fmt.Sprintf("10.%d.0.0/%d", rnd.IntN(2), 12+rnd.IntN(6))
			_, n, _ := net.ParseCIDR(cidr)
			site := fmt.Sprintf("s%d", i)
			inside[site] = append(inside[site], n)
			fmt.Fprintf(&text, "  - {id: %s, cidrs: [%s]}\n", site, n)
		}
		text.WriteString("systems:\n")
		taken := map[string]bool{}
		for i := range 30 {
			bits := []int{8, 14, 16, 20, 24, 28, 31, 32}[rnd.IntN(8)]
			_, n, _ := net.ParseCIDR(fmt.Sprintf("10.%d.%d.%d/%d", rnd.IntN(2), rnd.IntN(3), rnd.IntN(256), bits))
			site := []string{"s0", "s1", "s2", ""}[rnd.IntN(4)]
			tie := taken[n.String()+"|"] || taken[n.String()+"|"+site]
			if site == "" {
				tie = tie || taken[n.String()+"|s0"] || taken[n.String()+"|s1"] || taken[n.String()+"|s2"]
			}
			if tie {
				continue
			}
			taken[n.String()+"|"+site] = true
			id := fmt.Sprintf("x%d", i)
			parts = append(parts, part{n, bits, id, site})
			fmt.Fprintf(&text, "  - {id: %s, name: %s, level: %d, components: [{cidrs: [%s], site: %q}]}\n", id, id,
				1+rnd.IntN(5), n, site)
		}
		inv := mustLoad(t, text.String(), "")
		own := func(site string, a net.IP) (id string, known bool) {
			best := -1
			for _, p := range parts {
				if (p.site == site || p.site == "") && p.prefix.Contains(a) && p.bits > best {
					best, id = p.bits, p.system
				}
			}
			for _, n := range inside[site] {
				known = known || n.Contains(a)
			}
			return id, known || best >= 0
		}
		for range 3000 {
			a := net.IPv4(byte(10+rnd.IntN(2)), byte(rnd.IntN(2)), byte(rnd.IntN(4)), byte(rnd.IntN(256)))
			site := fmt.Sprintf("s%d", rnd.IntN(4)) // s3 is unknown
			want, known := own(site, a)
			if site == "s3" || !known {
				answers := map[string]bool{}
				for _, s := range []string{"s0", "s1", "s2"} {
					if id, ok := own(s, a); ok {
						answers[id] = true
					}
				}
				want, known = "", len(answers) > 0
				if len(answers) == 1 {
					for id := range answers {
						want = id
					}
				}
			}
			addr, _ := netip.AddrFromSlice(a.To4())
			m := inv.Lookup(site, addr)
			if m.id() != want || (m.Level > 0) != known {
				t.Fatalf("round %d: Lookup(%s, %s) = %q level %d, want %q known %v\n%s", round, site, a, m.id(), m.Level,
					want, known, text.String())
			}
		}
	}
}
