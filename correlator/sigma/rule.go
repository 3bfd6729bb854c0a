// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// Level is the Sigma level of a rule: how bad a true match is, before the level of the information system is weighed.
type Level uint8

// The levels in rising order. LevelNone is a document that states no level.
const (
	LevelNone Level = iota
	LevelInformational
	LevelLow
	LevelMedium
	LevelHigh
	LevelCritical
)

// String returns the word of the specification; LevelNone is the empty string.
func (l Level) String() string {
	switch l {
	case LevelInformational:
		return "informational"
	case LevelLow:
		return "low"
	case LevelMedium:
		return "medium"
	case LevelHigh:
		return "high"
	case LevelCritical:
		return "critical"
	default:
		return ""
	}
}

// ParseLevel returns the level that a word names; the empty word is LevelNone.
func ParseLevel(word string) (Level, bool) {
	for l := LevelNone; l <= LevelCritical; l++ {
		if l.String() == word {
			return l, true
		}
	}
	return LevelNone, false
}

// LogSource says which logs a detection is meant for. An empty part leaves it open.
type LogSource struct {
	Category   string
	Product    string
	Service    string
	Definition string
}

// Meta is what detections and correlations both carry about themselves.
type Meta struct {
	ID             string
	Name           string // unique; may be used instead of ID in a correlation
	Title          string
	Description    string
	Status         string
	Author         string
	Date           string
	Modified       string
	Level          Level
	Tags           []string
	References     []string
	FalsePositives []string
	Fields         []string
	Haidang        Haidang
	Pos            Pos
}

// Key returns what scripts call the rule: its id, else its title.
func (m *Meta) Key() string {
	if m.ID != "" {
		return m.ID
	}
	return m.Title
}

// Is reports whether a correlation that refers to ref means this rule: its id (letter case does not count) or its name.
func (m *Meta) Is(ref string) bool {
	return ref != "" && (equalFoldASCII(m.ID, ref) || m.Name == ref)
}

// Rule is a detection: a statement about one event. It is immutable after Parse and safe for concurrent readers.
type Rule struct {
	Meta
	LogSource  LogSource
	Detections []Detection // in the order of the file
	Conditions []Condition // more than one: the rule matches when any does
}

// Detection returns the detection of that name.
func (r *Rule) Detection(name string) (*Detection, bool) {
	for i := range r.Detections {
		if r.Detections[i].Name == name {
			return &r.Detections[i], true
		}
	}
	return nil, false
}

func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
