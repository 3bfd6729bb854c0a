// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// seed are the systems that a province's architecture names; the sample must hold each with level and reason.
const seed = `dvc motcua portal nghiepvu kiosk sms lgsp ndxp qlvb qlts baocao danhmuc mail hoinghi chuky chuyennganh
httt_qlnn thongke noibo sso trolyao cloud opendata csdl_cn csdl_dm kho ttdl wan lan vpn inet mangcp soc soc_qg dvcqg emc
paygov danhgia csdlqg`

func sample(t testing.TB) *Inventory {
	t.Helper()
	inv, err := Load(Config{Inventory: "../../deploy/sample/inventory.yml", Policy: "../../deploy/sample/policy.yml"})
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func TestSampleProvince(t *testing.T) {
	inv := sample(t)
	for _, id := range strings.Fields(seed) {
		s, ok := inv.System(id)
		if !ok || s.Reason == "" || s.Owner == "" || s.Effective == 0 {
			t.Errorf("system %s: %+v lacks level, reason or owner", id, s)
		}
	}
	states, profiles, levels := map[Status]int{}, map[string]int{}, map[uint8]int{}
	for _, s := range inv.Systems() {
		states[s.Status]++
		profiles[s.Profile]++
		levels[s.Effective]++
		if strings.HasPrefix(s.Operator, "xa-") && len(s.Contacts) == 0 {
			t.Errorf("commune %s has no contact", s.ID)
		}
	}
	if states[Decided] < 5 || states[Proposed] < 5 || states[Derived] < 2 || profiles["vn-2016"] < 5 ||
		profiles["vn-2026"] < 5 || len(levels) < 4 {
		t.Errorf("the mix: states %v, profiles %v, levels %v", states, profiles, levels)
	}
	if len(inv.Units()) < 12 {
		t.Errorf("%d units", len(inv.Units()))
	}
	for _, c := range []struct {
		site, address, system, zone string
		level                       uint8
		status                      Status
	}{
		{"dc1", "10.10.1.11", "dvc", "dmz", 3, Decided},
		{"dc1", "10.10.1.12", "dvc", "dmz", 3, Decided},
		{"dc1", "10.10.2.11", "dvc", "csdl", 3, Decided},
		{"dc1", "203.0.113.11", "dvc", "dmz", 3, Decided},
		{"dc1", "10.10.250.9", "", "quan-tri", 3, Unclassified},
		{"dc1", "10.30.5.1", "fw-stc", "so-nganh", 3, Derived},
		{"dc1", "10.100.0.11", "ttdl", "luu-tru", 3, Decided},
		{"dc2", "10.100.0.11", "ttdl-dp", "luu-tru-du-phong", 3, Proposed},
		{"dc1", "10.40.7.1", "", "xa-phuong", 3, Unclassified}, // the firewall that nobody entered
		{"dc1", "10.40.5.8", "lan-dac-khu-hon-den", "xa-phuong", 1, Proposed},
		{"dc1", "198.51.100.7", "", "", 0, Decided},
	} {
		m := inv.Lookup(c.site, netip.MustParseAddr(c.address))
		if m.id() != c.system || m.Zone != c.zone || m.Level != c.level || m.Status != c.status {
			t.Errorf("Lookup(%s, %s) = %s %s %d %q, want %+v", c.site, c.address, m.id(), m.Zone, m.Level, m.Status, c)
		}
	}
	for _, c := range []struct{ host, system string }{{"dvc-web-01", "dvc"}, {"dvc-web-02", "dvc"},
		{"dvc-db-01", "dvc"}, {"fw-stc-01", "fw-stc"}, {"fw-stc-01.haidang.example", "fw-stc"}} {
		if m, _ := inv.LookupHost("dc1", c.host); m.id() != c.system {
			t.Errorf("LookupHost(%s) = %s", c.host, m.id())
		}
	}
	if got := inv.Silence("fw-stc"); got != 10*time.Minute {
		t.Errorf("silence of fw-stc %v", got)
	}
	if got := inv.Silence("qlts"); got != 4*time.Hour {
		t.Errorf("silence of a level 2 system %v", got)
	}
	if s, _ := inv.System("vbmat"); s == nil || !s.Secret() {
		t.Error("no system of state secrets")
	}
	if s, _ := inv.System("hoinghi"); inv.RetentionClass(s) != 90 {
		t.Errorf("hoinghi is kept %d days", inv.RetentionClass(s))
	}
	if got := inv.Policy().Decision().Number; got != "2300/QĐ-UBND" {
		t.Errorf("policy by %q", got)
	}
	if got := inv.UnitName("skhcn", day("2024-05-01")); got != "Sở Thông tin và Truyền thông" {
		t.Errorf("skhcn in 2024: %s", got)
	}
	if got := inv.UnitName("skhcn", day("2026-05-01")); got != "Sở Khoa học và Công nghệ" {
		t.Errorf("skhcn in 2026: %s", got)
	}
}
