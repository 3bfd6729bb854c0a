// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/haidang-soc/haidang/internal/event"
)

func day(s string) time.Time {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic(err)
	}
	return t
}

func system(t *testing.T, inv *Inventory, id string) *System {
	t.Helper()
	s, ok := inv.System(id)
	if !ok {
		t.Fatalf("no system %s", id)
	}
	return s
}

// A level 3 system whose level was decided under the decree of 2016 has on 24/11/2026 exactly the clocks of the design:
// at once, 24 h, 72 h, 72 h for personal data, and the 5 days of the old rule shown as legacy. It is no records system.
func TestDutiesOfALegacySystem(t *testing.T) {
	inv := mustLoad(t, small, "")
	type clock struct {
		Trigger string
		Hours   float64
		Clause  string
		Legacy  bool
	}
	var got []clock
	for _, d := range inv.Duties(system(t, inv, "dvc"), day("2026-11-24")) {
		got = append(got, clock{d.Trigger, d.Within.Hours(), d.Clause.Text, d.Legacy})
		if d.Certainty != "F1" || d.From != "detected_at" || d.To == "" {
			t.Errorf("duty %s: certainty %q, from %q, to %q", d.ID, d.Certainty, d.From, d.To)
		}
	}
	want := []clock{
		{"national-security", 0, "NĐ 331/2026/NĐ-CP Điều 31.2.d", false},
		{"serious", 24, "NĐ 331/2026/NĐ-CP Điều 31.2.d", false},
		{"any", 72, "NĐ 331/2026/NĐ-CP Điều 31.2.d", false},
		{"personal-data", 72, "Luật 91/2025/QH15 Điều 23.1", false},
		{"any", 120, "QĐ 05/2017/QĐ-TTg Điều 11.1.a; TT 20/2017/TT-BTTTT Điều 9.2.a", true},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("duties (-want +got):\n%s", d)
	}
}

