// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"slices"
	"time"

	"github.com/haidang-soc/haidang/internal/event/fulltext"
)

// State is an alert with everything people did to it, as the log tells it up to Entry. States are immutable: the next
// entry makes a new one.
type State struct {
	Alert *Alert `json:"alert"` // the highest update known; Since is that of the first

	Status      Status      `json:"status"`
	Assignee    string      `json:"assignee,omitempty"`
	Disposition Disposition `json:"disposition,omitempty"`
	DuplicateOf ID          `json:"duplicate_of,omitzero"`
	Incident    *Incident   `json:"incident,omitempty"`

	Entry     uint64 `json:"entry"`               // number of the last entry folded in
	RaisedAt  int64  `json:"raised_at"`           // wall time of the first entry, unix ns
	ChangedAt int64  `json:"changed_at"`          // wall time of the last entry, unix ns
	AckedAt   int64  `json:"acked_at,omitempty"`  // wall time of the first acknowledgement or assignment, unix ns
	ClosedAt  int64  `json:"closed_at,omitempty"` // wall time of the closing that holds, unix ns
	History   []Step `json:"history,omitempty"`   // what people did, oldest first

	words string // folded text for searches
}

// Step is one action in the history of an alert.
type Step struct {
	N uint64 `json:"n"` // number of its entry
	Action
	UndoneBy uint64 `json:"undone_by,omitempty"` // number of the entry that compensates it
}

// emit folds an emission into a copy of s; s is nil for the first one.
func (s *State) emit(e *Entry) *State {
	next := &State{Status: StatusOpen, RaisedAt: e.At}
	a := e.Alert
	if s != nil {
		*next = *s
		if a.Since != s.Alert.Since {
			kept := *a
			kept.Since = s.Alert.Since // the detection time never moves: legal clocks start there
			a = &kept
		}
		if s.Status == StatusClosed && a.Severity > s.Alert.Severity {
			step := Step{N: e.N, Action: Action{Kind: escalated, Alert: a.ID, At: e.At}}
			next.History = append(slices.Clip(s.History), step)
		}
	}
	next.Alert = a
	next.Entry, next.ChangedAt = e.N, e.At
	next.derive()
	return next
}

// act folds an action that was allowed into a copy of s.
func (s *State) act(e *Entry) *State {
	next := *s
	next.Entry, next.ChangedAt = e.N, e.At
	next.History = append(slices.Clone(s.History), Step{N: e.N, Action: *e.Action})
	if e.Action.Kind == Undo {
		if i := next.step(e.Action.Undoes); i >= 0 {
			next.History[i].UndoneBy = e.N
		}
	}
	next.derive()
	return &next
}

// Before returns the state as if no person had done anything from entry n on; emissions stay.
func (s *State) Before(n uint64) *State {
	b := *s
	b.History = nil
	for _, st := range s.History {
		if st.N >= n && st.Kind != escalated {
			continue
		}
		if st.UndoneBy >= n {
			st.UndoneBy = 0
		}
		b.History = append(b.History, st)
	}
	b.derive()
	return &b
}

// step returns the index in the history of the entry n, or -1.
func (s *State) step(n uint64) int {
	i, ok := slices.BinarySearchFunc(s.History, n, func(st Step, n uint64) int {
		switch {
		case st.N < n:
			return -1
		case st.N > n:
			return 1
		}
		return 0
	})
	if !ok {
		return -1
	}
	return i
}

// derive computes the people's side anew from the steps that still hold.
func (s *State) derive() {
	s.Status, s.Assignee, s.Disposition, s.DuplicateOf, s.Incident = StatusOpen, "", "", ID{}, nil
	s.AckedAt, s.ClosedAt = 0, 0
	for i := range s.History {
		if st := &s.History[i]; st.UndoneBy == 0 {
			s.apply(&st.Action)
		}
	}
	s.words = fulltext.Fold(s.text())
}

