// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/haidang-soc/haidang/deploy/sample"
)

// chatty is a rule that is true all the time, so that alerts are updated all the time.
const chatty = `
title: Một lần bị chặn
id: 5b6f9a52-6f0e-4b5e-9d0b-3c1c2f0a7e11
description: Một lần tường lửa của máy chặn
level: low
logsource: {product: linux}
detection:
  blocked:
    event.original|contains: BLOCK
  condition: blocked
haidang:
  group_by: [host.name, source.ip]
`

const killYAML = `
data: data
inventory: inventory.yml
rules: [chatty.yml]
http: {listen: "127.0.0.1:0"}
spool: {reserve: 1}
`

// TestKill kills the server ten times with SIGKILL while three agents send again what was not acknowledged, and then
// compares: what was acknowledged with what an export of the index has, and the alert log with what a correlator says
// that reads the third reader's copy of the stream without an interruption.
func TestKill(t *testing.T) {
	dir := configure(t, killYAML)
	write(t, filepath.Join(dir, "chatty.yml"), chatty)
	// Sources fall silent within the test, not within an hour.
	inventory := strings.NewReplacer("silence: 15m", "silence: 20s", "silence: 30m", "silence: 20s").
		Replace(string(sample.Inventory))
	write(t, filepath.Join(dir, "inventory.yml"), inventory)
	seed := seed(t)
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	time0 := clock{time.Now().UnixNano()}

	sending, stop := context.WithCancel(ctx)
	defer stop()
	var senders []*sender
	var g errgroup.Group
	for i := range 3 {
		s := newSender(dir, i, seed, time0)
		senders = append(senders, s)
		g.Go(func() error { return s.run(sending, ctx) })
	}
	answers := func() (n int64) {
		for _, s := range senders {
			n += s.answers.Load()
		}
		return n
	}
	r := rand.New(rand.NewPCG(seed, 1000))
	moments := []moment{anyTime, anyTime, answered, answered, saving, saved, saved, saved, syncing, syncing}
	r.Shuffle(len(moments), func(i, j int) { moments[i], moments[j] = moments[j], moments[i] })
	for life, m := range moments {
		before := answers()
		began := time.Now()
		s := start(t, dir, time0)
		m.await(ctx, s, dir, r, answers)
		if err := s.kill(); err != nil {
			t.Fatalf("life %d: the server ended by itself: %v", life, err)
		}
		t.Logf("life %d: killed %s, %v after its start, %d requests answered", life, m,
			time.Since(began).Round(time.Millisecond), answers()-before)
	}
	last := start(t, dir, time0)
	// Long enough for a source to fall silent while somebody listens.
	awaitAnswers(ctx, last, answers()+500, answers)
	stop()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	caughtUp(ctx, t, senders[0].client.HTTP)
	if err := last.end(); err != nil {
		t.Fatalf("the orderly end: %v", err)
	}
	c := &checker{dir: dir, senders: senders}
	c.check(ctx, t)
}

// seed is another one each time unless the environment has one.
func seed(t *testing.T) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(os.Getenv("HAIDANG_PROOF_SEED"), 10, 64)
	if err != nil {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("HAIDANG_PROOF_SEED=%d", n)
	return n
}

// moment is when to kill.
type moment string

const (
	anyTime  moment = "at any time"
	answered moment = "after an answer"
	saving   moment = "while the correlator saves"
	saved    moment = "when the correlator has saved"
	syncing  moment = "while the store saves"
)

// awaitAnswers waits for so many answered requests.
func awaitAnswers(ctx context.Context, s *server, want int64, answers func() int64) {
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for answers() < want {
		select {
		case <-poll.C:
		case <-s.ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// await returns when it is time. The moments within the server's work are seen from its files.
func (m moment) await(ctx context.Context, s *server, dir string, r *rand.Rand, answers func() int64) {
	poll := time.NewTicker(200 * time.Microsecond)
	defer poll.Stop()
	until := func(d time.Duration, ok func() bool) {
		end := time.Now().Add(d)
		for !ok() && ctx.Err() == nil && time.Now().Before(end) {
			select {
			case <-poll.C:
			case <-s.ended:
				return
			}
		}
	}
	never := func() bool { return false }
	const long = 15 * time.Second // then it is killed all the same
	if m == anyTime {
		until(time.Duration(r.Int64N(int64(3*time.Second))), never)
		return
	}
	want := answers() + 1 + r.Int64N(150)
	until(long, func() bool { return answers() >= want })
	switch m {
	case answered:
		until(time.Duration(r.Int64N(int64(20*time.Millisecond))), never)
	case saving:
		until(long, func() bool { return exists(filepath.Join(dir, "data", "correlator", "new")) })
	case saved:
		before := newest(filepath.Join(dir, "data", "correlator"))
		until(long, func() bool { return newest(filepath.Join(dir, "data", "correlator")) != before })
	case syncing:
		until(long, func() bool {
			return exists(filepath.Join(dir, "data", "store", "cursor.new")) || snapshots(filepath.Join(dir, "data", "store"))
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// newest is the name of the last checkpoint.
func newest(dir string) (name string) {
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		if strings.HasPrefix(f.Name(), "full-") {
			name = max(name, f.Name())
		}
	}
	return name
}

// snapshots reports whether the index has a snapshot at this moment, which is what its barrier is made of.
func snapshots(dir string) bool {
	found := false
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it went meanwhile
		}
		if d.IsDir() && filepath.Base(filepath.Dir(path)) == "snapshots" {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// caughtUp waits until index and correlator have what the spool has now.
func caughtUp(ctx context.Context, t *testing.T, client *http.Client) {
	t.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	goal := float64(-1)
	for ctx.Err() == nil {
		m, err := metrics(ctx, client)
		switch {
		case err != nil:
		case goal < 0:
			goal = m["haidang_spool_sequence"]
		case m["haidang_store_sequence"] >= goal && m["haidang_correlator_sequence"] >= goal:
			return
		}
		select {
		case <-ctx.Done():
		case <-poll.C:
		}
	}
	t.Fatal("index and correlator did not catch up")
}

// metrics reads those without labels.
func metrics(ctx context.Context, client *http.Client) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://haidang/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: %s", resp.Status)
	}
	m := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			m[name] = v
		}
	}
	return m, nil
}
