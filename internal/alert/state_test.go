// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/natstest"
)

func TestLifeCycle(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	l := openLog(t, js)
	emit(t, l, sample(1, 1, Medium))
	id := ID{1}

	s := act(t, l, Action{Kind: Acknowledge, Alert: id})
	if s.Status != StatusAcknowledged || s.AckedAt == 0 || s.History[0].Actor != "lan" || s.History[0].At == 0 {
		t.Fatalf("acknowledged: %+v", s)
	}
	act(t, l, Action{Kind: Assign, Alert: id, Assignee: "minh"})
	act(t, l, Action{Kind: Comment, Alert: id, Note: "gọi cho sở"})
	s = act(t, l, Action{Kind: Close, Alert: id, Disposition: FalsePositive, Note: "máy quét nội bộ"})
	if s.Status != StatusClosed || s.Disposition != FalsePositive || s.Assignee != "minh" || s.ClosedAt == 0 {
		t.Fatalf("closed: %+v", s)
	}
	closing := s.Entry
	s = act(t, l, Action{Kind: Reopen, Alert: id})
	if s.Status != StatusOpen || s.Disposition != "" || s.ClosedAt != 0 || s.Assignee != "minh" {
		t.Fatalf("reopened: %+v", s)
	}
	s = act(t, l, Action{Kind: Undo, Alert: id, Undoes: s.Entry})
	if s.Status != StatusClosed || s.Disposition != FalsePositive {
		t.Fatalf("the reopening undone: %+v", s)
	}
	s = act(t, l, Action{Kind: Undo, Alert: id, Undoes: closing})
	if s.Status != StatusAcknowledged || s.Disposition != "" {
		t.Fatalf("the closing undone: %+v", s)
	}
	if n, _, err := l.Verify(t.Context()); err != nil || n != 8 {
		t.Fatalf("an undo must add an entry: %d, %v", n, err)
	}
}

func TestIncidentClocks(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	l := openLog(t, js)
	emit(t, l, sample(1, 1, High))
	id := ID{1}
	clocks := []Clock{
		{ID: "72h", Name: "Báo cáo trong 72 giờ", After: 72 * time.Hour, Clause: Clause{Text: "ND 331 Đ31.2.d"}},
		{ID: "now", Name: "Báo cáo ngay", After: 0},
	}
	s := act(t, l, Action{Kind: Declare, Alert: id, Class: "serious", Clocks: clocks})
	due := s.Incident.Clocks[0].Due
	if want := detected.Add(72 * time.Hour).UnixNano(); due != want {
		t.Errorf("due %d, want %d: the clock starts at detection, not at declaration", due, want)
	}
	if next, ok := s.NextDue(); !ok || !next.Equal(detected) {
		t.Errorf("next due %v, %v", next, ok)
	}

	late := sample(1, 2, High)
	late.Since += int64(time.Hour) // the detection time never moves
	emit(t, l, late)
	act(t, l, Action{Kind: Report, Alert: id, Clock: "now"})
	s = act(t, l, Action{Kind: Close, Alert: id, Disposition: TruePositive})
	if s.Incident.Clocks[0].Due != due || s.Alert.Since != detected.UnixNano() || s.Alert.Update != 2 {
		t.Errorf("after an update: %+v", s)
	}
	if next, ok := s.NextDue(); !ok || next.UnixNano() != due {
		t.Errorf("closing the alert must not stop the clock: %v, %v", next, ok)
	}
	s = act(t, l, Action{Kind: Report, Alert: id, Clock: "72h", Note: "gửi công văn"})
	if _, ok := s.NextDue(); ok || s.Incident.Clocks[0].By != "lan" {
		t.Errorf("all is reported: %+v", s.Incident)
	}
}

