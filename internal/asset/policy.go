// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	_ "embed"
	"fmt"
	"slices"
	"time"
)

//go:embed policy.yml
var defaultPolicy []byte

// Policy is what the province has decided for itself: severities, thresholds, the level of what nobody claimed,
// retention beyond the law, what is serious, and how long a source may be silent. No law sets any of these. A Policy is
// immutable and safe for concurrent use; the zero Policy is not usable, DefaultPolicy is.
type Policy struct {
	file       string
	decision   Decision
	severity   [5][5]Severity // Sigma level, system level - 1
	steps      []contextRow
	thresholds map[string][]Threshold
	unmapped   uint8
	floor      int
	exceptions map[string]exception
	serious    Serious
	silence    [6]time.Duration // by level; 0 = no level
	silences   map[string]time.Duration
}

// Decision is the act by which a level or a policy was adopted.
type Decision struct {
	Number    string
	Date      time.Time // zero when not dated
	Authority string
	Status    string // of a level: draft, submitted, appraised, approved
	Basis     string // the decree it was decided under
}

// Threshold is what a rule's count is compared with on systems of one level, in place of the rule's own figure.
type Threshold struct {
	Level uint8
	Op    string // gte or gt
	Value float64
}

// Serious is the province's row on what makes an incident serious, since no text in force defines it.
type Serious struct {
	MinLevel uint8    // of the system
	Any      []string // one of these signs is enough
	Text     string   // Vietnamese, shown beside the question
}

type contextRow struct {
	name, text string
	step       int
}

type exception struct {
	days     int
	decision string
	line     int
}

// DefaultPolicy returns the policy built into the program: the tables of the design, adopted by nobody yet.
func DefaultPolicy() *Policy {
	p, err := parsePolicy("policy.yml (built in)", defaultPolicy, &Policy{})
	if err != nil {
		panic(err) // it is part of the program and a test loads it
	}
	return p
}

// Decision returns the act that adopted the policy; its Number is empty for a policy that nobody has adopted.
func (p *Policy) Decision() Decision { return p.decision }

// Severity returns the severity that the policy gives to a rule of a Sigma level (informational, low, medium, high,
// critical; anything else counts as medium) on a system level (0, no system touched, counts as 1), raised one step for
// each context row that applies (see Contexts), and the Vietnamese text that names the rows used: the alert's chính
// sách. Unknown contexts change nothing.
func (p *Policy) Severity(sigma string, level uint8, contexts ...string) (Severity, string) {
	row := slices.Index(sigmaLevels[:], sigma)
	if row < 0 {
		row = int(Medium)
	}
	column := min(max(level, 1), 5)
	s := p.severity[row][column-1]
	where := fmt.Sprintf("hệ thống cấp độ %d", column)
	if level == 0 {
		where = "không chạm hệ thống nào (tính như cấp độ 1)"
	}
	text := fmt.Sprintf("%s: luật mức %s, %s → %s", p.title(), sigmaLevels[row], where, s.Word())
	for i, c := range p.steps {
		if slices.Contains(contexts, c.name) && !slices.ContainsFunc(p.steps[:i], func(o contextRow) bool {
			return o.name == c.name
		}) {
			s = s.up(c.step)
			text += fmt.Sprintf("; +%d bậc vì %s → %s", c.step, c.text, s.Word())
		}
	}
	return s, text
}

func (p *Policy) title() string {
	if p.decision.Number == "" {
		return "Chính sách mặc định, bảng mức cảnh báo"
	}
	return "Chính sách theo " + p.decision.Number + ", bảng mức cảnh báo"
}

// Contexts returns the names of the context rows, such as success-after-failures, in the policy's order.
func (p *Policy) Contexts() []string {
	names := make([]string, len(p.steps))
	for i, c := range p.steps {
		names[i] = c.name
	}
	return names
}

// Threshold returns what the policy puts in place of a rule's own threshold for systems of the given level: the row of
// the highest level not above it. ok is false where the policy says nothing and the rule's figure stands.
func (p *Policy) Threshold(rule string, level uint8) (t Threshold, ok bool) {
	for _, row := range p.thresholds[rule] { // ascending by level
		if row.Level <= level {
			t, ok = row, true
		}
	}
	return t, ok
}

// UnmappedLevel is the level of an address inside a site's own ranges that no system claims.
func (p *Policy) UnmappedLevel() uint8 { return p.unmapped }

// RetentionFloorDays is how long every event is kept at least, whatever the law asks.
func (p *Policy) RetentionFloorDays() int { return p.floor }

// Serious returns the row that says what a serious incident is.
func (p *Policy) Serious() Serious {
	s := p.serious
	s.Any = slices.Clone(s.Any)
	return s
}

// Silence is how long a source of a system may say nothing before that is an event of its own: the row of the system,
// else that of the level.
func (p *Policy) Silence(system string, level uint8) time.Duration {
	if d, ok := p.silences[system]; ok {
		return d
	}
	return p.silence[min(level, 5)]
}
