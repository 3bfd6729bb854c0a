// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

//go:embed profiles/*.yml
var builtinProfiles embed.FS

// Certainty says how sure we are of a figure or clause: F1 the clause itself was read, F2 second-hand, M from memory,
// I inferred.
type Certainty string

// Verified says who compared a figure with the promulgated text, and when; empty until a person has.
type Verified struct {
	By   string
	Date time.Time
}

// Clause is one link of a legal chain.
type Clause struct {
	Text      string
	Certainty Certainty
	Verified  Verified
}

// Figure is one number of the law. Value is in the unit that its key names (retention_days, log_review_days); of a
// yes-or-no measure it is 1.
type Figure struct {
	Key     string
	Value   int
	Profile string
	Clause
}

// Duty is a reporting clock: what must be told to whom, how long after which moment.
type Duty struct {
	ID      string
	Text    string        // Vietnamese
	Trigger string        // any, serious, national-security, personal-data, records-system
	Within  time.Duration // 0 = at once
	From    string        // what starts the clock: detected_at
	To      string        // recipient, Vietnamese
	Legacy  bool          // shown for those who still report the old way
	Due     time.Time     // the day compliance must be reached; zero = at once in force
	Clause
	profile    string
	since, end time.Time
	minLevel   uint8
	overlay    string // only systems with this overlay
}

type profile struct {
	id, title, status string
	overlay           bool
	standard          bool
	since, end        time.Time
	successor         string
	basis             []link
	figures           []levelFigure
	duties            []Duty
}

type link struct {
	Clause
	low, high uint8
}

type levelFigure struct {
	Figure
	level uint8
}

// profiles are all the law that was loaded.
type profiles struct {
	byID     map[string]*profile
	list     []*profile // by id
	standard string     // for systems that name none
	sum      []byte     // SHA-256 of all files
}

// legacyProfile is the profile of levels decided under the decree of 2016.
const legacyProfile = "vn-2016"

func (ps *profiles) names(overlays bool) (out []string) {
	for _, p := range ps.list {
		if p.overlay == overlays {
			out = append(out, p.id)
		}
	}
	return out
}

// loadProfiles reads every profile of a folder.
func loadProfiles(dir fs.FS, where string) (*profiles, error) {
	names, err := fs.Glob(dir, "*.yml")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("%s: no profiles (*.yml) in it", where)
	}
	ps := &profiles{byID: map[string]*profile{}}
	sum := sha256.New()
	for _, name := range names {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("profiles: reading %s: %w", name, err)
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(data), data)
		p, err := readProfile(path.Join(where, name), data)
		if err != nil {
			return nil, err
		}
		if p.id != strings.TrimSuffix(name, ".yml") {
			return nil, &lineError{path.Join(where, name), 1, fmt.Sprintf("id %q must be the file's name", p.id)}
		}
		ps.byID[p.id] = p
		ps.list = append(ps.list, p)
		if p.standard {
			if ps.standard != "" {
				return nil, &lineError{path.Join(where, name), 1, fmt.Sprintf("standard is already %q", ps.standard)}
			}
			ps.standard = p.id
		}
	}
	slices.SortFunc(ps.list, func(a, b *profile) int { return cmp.Compare(a.id, b.id) })
	for _, p := range ps.list {
		if s, ok := ps.byID[p.successor]; p.successor != "" && (!ok || s.overlay) {
			return nil, &lineError{path.Join(where, p.id+".yml"), 1, fmt.Sprintf("successor %q is no profile", p.successor)}
		}
	}
	ps.sum = sum.Sum(nil)
	if ps.standard == "" {
		return nil, fmt.Errorf("%s: no profile is marked standard: true", where)
	}
	return ps, nil
}

