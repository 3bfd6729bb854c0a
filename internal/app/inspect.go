// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// Finding is something that is wrong with a data directory.
type Finding struct {
	Path string // of the file, with the place in it
	What string
	Cure string
}

// Inspection is what Inspect saw.
type Inspection struct {
	Findings []Finding
	Counted  []string // what was read, a line each
}

// inspector walks a data directory.
type inspector struct {
	dir string
	Inspection
	readers map[string]spool.Cursor
	first   uint64 // record of the spool
	last    uint64
}

// Inspect reads the data directory of a server that does not run, and changes nothing but its lock: checksums of the
// spool's records, of checkpoints and outboxes, the chains of alerts, audit and manifests, the parts of the index as
// far as can be seen from outside. An error means that it could not look; what it found is in the inspection.
func Inspect(ctx context.Context, dir string) (*Inspection, error) {
	lock, err := lockStopped(dir)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	x := &inspector{dir: dir}
	if _, err := os.Stat(filepath.Join(dir, restoringFile)); err == nil {
		x.found(restoringFile, "a restore was cut off", "remove what is in the directory, and restore again")
	}
	for _, look := range []func() error{x.spool, x.alerts, x.people, x.correlator, x.outboxes, x.audit,
		x.manifests, x.store} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := look(); err != nil {
			return nil, fmt.Errorf("check: %w", err)
		}
	}
	return &x.Inspection, nil
}

func (x *inspector) found(path, what, cure string) {
	if rel, err := filepath.Rel(x.dir, path); err == nil && filepath.IsAbs(path) {
		path = rel
	}
	x.Findings = append(x.Findings, Finding{path, what, cure})
}

func (x *inspector) counted(format string, args ...any) {
	x.Counted = append(x.Counted, fmt.Sprintf(format, args...))
}

const (
	cureSpool = "start the server: what stands behind the damage is read on, what it covers is lost unless the index " +
		"has it; where the server does not start, move jetstream/$G/streams/SPOOL away, and it begins a new stream"
	cureAlerts = "the server goes on and reports the break; keep a copy for who investigates, and restore a backup if " +
		"alerts are missing"
	curePeople  = "restore a backup; people and tokens that came after it are made again"
	cureSmall   = "start the server: it is made anew from the records"
	cureReaders = "restore a backup; or move the file away, then every reader begins where its own state says"
)

// stream reads the blocks of a stream and adds each damage.
func (x *inspector) stream(name, cure string, each func(seq uint64, data []byte) error) error {
	damaged, err := spool.Inspect(filepath.Join(x.dir, streamsDir, name), each)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, d := range damaged {
		if name == spoolStream && d.Seq != 0 && d.Seq <= x.low() {
			continue // every reader has it, and it goes with its block
		}
		x.found(d.Path, fmt.Sprintf("message %d at byte %d: %s", d.Seq, d.Offset, d.What), cure)
	}
	return err
}

func (x *inspector) spool() error {
	x.readers = spool.InspectFiles(x.dir, spoolStream, func(path, what string) {
		if strings.HasSuffix(path, ".readers") {
			x.found(path, what, cureReaders)
			return
		}
		x.found(path, what, cureSmall)
	})
	records, events := 0, 0
	err := x.stream(spoolStream, cureSpool, func(seq uint64, data []byte) error {
		if x.first == 0 {
			x.first = seq
		}
		gap := x.last != 0 && seq != x.last+1
		from := x.last + 1
		x.last = max(x.last, seq)
		r, err := spool.CheckRecord(data)
		if err != nil {
			return err
		}
		records++
		for _, b := range r.Batches {
			events += b.Len()
		}
		if gap {
			return fmt.Errorf("records %d to %d are missing", from, seq-1)
		}
		return nil
	})
	x.counted("spool        %d records, %d events", records, events)
	for _, name := range slices.Sorted(maps.Keys(x.readers)) {
		x.place(filepath.Join(x.dir, "spool", spoolStream+".readers"), "the reader "+name, x.readers[name])
	}
	return err
}

