// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool/ingest"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// smallDisk is the size of the file system that is filled.
const smallDisk = 64 << 20

// TestKillFullDisk fills the file system of the spool by another process, past any reserve: senders are refused, and go
// on when space is back, without a restart of the process; what was acknowledged is there, once. Without a reserve the
// last bytes are left to the server, so that its own writes fail.
func TestKillFullDisk(t *testing.T) {
	for _, c := range []struct {
		name          string
		reserve, left int64
		rounds        int
	}{{"reserve", 8 << 20, 0, 2}, {"no reserve", 1, 48 << 10, 1}} {
		t.Run(c.name, func(t *testing.T) {
			d := newDisk(t, "data", fmt.Sprintf(`
data: data
http: {listen: "127.0.0.1:0"}
spool: {max_bytes: 40MiB, reserve: %d}
store: {dir: index, reserve: 1}
`, c.reserve))
			if c.left > 0 {
				d.heavy()
			}
			d.until("answers", func() bool { return d.answers() > 20 })
			for round := range c.rounds {
				d.fill(c.left)
				if c.left == 0 {
					d.refused(round)
				} else {
					d.silent()
				}
				before := d.answers()
				d.free()
				d.until("answers again", func() bool { return d.answers() > before+20 })
				d.until("a good word in /readyz", func() bool { return d.ready("") })
				t.Logf("round %d: %v refusals, the server was reopened %v times", round, d.metric("haidang_spool_full_total"),
					d.metric("haidang_spool_reopened_total"))
			}
			d.finish("index")
		})
	}
}

// heavy adds an agent whose records are longer than what fill leaves: writing one fails although there is some space.
func (d *disk) heavy() {
	s := newSender(d.dir, 99, d.seed, d.clock)
	d.senders = append(d.senders, s)
	noise := make([]byte, 60_000)
	d.sent.Go(func() error {
		pause := time.NewTicker(25 * time.Millisecond)
		defer pause.Stop()
		for d.ctx.Err() == nil {
			acked := s.acked.Load()
			if acked == uint64(len(s.lines)) {
				if d.sending.Err() != nil {
					return nil
				}
				for range 8 {
					for i := range noise {
						noise[i] = byte(33 + s.r.IntN(90))
					}
					s.lines = append(s.lines, said{"<30>Nov  3 10:00:00 h app: " + string(noise), hosts[0], s.clock.Wall()})
				}
			}
			_ = s.send(d.ctx, acked, uint64(len(s.lines)))
			<-pause.C
		}
		return d.ctx.Err()
	})
}

// silent waits until nobody has been answered for two seconds: a write of the server has failed.
func (d *disk) silent() {
	d.Helper()
	last, since := int64(-1), 0
	d.until("the end of answers", func() bool {
		if n := d.answers(); n != last {
			last, since = n, 0
		}
		since++
		return since > 40
	})
}

// refused waits until senders are refused, are told why, and go on being refused.
func (d *disk) refused(round int) {
	d.Helper()
	var refusal *ingest.RetryError
	d.until("a refusal", func() bool {
		probe := newSender(d.dir, 100+round, d.seed, d.clock)
		probe.say()
		return errors.As(probe.send(d.ctx, 0, 1), &refusal)
	})
	var status *ingest.StatusError
	if !errors.As(refusal.Err, &status) || status.Problem.Status != http.StatusServiceUnavailable {
		d.Errorf("refused with %v", refusal)
	}
	d.until("the word of it in /readyz", func() bool { return d.ready("spool is full") })
	refused := d.metric("haidang_spool_full_total")
	d.until("more refusals", func() bool { return d.metric("haidang_spool_full_total") > refused+5 })
}

// TestKillFullDiskOfStore fills the file system of the index: indexing stops and says so, the process lives and takes
// events, and when space is back the index has all of them once. The library that keeps the index ends the process when
// it cannot write; the reserve is what keeps it from trying, so the disk is filled to below the reserve first, and then
// to the last byte.
func TestKillFullDiskOfStore(t *testing.T) {
	d := newDisk(t, "index", `
data: data
http: {listen: "127.0.0.1:0"}
spool: {reserve: 1}
store: {dir: index, reserve: 16MiB}
`)
	d.until("events in the index", func() bool { return d.metric("haidang_store_sequence") > 5 })
	for round := range 2 {
		d.fill(12 << 20)
		d.until("the word of it in /readyz", func() bool { return d.ready("nothing is indexed") && d.ready("disk is full") })
		d.fill(0)
		before, at := d.answers(), d.metric("haidang_store_sequence")
		d.until("answers", func() bool { return d.answers() > before+50 })
		if now := d.metric("haidang_store_sequence"); now > at || !d.ready("nothing is indexed") {
			t.Errorf("round %d: the index went on from %v to %v on a full disk", round, at, now)
		}
		last := d.metric("haidang_spool_sequence")
		d.free()
		d.until("the index", func() bool { return d.metric("haidang_store_sequence") >= last })
		d.until("a good word in /readyz", func() bool { return d.ready("") })
	}
	d.finish("index")
}

