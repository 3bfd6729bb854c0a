// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Kind says what an entry of the log records.
type Kind string

// The correlator raises and updates; everything else is done by people.
const (
	Raised      Kind = "raised"
	Updated     Kind = "updated"
	Acknowledge Kind = "acknowledge"
	Assign      Kind = "assign"
	Comment     Kind = "comment"
	Close       Kind = "close"
	Reopen      Kind = "reopen"
	Declare     Kind = "declare" // an incident: from here on the legal clocks are shown
	Report      Kind = "report"  // a legal clock is answered
	Undo        Kind = "undo"    // compensates one earlier action of the same alert

	// escalated is never written: the fold puts it into a history where an update raised the severity.
	escalated Kind = "escalated"
)

// Emission reports whether the correlator, not a person, made the entry.
func (k Kind) Emission() bool { return k == Raised || k == Updated }

// Vietnamese returns the words that analysts read in a history.
func (k Kind) Vietnamese() string {
	switch k {
	case Raised:
		return "Phát hiện"
	case Updated:
		return "Cập nhật"
	case Acknowledge:
		return "Tiếp nhận"
	case Assign:
		return "Phân công"
	case Comment:
		return "Ghi chú"
	case Close:
		return "Đóng"
	case Reopen:
		return "Mở lại"
	case Declare:
		return "Xác định sự cố"
	case Report:
		return "Đã báo cáo"
	case Undo:
		return "Hoàn tác"
	case escalated:
		return "Tăng mức"
	}
	return string(k)
}

// ErrRefused wraps every refusal of an action that the life cycle does not allow; the text says what to do instead.
var ErrRefused = errors.New("action refused")

// ErrNotFound is returned for an alert that does not exist, or that the scope does not let the person see.
var ErrNotFound = errors.New("no such alert")

// MaxNote is the longest note of an action, in bytes; MaxName that of a name in one.
const (
	MaxNote = 16 << 10
	MaxName = 256
)

// Action is what a person did to one alert. Which fields count depends on the kind.
type Action struct {
	Kind  Kind   `json:"kind"`
	Alert ID     `json:"alert"`
	Actor string `json:"actor"` // person id; never empty
	At    int64  `json:"at"`    // wall time, unix ns; the log sets it
	Note  string `json:"note,omitempty"`

	Assignee    string      `json:"assignee,omitempty"`    // Assign: person id, empty takes the alert from everybody
	Disposition Disposition `json:"disposition,omitempty"` // Close
	DuplicateOf ID          `json:"duplicate_of,omitzero"` // Close as Duplicate
	Class       string      `json:"class,omitempty"`       // Declare: the class of the incident, in the caller's words
	Clocks      []Clock     `json:"clocks,omitempty"`      // Declare: the duties in force, from the profiles
	Clock       string      `json:"clock,omitempty"`       // Report: the id of the clock that is answered
	Undoes      uint64      `json:"undoes,omitempty"`      // Undo: the number of the entry that no longer holds
}

// Clock is one legal deadline of an incident. It starts at the detection time of the alert, never at the declaration,
// and never pauses. The durations are data of the caller's profiles.
type Clock struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`               // Vietnamese
	After    time.Duration `json:"after"`              // from detection; 0 means at once
	Clause   Clause        `json:"clause"`             // what imposes it
	Due      int64         `json:"due"`                // unix ns; set by the fold
	Reported int64         `json:"reported,omitempty"` // unix ns; 0 while owed
	By       string        `json:"by,omitempty"`       // who reported
}

// Incident is what a declaration made of an alert.
type Incident struct {
	At     int64   `json:"at"` // of the declaration, unix ns
	By     string  `json:"by"`
	Class  string  `json:"class,omitempty"`
	Clocks []Clock `json:"clocks,omitempty"`
}

// wellFormed checks what can be checked without knowing the alert.
func (a *Action) wellFormed() error {
	switch {
	case a.Actor == "":
		return refuse("an action needs an actor")
	case len(a.Note) > MaxNote:
		return refuse("the note has %d bytes, at most %d are kept", len(a.Note), MaxNote)
	case !utf8.ValidString(a.Note):
		return refuse("the note is not UTF-8")
	case len(a.Actor) > MaxName || len(a.Assignee) > MaxName || len(a.Class) > MaxName || len(a.Clock) > MaxName:
		return refuse("a name in the action is longer than %d bytes", MaxName)
	case len(a.Clocks) > 64:
		return refuse("%d clocks, at most 64", len(a.Clocks))
	}
	switch a.Kind {
	case Acknowledge, Assign, Reopen:
	case Comment:
		if a.Note == "" {
			return refuse("a comment needs a note")
		}
	case Close:
		if !a.Disposition.Valid() {
			return refuse("disposition %.40q: want true_positive, false_positive, benign, duplicate or undetermined",
				string(a.Disposition))
		}
		if (a.Disposition == Duplicate) == a.DuplicateOf.IsZero() {
			return refuse("duplicate_of is for the disposition duplicate, and needed there")
		}
	case Declare:
		return a.clocksWellFormed()
	case Report:
		if a.Clock == "" {
			return refuse("a report names the clock that it answers")
		}
	case Undo:
		if a.Undoes == 0 {
			return refuse("an undo names the entry that it compensates")
		}
	default:
		return refuse("unknown action %.40q", string(a.Kind))
	}
	return nil
}

func (a *Action) clocksWellFormed() error {
	seen := make(map[string]bool, len(a.Clocks))
	for _, c := range a.Clocks {
		if c.ID == "" || c.After < 0 || seen[c.ID] {
			return refuse("clock %.40q: needs an id of its own and a duration that is not negative", c.ID)
		}
		seen[c.ID] = true
	}
	return nil
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("alert: %w: %s", ErrRefused, fmt.Sprintf(format, args...))
}