func TestRefusals(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	l := openLog(t, js)
	open, closed, incident, other := ID{1}, ID{2}, ID{3}, ID{4}
	emit(t, l, sample(1, 1, Low), sample(2, 1, Low), sample(3, 1, Low), sample(4, 1, Low))
	first := act(t, l, Action{Kind: Acknowledge, Alert: open}).Entry
	second := act(t, l, Action{Kind: Assign, Alert: open, Assignee: "minh"}).Entry
	undone := act(t, l, Action{Kind: Comment, Alert: open, Note: "x"}).Entry
	undo := act(t, l, Action{Kind: Undo, Alert: open, Undoes: undone}).Entry
	act(t, l, Action{Kind: Close, Alert: closed, Disposition: Benign})
	act(t, l, Action{Kind: Declare, Alert: incident, Clocks: []Clock{{ID: "a"}}})
	before, _ := l.Head()

	for want, a := range map[string]Action{
		"already acknowledged":      {Kind: Acknowledge, Alert: open},
		"reopen it first":           {Kind: Acknowledge, Alert: closed},
		"is closed":                 {Kind: Assign, Alert: closed, Assignee: "minh"},
		"closed; reopen":            {Kind: Close, Alert: closed, Disposition: Benign},
		"closed alert can":          {Kind: Reopen, Alert: open},
		"disposition":               {Kind: Close, Alert: open},
		"want true_positive":        {Kind: Close, Alert: open, Disposition: "whatever"},
		"duplicate_of":              {Kind: Close, Alert: open, Disposition: Duplicate},
		"no duplicate of itself":    {Kind: Close, Alert: open, Disposition: Duplicate, DuplicateOf: open},
		"no such alert":             {Kind: Close, Alert: open, Disposition: Duplicate, DuplicateOf: ID{99}},
		"for the disposition":       {Kind: Close, Alert: open, Disposition: Benign, DuplicateOf: other},
		"needs a note":              {Kind: Comment, Alert: open},
		"16384 are kept":            {Kind: Comment, Alert: open, Note: strings.Repeat("a", MaxNote+1)},
		"not UTF-8":                 {Kind: Comment, Alert: open, Note: "\xff"},
		"already declared":          {Kind: Declare, Alert: incident},
		"true_positive only":        {Kind: Close, Alert: incident, Disposition: FalsePositive},
		"an id of its own":          {Kind: Declare, Alert: open, Clocks: []Clock{{ID: "a"}, {ID: "a"}}},
		"not negative":              {Kind: Declare, Alert: open, Clocks: []Clock{{ID: "a", After: -1}}},
		"no clock runs":             {Kind: Report, Alert: open, Clock: "a"},
		`no clock "b"`:              {Kind: Report, Alert: incident, Clock: "b"},
		"names the clock":           {Kind: Report, Alert: incident},
		"names the entry":           {Kind: Undo, Alert: open},
		"no action on this alert":   {Kind: Undo, Alert: other, Undoes: first},
		"entry 1 is no action":      {Kind: Undo, Alert: open, Undoes: 1},
		"undo it first":             {Kind: Undo, Alert: open, Undoes: first},
		"already undone":            {Kind: Undo, Alert: open, Undoes: undone},
		"is itself an undo":         {Kind: Undo, Alert: open, Undoes: undo},
		"unknown action":            {Kind: "explode", Alert: open},
		`unknown action "raised"`:   {Kind: Raised, Alert: open},
		`unknown action "escalated`: {Kind: escalated, Alert: open},
	} {
		a.Actor = "lan"
		_, err := l.Act(t.Context(), access.Everything(), a)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %s: %v, want a refusal that says %q", a.Kind, a.Alert, err, want)
		}
	}
	if _, err := l.Act(t.Context(), access.Everything(), Action{Kind: Comment, Alert: open, Note: "x"}); err == nil {
		t.Error("an action without an actor was taken")
	}
	for name, scope := range map[string]access.Scope{"none": {}, "other unit": access.Units("so-y-te")} {
		if _, err := l.Act(t.Context(), scope, Action{Kind: Reopen, Alert: closed, Actor: "x"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("scope %s: %v, want ErrNotFound", name, err)
		}
	}
	if n, _ := l.Head(); n != before {
		t.Errorf("refusals left %d entries in the log", n-before)
	}
	act(t, l, Action{Kind: Undo, Alert: open, Undoes: second})
	if s := act(t, l, Action{Kind: Undo, Alert: open, Undoes: first}); s.Status != StatusOpen {
		t.Errorf("undone in the right order: %+v", s)
	}
}

