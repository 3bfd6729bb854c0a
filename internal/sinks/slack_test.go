// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinks_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/sinks/sinktest"
	"github.com/haidang-soc/haidang/internal/sinks/slack"
)

// slackTarget is the Slack sink in front of a peer in memory.
func slackTarget(t *testing.T, peer *sinktest.SlackPeer) sinks.Target {
	t.Helper()
	s, err := slack.New(slack.Config{
		Token: "xoxb-1", Channel: "C0123456789", API: "https://slack.example/api/", Client: sinktest.Client(peer),
	})
	if err != nil {
		t.Fatal(err)
	}
	return sinks.Target{Name: "slack", Sink: s, Route: sinks.Route{Actions: true, Disclosure: sinks.Summary}}
}

// shown returns how many messages the channel shows of each alert, by the metadata; replies are not counted.
func shown(t *testing.T, peer *sinktest.SlackPeer) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, m := range peer.Messages() {
		var meta struct {
			Payload struct {
				ID string `json:"alert_id"`
			} `json:"event_payload"`
		}
		if err := json.Unmarshal(m.Metadata, &meta); err != nil {
			t.Fatal(err)
		}
		if m.Thread == "" {
			out[meta.Payload.ID]++
		}
	}
	return out
}

// wantOnce checks that the channel shows each of the alerts 1..n exactly once, and that nothing waits or is dead.
func wantOnce(t *testing.T, peer *sinktest.SlackPeer, set *running, n byte) {
	t.Helper()
	got := shown(t, peer)
	for i := byte(1); i <= n; i++ {
		if id := (alert.ID{i}).String(); got[id] != 1 {
			t.Errorf("alert %s is shown %d times, want once", id, got[id])
		}
	}
	if len(got) != int(n) {
		t.Errorf("%d alerts are shown, want %d", len(got), n)
	}
	if st := set.Status()[0]; st.Waiting != 0 || st.Dead != 0 {
		t.Errorf("%d wait, %d are dead; want none", st.Waiting, st.Dead)
	}
}

func TestSlackAcceptsThenDropsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var drops atomic.Int32
		peer := &sinktest.SlackPeer{Before: func(method string) sinktest.SlackFault {
			return sinktest.SlackFault{Drop: method == "chat.postMessage" && drops.Add(1) <= 3}
		}}
		log := newLog(t)
		set := start(t, t.TempDir(), log, slackTarget(t, peer))
		for i := byte(1); i <= 5; i++ {
			log.raise(t, i, 1)
		}
		time.Sleep(10 * time.Minute)
		wantOnce(t, peer, set, 5)
		if drops.Load() != 5 {
			t.Errorf("%d posts, want 5: those that were lost must be found, not repeated", drops.Load())
		}
	})
}

func TestSlackAsksForAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var early, limited atomic.Int32
		peer := &sinktest.SlackPeer{Before: func(method string) sinktest.SlackFault {
			if limited.Add(1) == 1 {
				return sinktest.SlackFault{Limit: 90 * time.Second}
			}
			if time.Since(began) < 90*time.Second {
				early.Add(1)
			}
			return sinktest.SlackFault{}
		}}
		log := newLog(t)
		set := start(t, t.TempDir(), log, slackTarget(t, peer))
		for i := byte(1); i <= 4; i++ {
			log.raise(t, i, 1)
		}
		time.Sleep(10 * time.Minute)
		wantOnce(t, peer, set, 4)
		if early.Load() > 0 {
			t.Errorf("%d requests within the pause that Slack asked for", early.Load())
		}
		if n := peer.Calls("conversations.history"); n != 0 {
			t.Errorf("%d look-ups although nothing was unclear", n)
		}
	})
}

func TestSlackIsDownForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		peer := &sinktest.SlackPeer{Before: func(string) sinktest.SlackFault {
			return sinktest.SlackFault{Down: time.Since(began) < time.Hour}
		}}
		log := newLog(t)
		set := start(t, t.TempDir(), log, slackTarget(t, peer))
		for i := byte(1); i <= 20; i++ {
			log.raise(t, i, 1)
			log.raise(t, i, 2)
			time.Sleep(time.Minute)
		}
		log.act(t, 3, alert.Action{Kind: alert.Acknowledge})
		time.Sleep(time.Hour - time.Since(began))
		if n := len(peer.Messages()); n != 0 {
			t.Fatalf("%d messages while Slack is down", n)
		}
		asked := peer.Calls("chat.postMessage") + peer.Calls("conversations.history")
		if asked > 100 {
			t.Errorf("a Slack that is down was asked %d times in an hour", asked)
		}
		time.Sleep(15 * time.Minute)
		wantOnce(t, peer, set, 20)
		if n := len(peer.Messages()); n != 21 {
			t.Errorf("%d messages, want 20 alerts and a reply", n)
		}
	})
}

// crashing takes a picture of the outboxes right after the peer got the message, then ends like a killed program.
type crashing struct {
	sinks.Sink
	crash func()
}