func (s *State) apply(a *Action) {
	switch a.Kind {
	case Acknowledge:
		s.Status = StatusAcknowledged
	case Assign:
		s.Assignee = a.Assignee
	case Close:
		s.Status, s.Disposition, s.DuplicateOf, s.ClosedAt = StatusClosed, a.Disposition, a.DuplicateOf, a.At
	case Reopen, escalated:
		// A closed alert whose severity rises is not what was judged: it comes back to the queue by itself.
		s.Status, s.Disposition, s.DuplicateOf, s.ClosedAt = StatusOpen, "", ID{}, 0
	case Declare:
		s.Incident = &Incident{At: a.At, By: a.Actor, Class: a.Class, Clocks: slices.Clone(a.Clocks)}
		for i := range s.Incident.Clocks {
			c := &s.Incident.Clocks[i]
			c.Due, c.Reported, c.By = s.Alert.Since+int64(c.After), 0, ""
		}
	case Report:
		if s.Incident != nil {
			if i := s.Incident.clock(a.Clock); i >= 0 {
				s.Incident.Clocks[i].Reported, s.Incident.Clocks[i].By = a.At, a.Actor
			}
		}
	}
	if s.AckedAt == 0 && (a.Kind == Acknowledge || a.Kind == Assign && a.Assignee != "") {
		s.AckedAt = a.At
	}
}

func (in *Incident) clock(id string) int {
	return slices.IndexFunc(in.Clocks, func(c Clock) bool { return c.ID == id })
}

// NextDue returns the earliest deadline that is not yet answered; false when nothing is owed.
func (s *State) NextDue() (time.Time, bool) {
	if s.Incident == nil {
		return time.Time{}, false
	}
	var due int64
	found := false
	for _, c := range s.Incident.Clocks {
		if c.Reported == 0 && (!found || c.Due < due) {
			due, found = c.Due, true
		}
	}
	return time.Unix(0, due), found
}

// Secret reports whether the alert touches a system whose information class is state secret.
func (s *State) Secret() bool {
	return slices.ContainsFunc(s.Alert.Systems, func(y System) bool { return y.Secret })
}

// allows returns nil when the action may follow, else an error that says what to do instead.
func (s *State) allows(a *Action) error {
	switch a.Kind {
	case Acknowledge:
		if s.Status == StatusAcknowledged {
			return refuse("the alert is already acknowledged")
		}
	case Reopen:
		if s.Status != StatusClosed {
			return refuse("only a closed alert can be reopened; this one is %s", s.Status)
		}
		return nil
	case Comment:
		return nil
	case Close:
		if s.Incident != nil && a.Disposition != TruePositive {
			return refuse("a declared incident closes as true_positive only; undo the declaration first")
		}
		if a.DuplicateOf == a.Alert {
			return refuse("an alert is no duplicate of itself")
		}
	case Declare:
		if s.Incident != nil {
			return refuse("the alert is already declared an incident")
		}
	case Report:
		return s.allowsReport(a)
	case Undo:
		return s.allowsUndo(a)
	}
	if s.Status == StatusClosed {
		return refuse("the alert is closed; reopen it first")
	}
	return nil
}

// allowsReport: reports are owed and accepted even after the alert was closed.
func (s *State) allowsReport(a *Action) error {
	if s.Incident == nil {
		return refuse("the alert is not declared an incident, so no clock runs")
	}
	i := s.Incident.clock(a.Clock)
	if i < 0 {
		return refuse("the incident has no clock %.40q", a.Clock)
	}
	if s.Incident.Clocks[i].Reported != 0 {
		return refuse("the clock %.40q was already answered; undo that report first", a.Clock)
	}
	return nil
}

// allowsUndo: only the last action that still holds can be undone, except that comments may always be withdrawn;
// otherwise what follows an undone step could become something that would have been refused.
func (s *State) allowsUndo(a *Action) error {
	i := s.step(a.Undoes)
	if i < 0 || s.History[i].Kind == escalated {
		return refuse("entry %d is no action on this alert", a.Undoes)
	}
	st := &s.History[i]
	switch {
	case st.Kind == Undo:
		return refuse("entry %d is itself an undo; do the action again instead", a.Undoes)
	case st.UndoneBy != 0:
		return refuse("entry %d is already undone by entry %d", a.Undoes, st.UndoneBy)
	case st.Kind == Comment:
		return nil
	}
	for _, later := range s.History[i+1:] {
		if later.UndoneBy == 0 && later.Kind != Undo && later.Kind != Comment && later.Kind != escalated {
			return refuse("entry %d (%s) came after entry %d; undo it first", later.N, later.Kind, a.Undoes)
		}
	}
	return nil
}