func TestDutiesByDateAndOverlay(t *testing.T) {
	inv := mustLoad(t, strings.Replace(small, "profile: vn-2016", "overlays: [qcvn12-2026]", 1), "")
	ids := func(id, on string) string {
		var out []string
		for _, d := range inv.Duties(system(t, inv, id), day(on)) {
			out = append(out, d.ID)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct{ system, on, want string }{
		{"dvc", "2026-11-24", "at-once records-24h serious-24h incident-72h personal-data-72h legacy-notice"},
		{"portal", "2026-11-24", "at-once serious-24h incident-72h personal-data-72h legacy-notice"},
		{"dvc", "2026-08-18", "records-24h personal-data-72h legacy-notice"},
		{"dvc", "2025-12-31", "legacy-notice"},
		{"dvc", "2017-01-01", ""},
	} {
		if got := ids(c.system, c.on); got != c.want {
			t.Errorf("%s on %s: %s, want %s", c.system, c.on, got, c.want)
		}
	}
}

// A text comes into force at midnight in Vietnam; an address that nobody claims has the clocks of every system.
func TestDutiesAtMidnight(t *testing.T) {
	inv := mustLoad(t, small, "")
	midnight := time.Date(2026, 8, 18, 17, 0, 0, 0, time.UTC)
	for _, s := range []*System{nil, system(t, inv, "dvc")} {
		before, after := len(inv.Duties(s, midnight.Add(-time.Second))), len(inv.Duties(s, midnight))
		if before != 2 || after != 5 {
			t.Errorf("%d duties before, %d after, want 2 and 5", before, after)
		}
	}
	if inv.Measures(nil, midnight) != nil {
		t.Error("measures of no system")
	}
}

func TestMeasuresStrictestWins(t *testing.T) {
	inv := mustLoad(t, strings.Replace(small, "profile: vn-2016", "profile: vn-2016\n    overlays: [qcvn12-2026]", 1), "")
	get := func(on, key string) Figure {
		for _, f := range inv.Measures(system(t, inv, "dvc"), day(on)) {
			if f.Key == key {
				return f
			}
		}
		return Figure{Value: -1}
	}
	for _, c := range []struct {
		on, key, profile string
		value            int
	}{
		{"2026-11-24", "retention_days", "qcvn12-2026", 365},
		{"2026-06-30", "retention_days", "vn-2016", 90},
		{"2026-11-24", "log_review_days", "qcvn12-2026", 7},
		{"2026-11-24", "security_check_months", "vn-2016", 12},
		{"2027-07-01", "security_check_months", "", -1}, // the profile has given way to vn-2026
		{"2027-07-01", "national_connection", "vn-2026", 1},
		{"2027-07-01", "drill_days", "qcvn12-2026", 365},
	} {
		if f := get(c.on, c.key); f.Value != c.value || f.Profile != c.profile {
			t.Errorf("%s on %s: %d of %q, want %d of %q", c.key, c.on, f.Value, f.Profile, c.value, c.profile)
		}
	}
	all := inv.Measures(system(t, inv, "dvc"), day("2026-11-24"))
	if !slices.IsSortedFunc(all, func(a, b Figure) int { return strings.Compare(a.Key, b.Key) }) {
		t.Error("measures are not ordered by key")
	}
}

func TestBasis(t *testing.T) {
	inv := mustLoad(t, small, "")
	chain := func(id string) string {
		var out []string
		for _, c := range inv.Basis(system(t, inv, id)) {
			out = append(out, c.Text+" ["+string(c.Certainty)+"]")
		}
		return strings.Join(out, " → ")
	}
	want := "NĐ 85/2016/NĐ-CP Điều 19.2.đ [F1] → TT 12/2022/TT-BTTTT Điều 10 [F1] → " +
		"TCVN 11930:2017 mục 7.1.5.6 (quản lý giám sát) [F1]"
	if got := chain("dvc"); got != want {
		t.Errorf("vn-2016: %s", got)
	}
	want = "NĐ 331/2026/NĐ-CP Điều 29.2.đ [F1] → TCVN 14423:2026 mục 6.13 (giám sát) [F2]"
	if got := chain("kho"); got != want {
		t.Errorf("vn-2026: %s", got)
	}
	if inv.Basis(nil) != nil {
		t.Error("an address that nobody claims has a basis")
	}
}

func TestRetentionClass(t *testing.T) {
	level := func(n string) string { return strings.Replace(small, "level: 3\n", "level: "+n+"\n", 1) }
	exception := "retention_floor_days: 365\nretention_exceptions: [{system: dvc, days: 40, decision: 7/QĐ}]"
	for _, c := range []struct {
		level, policy string
		want          int
	}{
		{"3", "", 365}, {"1", "", 365}, {"5", "retention_floor_days: 400", 730},
		{"1", "retention_floor_days: 0", 30}, {"2", "retention_floor_days: 0", 30},
		{"3", "retention_floor_days: 0", 90}, {"4", "retention_floor_days: 0", 180},
		{"5", "retention_floor_days: 0", 365}, {"3", "retention_floor_days: 91", 180},
		{"2", exception, 90},  // 40 rounded up
		{"4", exception, 180}, // never below the law
	} {
		inv := mustLoad(t, level(c.level), c.policy)
		if got := inv.RetentionClass(system(t, inv, "dvc")); got != c.want {
			t.Errorf("level %s, policy %q: %d, want %d", c.level, c.policy, got, c.want)
		}
	}
	inv := mustLoad(t, small, "retention_floor_days: 0")
	b := event.NewBuilder("test", 1)
	for i, want := range []struct {
		system, source string
		days           int
	}{{"portal", "kho", 180}, {"portal", "", 30}, {"", "", 30}, {"gone", "", 30}} {
		b.Reset("test", 1)
		b.Begin(uint64(i), 0)
		b.Str(event.HaidangSystemID, want.system)
		b.Str(event.HaidangSourceSystemID, want.source)
		b.End()
		if got := inv.Retention(b.Batch(0, 9).At(0)); got != want.days {
			t.Errorf("event of %s and %s: %d days, want %d", want.system, want.source, got, want.days)
		}
	}
}

// A folder of profiles replaces the built-in ones; figures are weighed whatever order they come in.
func TestOwnProfiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("old.yml", `
id: old
until: 2027-01-01
successor: new
measures:
  retention_days: [{levels: 1-3, value: 180, clause: A, certainty: M}]
  log_review_days: [{levels: 1-5, value: 30, clause: A, certainty: M}]
  drill_days: [{levels: 1-5, value: 365, clause: A, certainty: M}]
duties: [{id: x, text: X, trigger: any, hours: 1, clause: A, certainty: F1, min_level: 4}]
`)
	write("new.yml", "id: new\nstandard: true\nmeasures: {retention_days: [{value: 700, clause: N, certainty: F1}]}\n")
	write("over.yml", `
id: over
kind: overlay
measures:
  log_review_days: [{value: 60, clause: B, certainty: F1}]
  drill_days: [{value: 365, clause: B, certainty: F2}]
`)
	write("inventory.yml.txt", `
systems:
  - {id: a, name: A, level: 3, profile: old, overlays: [over]}
  - {id: b, name: B, level: 4, profile: old, overlays: [over]}
  - {id: c, name: C, level: 3}
`)
	write("policy.txt", "retention_floor_days: 0")
	inv, err := Load(Config{Inventory: filepath.Join(dir, "inventory.yml.txt"), Policy: filepath.Join(dir, "policy.txt"),
		Profiles: dir})
	if err != nil {
		t.Fatal(err)
	}
	a, b := system(t, inv, "a"), system(t, inv, "b")
	var got []string
	for _, f := range inv.Measures(a, day("2026-11-24")) {
		got = append(got, fmt.Sprintf("%s=%d %s", f.Key, f.Value, f.Text))
	}
	if want := "drill_days=365 B, log_review_days=30 A, retention_days=180 A"; strings.Join(got, ", ") != want {
		t.Errorf("measures %v, want %s", got, want)
	}
	if inv.RetentionClass(a) != 730 || inv.RetentionClass(b) != 730 {
		t.Errorf("the announced successor asks 700 days: %d, %d", inv.RetentionClass(a), inv.RetentionClass(b))
	}
	if len(inv.Duties(a, day("2026-11-24"))) != 0 || len(inv.Duties(b, day("2026-11-24"))) != 1 {
		t.Error("min_level of a duty")
	}
	if c := system(t, inv, "c"); c.Profile != "new" {
		t.Errorf("standard profile %q", c.Profile)
	}
	version := inv.Version()
	write("new.yml", "id: new\nstandard: true\n")
	inv, err = Load(Config{Inventory: filepath.Join(dir, "inventory.yml.txt"), Policy: filepath.Join(dir, "policy.txt"),
		Profiles: dir})
	if err != nil {
		t.Fatal(err)
	}
	if inv.Version() == version {
		t.Error("another profile, the same version")
	}
	if got := inv.RetentionClass(system(t, inv, "b")); got != 180 {
		t.Errorf("level 4 names no figure, level 3 180 days: %d; raising a level must not shorten", got)
	}
	for text, want := range map[string]string{
		"id: bad\nbasis: [{levels: 6}]":     `bad.yml:2: "6" is not a level`,
		"id: bad\nmeasures: {a: [{}]}":      `bad.yml:2: a figure needs value, clause and certainty`,
		"id: bad\nduties: [{id: x}]":        `bad.yml:2: a duty needs`,
		"id: bad\nsuccessor: over":          `successor "over" is no profile`,
		"id: bad\nstandard: true":           `standard is already`,
		"id: bad\nmeasure: {}":              `(did you mean "measures"?)`,
		"id: bad\nbasis: [{levels: 4-3}]":   `"4-3" is not a level`,
		"id: other":                         `must be the file's name`,
		"id: bad\nduties: [{trigger: any}]": `a duty needs`,
	} {
		write("bad.yml", text)
		if _, err := Load(Config{Profiles: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// Every figure of the built-in profiles names its clause and how certain it is, and no figure falls with the level.
func TestBuiltinProfiles(t *testing.T) {
	inv := mustLoad(t, small, "")
	if got := strings.Join(append(inv.profiles.names(false), inv.profiles.names(true)...), " "); got !=
		"vn-2016 vn-2026 bca pdpl-2026 qcvn12-2026 tslcd-2026" {
		t.Errorf("profiles: %s", got)
	}
	for _, p := range inv.profiles.list {
		last := map[string]int{}
		for _, f := range p.figures {
			if o, ok := last[f.Key]; ok && slices.Contains(longerIsStricter, f.Key) && f.Value < o {
				t.Errorf("%s: %s falls at level %d", p.id, f.Key, f.level)
			}
			last[f.Key] = f.Value
		}
		for _, l := range p.basis {
			if l.Text == "" || l.Certainty == "" {
				t.Errorf("%s: a link of the basis lacks clause or certainty", p.id)
			}
		}
	}
}