func (c *crashing) Send(ctx context.Context, d *sinks.Delivery) (sinks.Receipt, error) {
	if _, err := c.Sink.Send(ctx, d); err != nil {
		return sinks.Receipt{}, err
	}
	c.crash()
	<-ctx.Done()
	return sinks.Receipt{}, ctx.Err()
}

func TestKillBetweenPostAndRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer := new(sinktest.SlackPeer)
		log := newLog(t)
		target := slackTarget(t, peer)
		dir, picture := t.TempDir(), make(chan string, 1)
		crashed := target
		crashed.Sink = &crashing{target.Sink, func() { picture <- copyDir(t, dir) }}
		set := start(t, dir, log, crashed)
		for i := byte(1); i <= 3; i++ {
			log.raise(t, i, 1)
		}
		left := <-picture
		set.stop()
		if n := len(peer.Messages()); n != 1 {
			t.Fatalf("%d messages before the crash, want 1", n)
		}

		set = start(t, left, log, target)
		log.raise(t, 4, 1)
		time.Sleep(time.Minute)
		wantOnce(t, peer, set, 4)
		if peer.Calls("conversations.history") == 0 {
			t.Error("the message was not looked up")
		}
		if n := peer.Calls("chat.postMessage"); n != 4 {
			t.Errorf("%d posts, want 4", n)
		}
		set.stop()

		// Once more from the same outbox: all is recorded, nothing is sent.
		posts := peer.Calls("chat.postMessage") + peer.Calls("chat.update")
		start(t, left, log, target)
		time.Sleep(time.Minute)
		if n := peer.Calls("chat.postMessage") + peer.Calls("chat.update"); n != posts {
			t.Errorf("%d calls after a clean restart, want none", n-posts)
		}
	})
}

// TestSlackThroughAnything runs alerts and actions past a Slack that fails at random in every way it can, while the
// program is killed at random moments, and checks that in the end each alert is shown once and each action told once.
func TestSlackThroughAnything(t *testing.T) {
	for seed := range uint64(15) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 7))
			var mu sync.Mutex
			calm, killed := false, false
			dir := t.TempDir()
			var next string
			peer := new(sinktest.SlackPeer)
			peer.Before = func(string) sinktest.SlackFault {
				mu.Lock()
				defer mu.Unlock()
				if calm {
					return sinktest.SlackFault{}
				}
				if killed { // nothing that is done after the picture happened
					return sinktest.SlackFault{Down: true}
				}
				if rnd.IntN(12) == 0 { // the picture of a kill, before or after this request takes effect
					killed, next = true, copyDir(t, dir)
					return sinktest.SlackFault{Drop: rnd.IntN(2) == 0, Down: true}
				}
				return []sinktest.SlackFault{
					{}, {}, {}, {}, {Drop: true}, {Drop: true}, {Limit: 20 * time.Second}, {Down: true}, {Word: "internal_error"},
				}[rnd.IntN(9)]
			}
			log := newLog(t)
			target := slackTarget(t, peer)
			target.Workers = 2
			set := start(t, dir, log, target)
			actions := 0
			for range 25 {
				mu.Lock()
				n := byte(rnd.IntN(5) + 1)
				what, wait := rnd.IntN(3), time.Duration(rnd.IntN(90))*time.Second
				crash := killed
				mu.Unlock()
				if crash {
					set.stop()
					mu.Lock()
					dir, killed = next, false
					mu.Unlock()
					set = start(t, dir, log, target)
				}
				update := uint32(0)
				for _, e := range log.entries {
					if e.Alert != nil && e.Alert.ID == (alert.ID{n}) {
						update = e.Alert.Update
					}
				}
				if update == 0 || what == 0 {
					log.raise(t, n, update+1)
				} else {
					log.act(t, n, alert.Action{Kind: alert.Comment, Note: "ghi chú"})
					actions++
				}
				time.Sleep(wait)
			}
			mu.Lock()
			calm = true
			mu.Unlock()
			time.Sleep(2 * time.Hour)
			raised, replies := map[string]int{}, map[string]int{}
			for _, e := range log.entries {
				raised[e.ID().String()]++
			}
			for _, m := range peer.Messages() {
				if m.Thread != "" {
					replies[string(m.Metadata)]++
				}
			}
			got := shown(t, peer)
			for id := range raised {
				if got[id] != 1 {
					t.Errorf("seed %d: alert %s is shown %d times", seed, id, got[id])
				}
			}
			if len(replies) != actions {
				t.Errorf("seed %d: %d actions are told, want %d", seed, len(replies), actions)
			}
			for meta, n := range replies {
				if n != 1 {
					t.Errorf("seed %d: told %d times: %s", seed, n, meta)
				}
			}
			if st := set.Status()[0]; st.Waiting != 0 || st.Dead != 0 {
				t.Errorf("seed %d: %+v", seed, st)
			}
		})
	}
}
