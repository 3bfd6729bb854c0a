// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinks_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/sinks"
)

func TestOneSlowSinkHoldsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t)
		slow := &recorder{answer: func(int, *sinks.Delivery) (sinks.Receipt, error) {
			time.Sleep(20 * time.Minute)
			return sinks.Receipt{State: sinks.Done}, nil
		}}
		quick := new(recorder)
		start(t, t.TempDir(), log, sinks.Target{Name: "slow", Sink: slow}, sinks.Target{Name: "quick", Sink: quick})
		for i := byte(1); i <= 10; i++ {
			log.raise(t, i, 1)
		}
		synctest.Wait()
		if n := len(quick.all()); n != 10 {
			t.Errorf("the quick sink has %d of 10", n)
		}
		if n := len(slow.all()); n != 1 {
			t.Errorf("the slow sink has %d, want 1", n)
		}
	})
}

func TestActionsWaitForAnUndoOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t)
		inside, outside := new(recorder), new(recorder)
		start(t, t.TempDir(), log,
			sinks.Target{Name: "inside", Sink: inside, Route: sinks.Route{Actions: true}},
			sinks.Target{Name: "outside", Sink: outside, Route: sinks.Route{Actions: true, Outside: true}})
		log.raise(t, 1, 1)
		closing := log.act(t, 1, alert.Action{Kind: alert.Close, Disposition: alert.Benign})
		synctest.Wait()
		time.Sleep(5 * time.Second)
		log.raise(t, 1, 2) // goes out at once, and does not tell of the closing
		synctest.Wait()
		if got := changes(inside); got != "raised close updated" {
			t.Errorf("inside after 5 s: %s", got)
		}
		if got := changes(outside); got != "raised updated" {
			t.Fatalf("outside after 5 s: %s", got)
		}
		if s := outside.all()[1].States[0]; s.Status != alert.StatusOpen {
			t.Errorf("outside was told of a closing that can still be undone: %s", s.Status)
		}
		time.Sleep(5 * time.Second)
		log.act(t, 1, alert.Action{Kind: alert.Undo, Undoes: closing})
		log.act(t, 1, alert.Action{Kind: alert.Acknowledge})
		time.Sleep(time.Minute)
		if got := changes(inside); got != "raised close updated undo acknowledge" {
			t.Errorf("inside: %s", got)
		}
		if got := changes(outside); got != "raised updated acknowledge" {
			t.Errorf("outside: %s", got)
		}
	})
}

func changes(r *recorder) string {
	var words []string
	for _, d := range r.all() {
		words = append(words, string(d.Change))
	}
	return strings.Join(words, " ")
}

func TestDeadLettersAreKeptListedAndRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir := newLog(t), t.TempDir()
		broken := true
		sink := &recorder{answer: func(int, *sinks.Delivery) (sinks.Receipt, error) {
			if broken {
				return sinks.Receipt{}, sinks.Permanent(errors.New("the channel is archived"))
			}
			return sinks.Receipt{State: sinks.Done}, nil
		}}
		target := sinks.Target{Name: "hook", Sink: sink}
		set := start(t, dir, log, target)
		log.raise(t, 1, 1)
		log.raise(t, 2, 1)
		time.Sleep(time.Minute)
		set.stop()
		set = start(t, dir, log, target) // they survive a restart
		synctest.Wait()
		dead, err := set.Dead("hook")
		if err != nil || len(dead) != 2 || !strings.Contains(dead[0].Error, "archived") || dead[0].Alert != (alert.ID{1}) {
			t.Fatalf("%+v, %v", dead, err)
		}
		if n := len(sink.all()); n != 2 {
			t.Errorf("%d tries, want 2: dead letters are not tried", n)
		}
		broken = false
		if _, err := set.Retry("hook", 999); err == nil {
			t.Error("an unknown letter was retried")
		}
		if n, err := set.Retry("hook", dead[1].Seq); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := set.Retry("hook"); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		synctest.Wait()
		if st := set.Status()[0]; st.Dead != 0 || st.Waiting != 0 || st.Sent != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func TestGivesUpInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t)
		sink := &recorder{answer: func(int, *sinks.Delivery) (sinks.Receipt, error) {
			return sinks.Receipt{}, errors.New("no route to host")
		}}
		set := start(t, t.TempDir(), log, sinks.Target{Name: "hook", Sink: sink})
		log.raise(t, 1, 1)
		time.Sleep(giveUp - time.Minute)
		if st := set.Status()[0]; st.Waiting != 1 || st.Dead != 0 {
			t.Errorf("too early: %+v", st)
		}
		time.Sleep(10 * time.Minute)
		if st := set.Status()[0]; st.Waiting != 0 || st.Dead != 1 {
			t.Errorf("too late: %+v", st)
		}
	})
}

func TestPendingIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir := newLog(t), t.TempDir()
		sink := &recorder{answer: func(n int, d *sinks.Delivery) (sinks.Receipt, error) {
			if n < 4 {
				return sinks.Receipt{Ref: "ticket-7", State: sinks.Pending}, nil
			}
			return sinks.Receipt{Ref: "ticket-7", State: sinks.Done}, nil
		}}
		target := sinks.Target{Name: "national", Sink: sink}
		set := start(t, dir, log, target)
		log.raise(t, 1, 1)
		time.Sleep(time.Minute)
		set.stop()
		set = start(t, dir, log, target)
		time.Sleep(time.Hour)
		got := sink.all()
		if len(got) != 4 {
			t.Fatalf("%d tries, want 4", len(got))
		}
		for i, d := range got[1:] {
			if d.Prior.Ref != "ticket-7" || d.Prior.State != sinks.Pending || d.Key != got[0].Key {
				t.Errorf("try %d: %+v", i+2, d.Prior)
			}
		}
		if st := set.Status()[0]; st.Waiting != 0 {
			t.Errorf("%+v", st)
		}
		log.raise(t, 1, 2)
		synctest.Wait()
		if d := sink.all()[4]; d.Prior.Ref != "ticket-7" || d.Prior.State != sinks.Done || d.Update != 2 {
			t.Errorf("the next update: %+v", d)
		}
	})
}

func TestRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t)
		routes := map[string]sinks.Route{
			"all":       {},
			"critical":  {Severity: alert.Critical},
			"high":      {Severity: alert.High},
			"level3":    {Level: 3},
			"level4":    {Level: 4},
			"portal":    {Systems: []string{"dvc", "khac"}},
			"other":     {Systems: []string{"khac"}},
			"secret":    {Secret: true},
			"secretall": {Secret: true, Actions: true},
		}
		want := map[string]int{"all": 1, "high": 1, "level3": 1, "portal": 1, "secret": 2, "secretall": 3}
		sent := map[string]*recorder{}
		var targets []sinks.Target
		for name, r := range routes {
			sent[name] = new(recorder)
			targets = append(targets, sinks.Target{Name: name, Sink: sent[name], Route: r})
		}
		start(t, t.TempDir(), log, targets...)
		log.raise(t, 1, 1)
		secret := *log.entries[0].Alert
		secret.ID, secret.Systems = alert.ID{2}, append([]alert.System{{ID: "mat", Secret: true}}, secret.Systems...)
		secret.Systems = secret.Systems[:1]
		log.add(t, &alert.Entry{Kind: alert.Raised, Alert: &secret})
		log.act(t, 2, alert.Action{Kind: alert.Acknowledge})
		synctest.Wait()
		for name := range routes {
			if n := len(sent[name].all()); n != want[name] {
				t.Errorf("%s: %d deliveries, want %d", name, n, want[name])
			}
		}
	})
}

