// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"strings"
	"testing"
	"time"
)

func TestDefaultPolicySeverity(t *testing.T) {
	want := map[string][5]Severity{
		"informational": {Info, Info, Low, Low, Medium},
		"low":           {Low, Low, Medium, Medium, High},
		"medium":        {Low, Medium, High, High, Critical},
		"high":          {Medium, High, High, Critical, Critical},
		"critical":      {High, High, Critical, Critical, Critical},
	}
	p := DefaultPolicy()
	for sigma, row := range want {
		for i, sev := range row {
			if got, text := p.Severity(sigma, uint8(i+1)); got != sev || !strings.Contains(text, sev.Word()) {
				t.Errorf("Severity(%s, %d) = %v (%s), want %v", sigma, i+1, got, text, sev)
			}
		}
		if got, _ := p.Severity(sigma, 0); got != row[0] {
			t.Errorf("Severity(%s, no level) = %v, want that of level 1, %v", sigma, got, row[0])
		}
	}
	got, text := p.Severity("high", 3, "success-after-failures", "nothing-known")
	if got != Critical || !strings.Contains(text, "luật mức high, hệ thống cấp độ 3 → Cao; +1 bậc vì đăng nhập") {
		t.Errorf("a context row gives %v, %q", got, text)
	}
	if got, _ := p.Severity("critical", 5, p.Contexts()...); got != Critical {
		t.Errorf("steps go beyond critical: %v", got)
	}
	if p.UnmappedLevel() != 3 || p.RetentionFloorDays() != 365 || p.Serious().MinLevel != 3 {
		t.Errorf("defaults: unmapped %d, floor %d, serious from %d", p.UnmappedLevel(), p.RetentionFloorDays(),
			p.Serious().MinLevel)
	}
	if p.Silence("dvc", 4) != 15*time.Minute || p.Silence("", 0) != time.Hour {
		t.Errorf("silence: %v, %v", p.Silence("dvc", 4), p.Silence("", 0))
	}
}

func TestPolicyFile(t *testing.T) {
	p, err := parsePolicy("p.yml", []byte(`
decision: {number: 12/QĐ-UBND, date: 01/09/2026, authority: Chủ tịch UBND tỉnh}
severity:
  high: [low, low, low, low, critical]
thresholds:
  - rule: ssh-guess
    by_level: {3: {gte: 5}, 4: {gt: 3}}
retention_floor_days: 0
silence: {levels: {4: 10m}, default: 2h, systems: {dvc: 3m}}
`), DefaultPolicy())
	if err != nil {
		t.Fatal(err)
	}
	if s, text := p.Severity("high", 4); s != Low || !strings.HasPrefix(text, "Chính sách theo 12/QĐ-UBND") {
		t.Errorf("severity %v, %q", s, text)
	}
	if s, _ := p.Severity("medium", 3); s != High {
		t.Errorf("a row the file leaves out: %v, want the built-in High", s)
	}
	for _, c := range []struct {
		level uint8
		want  float64
		ok    bool
	}{{2, 0, false}, {3, 5, true}, {4, 3, true}, {5, 3, true}} {
		if got, ok := p.Threshold("ssh-guess", c.level); got.Value != c.want || ok != c.ok {
			t.Errorf("Threshold(level %d) = %v %v", c.level, got, ok)
		}
	}
	if p.Silence("dvc", 3) != 3*time.Minute || p.Silence("x", 4) != 10*time.Minute || p.Silence("x", 3) != 2*time.Hour {
		t.Error("silence: system, level and default do not go in this order")
	}
	if p.RetentionFloorDays() != 0 {
		t.Errorf("floor %d", p.RetentionFloorDays())
	}
}

func TestPolicyMistakes(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"severities: {}", `p.yml:1: unknown key "severities" (did you mean "severity"?)`},
		{"severity:\n  hihg: [low, low, low, low, low]", `p.yml:2: unknown key "hihg": rows are`},
		{"severity:\n  high: [low, low]", `p.yml:2: a row has five severities`},
		{"severity:\n  high: [low, low, low, low, nghiêm trọng]", `p.yml:2: "nghiêm trọng" is no severity`},
		{"severity:\n  high: [high, low, low, low, low]", `a higher level never counts less`},
		{"\nunmapped_level: 6", `p.yml:2: "6" is not a whole number from 1 to 5`},
		{"thresholds:\n - rule: x", `p.yml:2: a threshold needs rule and by_level`},
		{"silence: {default: soon}", `p.yml:1: "soon" is not a time span`},
		{"retention_exceptions:\n - {system: x, days: 3}", `needs system, days and decision`},
		{"a: [", `p.yml:1: not readable as YAML`},
		{"a: &x 1\nb: *x", `anchors and aliases`},
		{"decision: {}\ndecision: {}", `p.yml:2:`},
	} {
		_, err := parsePolicy("p.yml", []byte(c.file), DefaultPolicy())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.file, err, c.want)
		}
	}
}
