// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/decoders"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// Stage is what one stage costs by itself.
type Stage struct {
	Name string
	CPU  time.Duration // of the whole process, an event
}

// sampleLines is how many lines each stage is given.
const sampleLines = 40_000

// stages measures each stage alone, on lines of the same shapes: processor time of the process, so that what a stage
// does in other goroutines counts.
func stages(cfg *config.Config, seed uint64) (list []Stage, err error) {
	dir, err := os.MkdirTemp("", "haidang-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	lines := sampled(sampleLines, seed)
	inv, err := asset.Load(asset.Config{Inventory: cfg.Inventory, Policy: cfg.Policy})
	if err != nil {
		return nil, err
	}
	measure := func(name string, f func() error) {
		if err != nil {
			return
		}
		start := cpu()
		err = f()
		list = append(list, Stage{name, (cpu() - start) / sampleLines})
	}
	var raw, decoded []*event.Batch
	measure("batch of raw lines", func() error {
		raw = batches(lines)
		return nil
	})
	set := decoders.New(decoders.Config{})
	keep := &keeper{}
	w := &decoders.Writer{Set: set, Next: keep}
	measure("decode", func() error { return writeAll(w, raw) })
	keep.list = nil
	w.Enrich = inv.Enrich
	measure("decode and enrich", func() error { return writeAll(w, raw) })
	decoded = keep.list
	var encoded [][]byte
	measure("encode, S2", func() error {
		for _, b := range decoded {
			encoded = append(encoded, event.Encode(nil, b))
		}
		return nil
	})
	measure("decode the encoded", func() error {
		for _, p := range encoded {
			if _, err := event.Decode(p); err != nil {
				return err
			}
		}
		return nil
	})
	rules, _, err2 := app.LoadRules(true, cfg.Rules...)
	if err2 != nil {
		return nil, err2
	}
	engine, err2 := correlator.New(correlator.Config{Rules: rules, Policy: inv.Policy(), Inventory: inv})
	if err2 != nil {
		return nil, err2
	}
	measure(fmt.Sprintf("correlate, %d rules", rules.Len()), func() error {
		for i, b := range decoded {
			if _, err := engine.Process(record(uint64(i+1), b)); err != nil {
				return err
			}
		}
		return nil
	})
	st, err2 := local.Open(local.Config{Dir: filepath.Join(dir, "store")})
	if err2 != nil {
		return nil, err2
	}
	measure("index", func() error {
		for i, b := range decoded {
			if err := st.Append(context.Background(), record(uint64(i+1), b)); err != nil {
				return err
			}
		}
		_, err := st.Sync(context.Background())
		return err
	})
	if e := st.Close(); err == nil {
		err = e
	}
	return list, err
}

func record(seq uint64, b *event.Batch) *spool.Record {
	return &spool.Record{At: spool.Position{Seq: seq}, Incarnation: "BENCH", Clock: time.Now().UnixNano(),
		Kind: spool.KindBatches, Batches: []*event.Batch{b}}
}

// keeper is a Writer that keeps what it is given.
type keeper struct{ list []*event.Batch }

// Write keeps the batch.
func (k *keeper) Write(_ context.Context, b *event.Batch) error {
	k.list = append(k.list, b)
	return nil
}

func writeAll(w event.Writer, list []*event.Batch) error {
	for _, b := range list {
		if err := w.Write(context.Background(), b); err != nil {
			return err
		}
	}
	return nil
}

func sampled(n int, seed uint64) [][]byte {
	r := rand.New(rand.NewPCG(seed, 7))
	list := shapes()
	lines := make([][]byte, n)
	for i := range lines {
		lines[i] = list[r.IntN(len(list))].line(nil, r, time.Now())
	}
	return lines
}

func batches(lines [][]byte) (list []*event.Batch) {
	const size = 500
	b := event.NewBuilder("listener/bench", 1)
	for i := 0; i < len(lines); i += size {
		b.Reset("listener/bench", 1)
		for j, l := range lines[i:min(i+size, len(lines))] {
			b.Begin(uint64(i+j), 0)
			b.Time(event.EventCreated, time.Now().UnixNano())
			b.Bytes(event.EventOriginal, l)
			b.Str(event.HaidangListener, "bench")
			b.Str(event.HaidangFormat, "syslog")
			b.End()
		}
		list = append(list, b.Batch(uint64(i), uint64(min(i+size, len(lines)))))
	}
	return list
}

// compressed is the size of as many lines of the same shapes, zstd level 3.
func compressed(n int, seed uint64) (int64, error) {
	var out counter
	w, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(3)), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0, err
	}
	some := min(n, 200_000)
	if some == 0 {
		return 0, nil
	}
	for _, l := range sampled(some, seed) {
		if _, err := w.Write(append(l, '\n')); err != nil {
			return 0, err
		}
	}
	err = w.Close()
	return int64(out) * int64(n) / int64(some), err
}

type counter int64

// Write counts.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// peak is the most memory that this process held, in bytes.
func peak() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Maxrss << 10
}

func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