func TestASeverityThatRisesReopens(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	l := openLog(t, js)
	emit(t, l, sample(1, 1, Medium))
	act(t, l, Action{Kind: Close, Alert: ID{1}, Disposition: Benign})
	emit(t, l, sample(1, 2, Medium))
	if s, err := l.Get(access.Everything(), ID{1}); err != nil || s.Status != StatusClosed {
		t.Fatalf("the same severity: %+v, %v", s, err)
	}
	emit(t, l, sample(1, 3, High))
	s, err := l.Get(access.Everything(), ID{1})
	if err != nil || s.Status != StatusOpen || s.Disposition != "" {
		t.Fatalf("a higher severity: %+v, %v", s, err)
	}
	again, err := Open(t.Context(), Config{JS: js})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Get(access.Everything(), ID{1}); err != nil || got.Status != StatusOpen || len(got.History) != 2 {
		t.Errorf("read again: %+v, %v", got, err)
	}
}

func TestBeforeForgetsWhatPeopleDid(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	l := openLog(t, js)
	emit(t, l, sample(1, 1, Medium))
	act(t, l, Action{Kind: Acknowledge, Alert: ID{1}})
	s := act(t, l, Action{Kind: Close, Alert: ID{1}, Disposition: Benign})
	if b := s.Before(s.Entry); b.Status != StatusAcknowledged || len(b.History) != 1 || s.Status != StatusClosed {
		t.Errorf("before the closing: %+v", b)
	}
}

// TestHistoriesStayLegal plays actions and undos at random and checks that the steps that still hold are, one after
// the other, each allowed: an undo never leaves behind what would have been refused.
func TestHistoriesStayLegal(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		p, err := NewProjection()
		if err != nil {
			t.Fatal(err)
		}
		update, n := uint32(1), uint64(1)
		if err := p.Apply(&Entry{N: 1, At: 1, Kind: Raised, Alert: sample(1, 1, Info)}); err != nil {
			t.Fatal(err)
		}
		for range 60 {
			s, err := p.find(ID{1})
			if err != nil {
				t.Fatal(err)
			}
			kinds := []Kind{Acknowledge, Assign, Comment, Close, Reopen, Declare, Report, Undo, Undo, Undo, Updated}
			e := &Entry{N: n + 1, At: int64(n + 1), Kind: kinds[rnd.IntN(len(kinds))]}
			if e.Kind == Updated {
				update++
				e.Alert = sample(1, update, min(s.Alert.Severity+Severity(rnd.IntN(2)), Critical))
			} else {
				e.Action = &Action{
					Kind: e.Kind, Alert: ID{1}, Actor: "lan", Note: "x", Assignee: "minh", Clock: "a", Clocks: []Clock{{ID: "a"}},
					Disposition: []Disposition{Benign, TruePositive}[rnd.IntN(2)], Undoes: uint64(rnd.IntN(int(n))) + 1,
				}
				if s.allows(e.Action) != nil {
					continue
				}
			}
			if err := p.Apply(e); err != nil {
				t.Fatal(err)
			}
			n++
			checkHolds(t, seed, e.State)
		}
	}
}

// checkHolds plays the steps of a state that still hold from the start.
func checkHolds(t *testing.T, seed uint64, s *State) {
	t.Helper()
	again := &State{Alert: s.Alert, Status: StatusOpen}
	for _, st := range s.History {
		if st.UndoneBy != 0 || st.Kind == Undo {
			continue
		}
		if err := again.allows(&st.Action); err != nil && st.Kind != escalated {
			t.Fatalf("seed %d: entry %d (%s) holds, but would be refused: %v\n%+v", seed, st.N, st.Kind, err, s.History)
		}
		again.History = append(again.History, st)
		again.derive()
	}
	if again.Status != s.Status || again.Assignee != s.Assignee || (again.Incident == nil) != (s.Incident == nil) {
		t.Fatalf("seed %d: %+v, want %+v", seed, again, s)
	}
}