// disk is a small file system, a server that uses it and three agents that send.
type disk struct {
	*testing.T
	ctx     context.Context
	dir     string
	mount   string
	seed    uint64
	clock   clock
	server  *server
	client  *http.Client
	senders []*sender
	sending context.Context
	stop    func()
	sent    errgroup.Group
}

// newDisk mounts the file system on a folder of the server's and starts everything.
func newDisk(t *testing.T, on, yaml string) *disk {
	t.Helper()
	if testing.Short() {
		t.Skip("it mounts a file system")
	}
	d := &disk{T: t, dir: configure(t, yaml), seed: seed(t), clock: clock{time.Now().UnixNano()}}
	d.mount = filepath.Join(d.dir, on)
	if err := os.Mkdir(d.mount, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", d.mount, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0750", smallDisk)); err != nil {
		if os.Getenv("CI") == "true" && os.Getenv("PEERS") == "install" {
			t.Fatalf("mounting a tmpfs: %v", err)
		}
		t.Skipf("mounting a tmpfs: %v: this proof needs a user who may mount", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(d.mount, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	t.Cleanup(cancel)
	d.ctx = ctx
	d.server = start(t, d.dir, d.clock)
	sending, stop := context.WithCancel(ctx)
	d.sending, d.stop = sending, stop
	t.Cleanup(stop)
	for i := range 3 {
		s := newSender(d.dir, i, d.seed, d.clock)
		d.senders = append(d.senders, s)
		d.sent.Go(func() error { return s.run(sending, ctx) })
	}
	d.client = d.senders[0].client.HTTP
	return d
}

// until waits for a condition while the process lives.
func (d *disk) until(what string, ok func() bool) {
	d.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-d.server.ended:
			d.Fatalf("%s: the server ended: %v", what, d.server.err)
		case <-d.ctx.Done():
			d.Fatalf("%s: it did not come", what)
		case <-poll.C:
		}
	}
}

func (d *disk) answers() (n int64) {
	for _, s := range d.senders {
		n += s.answers.Load()
	}
	return n
}

func (d *disk) metric(name string) float64 {
	m, err := metrics(d.ctx, d.client)
	if err != nil {
		return -1
	}
	return m[name]
}

// ready reports whether /readyz has a problem with the words; no words: whether it has no problem.
func (d *disk) ready(words string) bool {
	resp, err := d.client.Get("http://haidang/readyz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var r struct{ Problems []string }
	if json.NewDecoder(resp.Body).Decode(&r) != nil {
		return false
	}
	if words == "" {
		return len(r.Problems) == 0
	}
	return slices.ContainsFunc(r.Problems, func(p string) bool { return strings.Contains(p, words) })
}

// fill has another process write until so many bytes are left.
func (d *disk) fill(left int64) {
	d.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(d.mount, &st); err != nil {
		d.Fatal(err)
	}
	args := []string{"if=/dev/zero", "of=" + filepath.Join(d.mount, fmt.Sprintf("filler-%d", left)), "bs=64K"}
	if left > 0 {
		args = append(args, fmt.Sprintf("count=%d", max(0, int64(st.Bavail)*int64(st.Bsize)-left)>>16))
	}
	out, err := exec.Command("dd", args...).CombinedOutput()
	if full := strings.Contains(string(out), "space left"); (err != nil || left == 0) && !full {
		d.Fatalf("dd: %v: %s", err, out)
	}
}

// free removes what fill wrote.
func (d *disk) free() {
	d.Helper()
	list, err := filepath.Glob(filepath.Join(d.mount, "filler-*"))
	if err != nil || len(list) == 0 {
		d.Fatal("nothing to remove: ", err)
	}
	for _, path := range list {
		if err := os.Remove(path); err != nil {
			d.Fatal(err)
		}
	}
}

// finish ends everything in order and compares what was acknowledged with the index.
func (d *disk) finish(index string) {
	d.Helper()
	d.stop()
	if err := d.sent.Wait(); err != nil {
		d.Fatal(err)
	}
	caughtUp(d.ctx, d.T, d.client)
	if err := d.server.end(); err != nil {
		d.Fatalf("the orderly end: %v", err)
	}
	s, err := local.Open(local.Config{Dir: filepath.Join(d.dir, index), Reserve: -1})
	if err != nil {
		d.Fatal(err)
	}
	defer s.Close()
	stored := map[event.ID]int{}
	for e, err := range s.Events(d.ctx, store.NewQuery(access.Everything(), nil, time.Time{}, time.Time{})) {
		if err != nil {
			d.Fatal(err)
		}
		stored[e.ID()]++
	}
	for _, s := range d.senders {
		lost, doubled := 0, 0
		for u := range s.acked.Load() {
			switch stored[event.MakeID(s.source, 1, u, 0)] {
			case 0:
				lost++
			case 1:
			default:
				doubled++
			}
		}
		if lost+doubled > 0 {
			d.Errorf("%s: of %d acknowledged lines %d are lost, %d doubled", s.source, s.acked.Load(), lost, doubled)
		}
		d.Logf("%s: %d lines acknowledged, %d sent again", s.source, s.acked.Load(), s.again)
	}
}