func TestUpdatesThatWaitAreFolded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir := newLog(t), t.TempDir()
		sink := &recorder{answer: func(n int, _ *sinks.Delivery) (sinks.Receipt, error) {
			if n == 1 {
				return sinks.Receipt{}, &sinks.RetryError{After: time.Minute, Err: errors.New("busy")}
			}
			return sinks.Receipt{State: sinks.Done}, nil
		}}
		start(t, dir, log, sinks.Target{Name: "hook", Sink: sink})
		log.raise(t, 1, 1)
		synctest.Wait()
		for u := uint32(2); u <= 30; u++ {
			log.raise(t, 1, u)
		}
		time.Sleep(5 * time.Minute)
		got := sink.all()
		if len(got) != 2 {
			t.Fatalf("%d tries, want 2", len(got))
		}
		d := got[1]
		if d.Update != 30 || d.Change != alert.Raised || d.Prior.State != sinks.Unknown ||
			d.Key != fmt.Sprintf("%s.30.hook", alert.ID{1}) || d.Links[0] != "https://soc.example/alerts/"+(alert.ID{1}).String() {
			t.Errorf("%+v", d)
		}
	})
}

func TestANewSinkBeginsAtTheEndOfTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir, sink := newLog(t), t.TempDir(), new(recorder)
		log.raise(t, 1, 1)
		set := start(t, dir, log, sinks.Target{Name: "hook", Sink: sink})
		synctest.Wait()
		set.stop()
		log.raise(t, 2, 1) // while the program is down
		start(t, dir, log, sinks.Target{Name: "hook", Sink: sink})
		synctest.Wait()
		if got := sink.all(); len(got) != 1 || got[0].Alerts[0].ID != (alert.ID{2}) {
			t.Errorf("%d deliveries, want that of alert 2", len(got))
		}
	})
}

func TestAPanicInADriverIsAFailedTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t)
		sink := &recorder{answer: func(n int, _ *sinks.Delivery) (sinks.Receipt, error) {
			if n == 1 {
				panic("a bug")
			}
			return sinks.Receipt{State: sinks.Done}, nil
		}}
		set := start(t, t.TempDir(), log, sinks.Target{Name: "hook", Sink: sink})
		log.raise(t, 1, 1)
		time.Sleep(time.Minute)
		if st := set.Status()[0]; st.Sent != 1 || st.Failed != 1 || st.Waiting != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestATornTailIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir, sink := newLog(t), t.TempDir(), new(recorder)
		target := sinks.Target{Name: "hook", Sink: sink}
		set := start(t, dir, log, target)
		log.raise(t, 1, 1)
		synctest.Wait()
		set.stop()
		path := filepath.Join(dir, "hook.ndjson")
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for cut := 0; cut < len(whole); cut += len(whole)/12 + 1 { // a crash may leave any part of it
			part := t.TempDir()
			if err := os.WriteFile(filepath.Join(part, "hook.ndjson"), whole[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
			again := new(recorder)
			set := start(t, part, log, sinks.Target{Name: "hook", Sink: again})
			synctest.Wait()
			n := byte(100)
			log.raise(t, n, uint32(cut+1))
			synctest.Wait()
			if st := set.Status()[0]; st.Damaged != 0 || st.Waiting != 0 {
				t.Fatalf("cut at %d: %+v", cut, st)
			}
			got := again.all()
			if len(got) == 0 || got[len(got)-1].Alerts[0].ID != (alert.ID{n}) {
				t.Fatalf("cut at %d: a new alert was not sent after the cut", cut)
			}
			set.stop()
		}
	})
}

func TestNewRefuses(t *testing.T) {
	ok := new(recorder)
	for name, targets := range map[string][]sinks.Target{
		"path as name":   {{Name: "../x", Sink: ok}},
		"no name":        {{Sink: ok}},
		"no driver":      {{Name: "x"}},
		"twice":          {{Name: "x", Sink: ok}, {Name: "x", Sink: ok}},
		"bad disclosure": {{Name: "x", Sink: ok, Route: sinks.Route{Disclosure: "everything"}}},
	} {
		if _, err := sinks.New(sinks.Config{Targets: targets, Source: newLog(t)}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
