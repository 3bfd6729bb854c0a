// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinks

import (
	"fmt"
	"slices"

	"github.com/haidang-soc/haidang/internal/alert"
)

// Disclosure says how much of an alert leaves the house through a sink.
type Disclosure string

// Pointer is the default: id, severity, level, status and the link. Summary adds what happened and to which system, but
// nobody's address or name. Full is everything, evidence and notes included.
const (
	Pointer Disclosure = "pointer"
	Summary Disclosure = "summary"
	Full    Disclosure = "full"
)

// ParseDisclosure reads the word of the configuration; none means Pointer.
func ParseDisclosure(word string) (Disclosure, error) {
	switch d := Disclosure(word); d {
	case "":
		return Pointer, nil
	case Pointer, Summary, Full:
		return d, nil
	}
	return "", fmt.Errorf("disclosure %.40q: want pointer, summary or full", word)
}

// Route says which alerts go to a sink, and how much of them. The zero Route sends every alert that touches no
// state-secret system, as a pointer.
type Route struct {
	Severity   alert.Severity // at least
	Level      uint8          // at least; 0 sends alerts without a level too
	Systems    []string       // touching one of these ids; none means all
	Disclosure Disclosure
	Secret     bool // send alerts that touch a state-secret system, too
	Actions    bool // send what people do, too
	Outside    bool // the peer is outside the house: people's actions wait, so that an undo is in time
}

// Matches reports whether an alert goes to the sink.
func (r *Route) Matches(s *alert.State) bool {
	a := s.Alert
	switch {
	case s.Secret() && !r.Secret, a.Severity < r.Severity, a.Level < r.Level:
		return false
	case len(r.Systems) == 0:
		return true
	}
	return slices.ContainsFunc(a.Systems, func(y alert.System) bool { return slices.Contains(r.Systems, y.ID) })
}

// Cut returns a copy of the state that holds only what d discloses.
func (d Disclosure) Cut(s *alert.State) *alert.State {
	a := s.Alert
	switch d {
	case Full:
		return s
	case Summary:
		return &alert.State{
			Alert: &alert.Alert{
				ID: a.ID, Update: a.Update, Final: a.Final, Rule: a.Rule, Count: a.Count, First: a.First, Last: a.Last,
				Since: a.Since, Severity: a.Severity, Level: a.Level, Systems: d.cutSystems(a.Systems),
				Policy: a.Policy, Basis: a.Basis,
			},
			Status: s.Status, Disposition: s.Disposition, Incident: d.cutIncident(s.Incident), Entry: s.Entry,
			RaisedAt: s.RaisedAt, ChangedAt: s.ChangedAt,
		}
	}
	return &alert.State{
		Alert:  &alert.Alert{ID: a.ID, Update: a.Update, Severity: a.Severity, Level: a.Level},
		Status: s.Status, Entry: s.Entry,
	}
}

// cutSystems leaves which systems there are, and takes away whose they are.
func (d Disclosure) cutSystems(list []alert.System) []alert.System {
	cut := slices.Clone(list)
	for i := range cut {
		cut[i].Unit = ""
	}
	return cut
}

// cutIncident leaves the clocks of a summary and takes the names of people away.
func (d Disclosure) cutIncident(in *alert.Incident) *alert.Incident {
	if in == nil {
		return nil
	}
	cut := &alert.Incident{At: in.At, Class: in.Class, Clocks: slices.Clone(in.Clocks)}
	for i := range cut.Clocks {
		cut.Clocks[i].By = ""
	}
	return cut
}

// CutAction returns a copy of what a person did that holds only what d discloses.
func (d Disclosure) CutAction(a *alert.Action) *alert.Action {
	switch {
	case a == nil:
		return nil
	case d == Full:
		return a
	case d == Summary:
		return &alert.Action{Kind: a.Kind, Alert: a.Alert, At: a.At, Disposition: a.Disposition}
	}
	return &alert.Action{Kind: a.Kind, Alert: a.Alert}
}
