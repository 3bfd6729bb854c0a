// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/haidang-soc/haidang/deploy/sample"
	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// Config says what to measure.
type Config struct {
	Out     io.Writer
	Program string // this program, started again as the generator
	Rate    int    // events a second
	Seconds int
	Flows   float64
	Data    string   // data directory, made anew; empty is a temporary one, removed at the end
	Rules   []string // beside the built-in ones
	Seed    uint64
	Log     *slog.Logger
	// Heap, if set, is a file for a heap profile of the server under load.
	Heap string
	// Progress, if set, is told every second how far it is.
	Progress func(done, total uint64)
}

// Report is what was measured.
type Report struct {
	Sent     Sent
	Rate     int
	Accepted uint64        // lines and flows that the collectors made safe
	Found    uint64        // by search, at the end
	Lost     uint64        // datagrams, by the kernel's counter and ours
	Behind   time.Duration // from the last line sent until everything was indexed and correlated
	Lag      uint64        // records that the slower reader was behind when the last line was sent
	CPU      time.Duration // of the server, over the whole run
	RSS      int64         // bytes, at most
	Disk     int64         // bytes of the store
	Zstd     int64         // bytes of the same lines, zstd -3
	Alerts   uint64
	// Detection and Correlation are how long alerts took.
	Detection, Correlation Latency
	Stages                 []Stage
}

// Run measures: a server in this process, a generator in another one.
func Run(ctx context.Context, c Config) (rep *Report, err error) {
	if c.Data == "" {
		if c.Data, err = os.MkdirTemp("", "haidang-bench-"); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.Data)) }()
	}
	cfg, err := c.write()
	if err != nil {
		return nil, err
	}
	a, err := app.Open(ctx, app.Options{Config: cfg, Log: c.Log})
	if err != nil {
		return nil, err
	}
	serve, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(serve) }()
	defer func() {
		stop()
		err = errors.Join(err, <-done, a.Close())
	}()
	select {
	case <-a.Ready():
	case err := <-done:
		done <- nil
		return nil, err
	}
	rep = &Report{Rate: c.Rate}
	before := cpu()
	if err := c.load(ctx, a, rep); err != nil {
		return nil, err
	}
	last := time.Now()
	if err := c.writeHeap(); err != nil {
		return nil, err
	}
	rep.Lag = a.Progress().Lag()
	want := uint64(rep.Sent.Lines + rep.Sent.Flows)
	if err := c.settle(ctx, a, want); err != nil {
		return nil, err
	}
	// Before the report itself searches, compresses and measures stages: that memory is not the server's.
	rep.Behind, rep.CPU, rep.RSS = time.Since(last), cpu()-before, peak()
	p := a.Progress()
	rep.Accepted, rep.Lost, rep.Alerts = p.Taken, p.Dropped, p.Alerts
	if rep.Detection, rep.Correlation, err = latencies(a); err != nil {
		return nil, err
	}
	if rep.Found, err = found(ctx, a); err != nil {
		return nil, err
	}
	rep.Disk = size(filepath.Join(c.Data, "store"))
	if rep.Zstd, err = compressed(rep.Sent.Lines, c.Seed); err != nil {
		return nil, err
	}
	rep.Stages, err = stages(cfg, c.Seed)
	return rep, err
}

func (c *Config) writeHeap() error {
	if c.Heap == "" {
		return nil
	}
	f, err := os.Create(c.Heap)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
}

func (c *Config) write() (*config.Config, error) {
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return nil, err
	}
	for name, data := range map[string][]byte{"inventory.yml": sample.Inventory, "policy.yml": sample.Policy} {
		if err := os.WriteFile(filepath.Join(c.Data, name), data, 0o640); err != nil {
			return nil, err
		}
	}
	rules, err := json.Marshal(c.Rules)
	if err != nil {
		return nil, err
	}
	if c.Rules == nil {
		rules = []byte("[]")
	}
	text := fmt.Sprintf(`data: .
inventory: inventory.yml
policy: policy.yml
time_zone: %s
rules: %s
http: {listen: "127.0.0.1:0"}
collectors:
  - syslog: {name: bench, listen: "127.0.0.1:0", protocol: tcp, site: dc1}
  - netflow: {name: bench-flow, listen: "127.0.0.1:0", site: dc1}
`, zone(), rules)
	path := filepath.Join(c.Data, "haidang.yml")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		return nil, err
	}
	return config.Load(path)
}

// zone is the machine's, since the generator writes local times.
func zone() string {
	if name := time.Local.String(); name != "Local" {
		return name
	}
	return "UTC"
}

// load runs the generator to its end.
func (c *Config) load(ctx context.Context, a *app.App, rep *Report) error {
	addr := func(name string) (string, error) {
		for range 500 {
			if list := a.ListenerAddrs(name); len(list) > 0 {
				return list[0].String(), nil
			}
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(10 * time.Millisecond):
			}
		}
		return "", errors.New("bench: a listener did not open")
	}
	lines, err := addr("bench")
	if err != nil {
		return err
	}
	flows, err := addr("bench-flow")
	if err != nil {
		return err
	}
	events := c.Rate * c.Seconds
	cmd := exec.CommandContext(ctx, c.Program, "bench", "generate", "--syslog", lines, "--netflow", flows,
		"--rate", strconv.Itoa(c.Rate), "--events", strconv.Itoa(events),
		"--flows", strconv.FormatFloat(c.Flows, 'g', -1, 64), "--seed", strconv.FormatUint(c.Seed, 10))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "TZ="+zone())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	watch, stop := context.WithCancel(ctx)
	defer stop()
	if c.Progress != nil {
		go func() {
			for watch.Err() == nil {
				c.Progress(a.Progress().Taken, uint64(events))
				select {
				case <-watch.Done():
				case <-time.After(time.Second):
				}
			}
		}()
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("bench: the generator: %w", err)
	}
	return json.Unmarshal(out.Bytes(), &rep.Sent)
}

// settle waits until everything that was taken is indexed, safe and correlated.
func (c *Config) settle(ctx context.Context, a *app.App, want uint64) error {
	quiet := 0
	last := uint64(0)
	for {
		p := a.Progress()
		if p.Taken+p.Dropped >= want && p.Lag() <= 15 {
			return nil
		}
		if p.Taken == last { // datagrams may be lost without a count before a second has passed
			quiet++
		} else {
			quiet = 0
		}
		last = p.Taken
		if quiet > 300 && p.Lag() <= 15 {
			return nil
		}
		if c.Progress != nil {
			c.Progress(p.Indexed, p.Last)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// found counts what the generator sent, by search.
func found(ctx context.Context, a *app.App) (uint64, error) {
	q := store.NewQuery(access.Everything(), kql.MustParse(`not event.dataset: haidang*`),
		time.Now().Add(-24*time.Hour), time.Now().Add(time.Hour))
	var t store.Table
	for x, err := range a.Events().Stats(ctx, q) {
		if err != nil {
			return 0, err
		}
		t = x
	}
	return t.Total, nil
}