// low is the last record that every reader has safe elsewhere.
func (x *inspector) low() uint64 {
	if len(x.readers) == 0 {
		return 0
	}
	low := uint64(math.MaxUint64)
	for _, c := range x.readers {
		low = min(low, c.Seq(0))
	}
	return low
}

// place looks whether a cursor goes with the stream.
func (x *inspector) place(path, who string, c spool.Cursor) {
	for _, m := range c.Marks() {
		if have := incarnation(x.dir); have != "" && string(m.Incarnation) != have {
			x.found(path, fmt.Sprintf("%s read the stream %s, this one is %s", who, m.Incarnation, have),
				"the two are of different servers or backups: restore one backup whole")
		} else if x.last > 0 && m.Seq > x.last {
			x.found(path, fmt.Sprintf("%s is at record %d, beyond the last one, %d", who, m.Seq, x.last),
				"the end of the stream is lost: restore a backup; the server fills up with ticks where little is missing")
		} else if x.first > m.Seq+1 {
			x.found(path, fmt.Sprintf("%s needs record %d, the first one kept is %d", who, m.Seq+1, x.first),
				"records in between are lost: restore a backup")
		}
	}
}

func (x *inspector) alerts() error {
	chain, err := alert.NewInspector()
	if err != nil {
		return err
	}
	err = x.stream(alert.Stream, cureAlerts, chain.Message)
	x.counted("alerts       %d entries in the chain", chain.Entries())
	return err
}

func (x *inspector) people() error {
	n := 0
	err := x.stream("KV_people", curePeople, func(uint64, []byte) error { n++; return nil })
	x.counted("people       %d entries", n)
	return err
}

func (x *inspector) correlator() error {
	files, err := filepath.Glob(filepath.Join(x.dir, "correlator", "full-*"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	good := 0
	for i, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		at, err := correlator.InspectCheckpoint(data)
		if err == nil {
			good++
			x.place(path, "the correlator", at)
			continue
		}
		cure := "start the server: it takes the older one, and reads the records since again"
		if i < len(files)-1 {
			cure = "nothing: the newer one is used"
		}
		if len(files) == 1 || i == len(files)-1 && good == 0 {
			cure = "restore a backup; or move the folder correlator away: the correlator begins anew at the oldest record " +
				"kept, and forgets the windows it had open"
		}
		x.found(path, err.Error(), cure)
	}
	x.counted("correlator   %d of %d checkpoints whole", good, len(files))
	return nil
}

func (x *inspector) outboxes() error {
	files, err := filepath.Glob(filepath.Join(x.dir, "outbox", "*.ndjson"))
	if err != nil {
		return err
	}
	all := 0
	for _, path := range files {
		lines, damaged, err := sinks.Inspect(path)
		if err != nil {
			return err
		}
		all += lines
		if damaged > 0 {
			x.found(path, fmt.Sprintf("%d lines are damaged", damaged),
				"start the server: it passes them over; look in the list of alerts what that sink should have got")
		}
	}
	x.counted("outboxes     %d lines in %d files", all, len(files))
	return nil
}

func (x *inspector) audit() error {
	path := filepath.Join(x.dir, "audit.ndjson")
	n, _, err := access.InspectAudit(path)
	var real *fs.PathError
	if errors.As(err, &real) {
		return err
	}
	if err != nil {
		x.found(path, err.Error(), "keep the file for who investigates and move it away: the server begins another")
	}
	x.counted("audit        %d entries in the chain", n)
	return nil
}

func (x *inspector) store() error {
	dir := filepath.Join(x.dir, "store")
	days, err := filepath.Glob(filepath.Join(dir, "r*", "partitions", "*"))
	if err != nil {
		return err
	}
	x.counted("index        %d days", len(days))
	return local.Inspect(dir, func(path, what string) {
		cure := "restore a backup; or move that day's folder away: its events cannot be found any more, the rest can"
		if filepath.Base(path) == "cursor" {
			cure = "restore a backup; or move the folder store away: what the spool still has is indexed again"
		}
		x.found(path, what, cure)
	})
}
