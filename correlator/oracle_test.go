// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
)

// naiveRule is a correlation of testRules, said again in the plainest way: what must hold of a window, and by what the
// events in it are chosen and grouped.
type naiveRule struct {
	id    string
	span  int64
	takes func(l line) bool
	group func(l line) string
	holds func(window []line, all map[string]bool) bool
}

func bySource(l line) string { return l.src }

func fails(l line) bool { return l.action == "fail" }

func naiveRules() []naiveRule {
	top := func(w []line) (n int) {
		for _, l := range w {
			n = max(n, l.level)
		}
		return n
	}
	count := func(w []line, f func(line) string) int {
		seen := map[string]bool{}
		for _, l := range w {
			seen[f(l)] = true
		}
		return len(seen)
	}
	user := func(l line) string { return l.user }
	return []naiveRule{
		{"guess", 60_000, fails, bySource, func(w []line, _ map[string]bool) bool {
			return len(w) >= 4 || top(w) >= 4 && len(w) >= 3
		}},
		{"tries", 60_000, fails, bySource, func(w []line, _ map[string]bool) bool { return len(w) >= 3 }},
		{"spray", 60_000, fails, bySource, func(w []line, _ map[string]bool) bool { return count(w, user) >= 3 }},
		{"sum", 60_000, fails, bySource, func(w []line, _ map[string]bool) bool {
			n := 0
			for _, l := range w {
				n += l.bytes
			}
			return n > 1000
		}},
		{"both", 30_000, func(l line) bool { return fails(l) || l.action == "ok" },
			func(l line) string { return l.src + " " + l.user }, func(w []line, _ map[string]bool) bool {
				return count(w, func(l line) string { return l.action }) == 2
			}},
		{"entered", 600_000, func(l line) bool { return fails(l) || l.action == "ok" }, bySource,
			func(w []line, tried map[string]bool) bool { // some success after some event at which tries held
				for i, l := range w {
					if tried[key(l)] && slices.ContainsFunc(w[i+1:], func(x line) bool { return x.action == "ok" }) {
						return true
					}
				}
				return false
			}},
	}
}

func key(l line) string { return fmt.Sprint(l.from, l.unit) }

// decide says at which events a rule becomes true, and at which it holds.
func (r naiveRule) decide(lines []line, tried map[string]bool) (rises []string, holds map[string]bool) {
	holds = map[string]bool{}
	type state struct {
		window []line
		open   bool
		last   int64
		level  int
	}
	groups := map[string]*state{}
	for _, l := range lines {
		if !r.takes(l) {
			continue
		}
		g := groups[r.group(l)]
		if g == nil {
			g = &state{}
			groups[r.group(l)] = g
		}
		if g.open && l.at-g.last >= r.span {
			g.open = false
		}
		g.window = slices.DeleteFunc(g.window, func(x line) bool { return x.at <= l.at-r.span })
		if len(g.window) == 0 {
			g.level = 0
		}
		g.level = max(g.level, l.level)
		g.window = append(g.window, l)
		w := slices.Clone(g.window)
		w[0].level = g.level // the highest so far counts, also of an event that has left the window
		switch ok := r.holds(w, tried); {
		case !ok:
			g.open = false
		default:
			if holds[key(l)] = true; !g.open {
				rises = append(rises, key(l))
			}
			g.open, g.last = true, l.at
		}
	}
	return rises, holds
}

// TestOracleWindows compares the windows with ones that are computed anew at every event.
func TestOracleWindows(t *testing.T) {
	set := compileTest(t, testRules)
	raised := 0
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		var lines []line
		at, units := int64(1000), map[string]uint64{}
		pace := 1 + r.Int64N(30) // whole seconds, so that events stand on the edges of windows
		for range 60 {
			at += r.Int64N(pace) * 1000
			l := line{at: at, from: string(rune('a' + r.IntN(2))), action: []string{"fail", "fail", "ok"}[r.IntN(3)],
				src: []string{"1.1.1.1", "2.2.2.2"}[r.IntN(2)], user: []string{"an", "bình", "chi"}[r.IntN(3)],
				level: r.IntN(5), bytes: 1 + r.IntN(600)}
			units[l.from]++
			l.unit = units[l.from]
			lines = append(lines, l)
		}
		slices.SortStableFunc(lines, func(a, b line) int { // as events of one millisecond are ordered
			fa, fb := factOf(a), factOf(b)
			switch {
			case fa.before(fb):
				return -1
			case fb.before(fa):
				return 1
			}
			return 0
		})
		s := newStream()
		var batches []*event.Batch
		for _, l := range lines {
			s.event(l)
			batches = append(batches, s.recs[len(s.recs)-1].Batches...)
		}
		r.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
		got := map[string][]string{}
		at2 := map[event.ID]string{}
		for _, l := range lines {
			at2[factOf(l).id] = key(l)
		}
		for _, d := range Decide(set, batches...) {
			got[d.Rule] = append(got[d.Rule], at2[d.Event])
		}
		var tried map[string]bool
		for _, rule := range naiveRules() {
			want, holds := rule.decide(lines, tried)
			if rule.id == "tries" {
				tried = holds
			}
			raised += len(want)
			if !slices.Equal(got[rule.id], want) {
				t.Fatalf("seed %d: %s at %v, want %v", seed, rule.id, got[rule.id], want)
			}
		}
	}
	if raised < 1000 {
		t.Errorf("only %d alerts were compared", raised)
	}
}

func factOf(l line) *fact {
	return &fact{time: start + l.at*1e6, id: event.MakeID("listener/"+l.from, 1, l.unit, 0)}
}