func readProfile(file string, data []byte) (*profile, error) {
	root, err := parseTree(file, data)
	if err != nil {
		return nil, err
	}
	p := &profile{}
	r := &reader{file: file}
	kindWord := "profile"
	r.object(root,
		field{"id", r.name(&p.id)}, field{"title", r.text(&p.title)}, field{"status", r.text(&p.status)},
		field{"kind", r.enum(&kindWord, "profile", "overlay")}, field{"standard", r.flag(&p.standard)},
		field{"since", r.date(&p.since)}, field{"until", r.date(&p.end)}, field{"successor", r.text(&p.successor)},
		field{"basis", r.each(func(n *node) {
			l := link{high: 5, low: 1}
			r.object(n, r.clause(&l.Clause, field{"levels", r.levels(&l.low, &l.high)})...)
			p.basis = append(p.basis, l)
		})},
		field{"measures", r.entries(func(k, v *node) { r.measure(p, k, v) })},
		field{"duties", r.each(func(n *node) { r.duty(p, n) })},
	)
	p.overlay = kindWord == "overlay"
	if p.id == "" {
		r.fail(root.line, "a profile needs an id")
	}
	for i := range p.figures {
		p.figures[i].Profile = p.id
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return p, nil
}

func (r *reader) flag(dst *bool) func(*node) {
	return func(n *node) {
		word := ""
		r.enum(&word, "true", "false")(n)
		*dst = word == "true"
	}
}

// levels reads 3 or 3-5.
func (r *reader) levels(low, high *uint8) func(*node) {
	return func(n *node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		a, b, ranged := strings.Cut(s, "-")
		if !ranged {
			b = a
		}
		if len(a) != 1 || len(b) != 1 || a[0] < '1' || b[0] > '5' || a[0] > b[0] {
			r.fail(n.line, "%q is not a level or a range such as 3-5", s)
			return
		}
		*low, *high = a[0]-'0', b[0]-'0'
	}
}

// clause is the fields that every figure, link and duty carries, plus more.
func (r *reader) clause(c *Clause, more ...field) []field {
	return append(more, field{"clause", r.text(&c.Text)},
		field{"certainty", func(n *node) {
			word := ""
			r.enum(&word, "F1", "F2", "M", "I")(n)
			c.Certainty = Certainty(word)
		}},
		field{"verified", func(n *node) {
			r.object(n, field{"by", r.text(&c.Verified.By)}, field{"date", r.date(&c.Verified.Date)})
		}})
}

func (r *reader) measure(p *profile, k, v *node) {
	read := r.each(func(n *node) {
		f := levelFigure{Figure: Figure{Key: k.text}}
		low, high := uint8(1), uint8(5)
		value := -1
		r.object(n, r.clause(&f.Clause, field{"levels", r.levels(&low, &high)},
			field{"value", r.integer(&value, 0, 100000)})...)
		if value < 0 || f.Text == "" || f.Certainty == "" {
			r.fail(n.line, "a figure needs value, clause and certainty")
			return
		}
		f.Value = value
		for l := low; l <= high; l++ {
			f.level = l
			p.figures = append(p.figures, f)
		}
	})
	read(v)
}

func (r *reader) duty(p *profile, n *node) {
	d := Duty{profile: p.id, From: "detected_at"}
	hours, minLevel := -1, 0
	r.object(n, r.clause(&d.Clause, field{"id", r.name(&d.ID)}, field{"text", r.text(&d.Text)},
		field{"trigger", r.enum(&d.Trigger, "any", "serious", "national-security", "personal-data", "records-system")},
		field{"hours", r.integer(&hours, 0, 24*366)}, field{"to", r.text(&d.To)}, field{"legacy", r.flag(&d.Legacy)},
		field{"since", r.date(&d.since)}, field{"until", r.date(&d.end)}, field{"due", r.date(&d.Due)},
		field{"min_level", r.integer(&minLevel, 1, 5)}, field{"overlay", r.text(&d.overlay)})...)
	d.Within, d.minLevel = time.Duration(hours)*time.Hour, uint8(minLevel)
	if d.ID == "" || d.Text == "" || d.Trigger == "" || hours < 0 || d.Clause.Text == "" || d.Certainty == "" {
		r.fail(n.line, "a duty needs id, text, trigger, hours, clause and certainty")
		return
	}
	p.duties = append(p.duties, d)
}
