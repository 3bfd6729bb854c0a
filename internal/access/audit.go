// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// maxEntry bounds a line of the audit; longer details are cut.
const maxEntry = 16 << 10

// Entry is one line of the audit: who did what to what, and whether it was allowed and done.
type Entry struct {
	Seq    uint64    `json:"seq"` // from 1, given by Append
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"`
	Target string    `json:"target,omitempty"`
	Detail string    `json:"detail,omitempty"`
	Remote string    `json:"remote,omitempty"` // address of the caller
	OK     bool      `json:"ok"`
	Prev   string    `json:"prev"` // SHA-256 of the line before, hex; empty in the first
}

// Audit is the append-only record of what the users of the SOC did: JSON lines, each with the hash of the line before,
// so that a line cannot be changed or taken out unseen. Safe for concurrent use.
type Audit struct {
	mu     sync.Mutex
	file   *os.File
	seq    uint64
	prev   string
	size   int64
	tell   func(Entry)
	broken error
}

// OpenAudit opens or makes the file (0600) and checks its chain. A last line that a crash cut short is removed, and an
// entry says so. tell, if not nil, gets every entry after it is on disk: it must not block and must not append.
func OpenAudit(path string, tell func(Entry)) (*Audit, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("access: opening the audit: %w", err)
	}
	a := &Audit{file: f, tell: tell}
	var torn int64
	err = scan(f, func(line []byte, e Entry) bool {
		a.seq, a.prev = e.Seq, lineHash(line)
		a.size += int64(len(line)) + 1
		return true
	}, &torn)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("access: the audit %s: %w; keep the file and start with another", path, err)
	}
	if torn > 0 {
		if err := f.Truncate(a.size); err != nil {
			f.Close()
			return nil, fmt.Errorf("access: cutting the torn end of the audit: %w", err)
		}
		err := a.Append(Entry{At: time.Now(), Actor: "haidang", Action: "audit.repair", OK: true,
			Detail: fmt.Sprintf("removed %d bytes of a line that was cut short", torn)})
		if err != nil {
			f.Close()
			return nil, err
		}
	}
	return a, nil
}

// Append writes an entry and returns when it is on disk.
func (a *Audit) Append(e Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.broken != nil {
		return a.broken
	}
	e.Seq, e.Prev, e.At = a.seq+1, a.prev, e.At.UTC()
	for _, s := range []*string{&e.Actor, &e.Action, &e.Target, &e.Detail, &e.Remote} {
		*s = strings.ToValidUTF8(*s, "\uFFFD")
	}
	line, err := json.Marshal(e)
	if err == nil && len(line) > maxEntry {
		e.Detail, e.Target = cut(e.Detail), cut(e.Target)
		e.Actor, e.Remote, e.Action = cut(e.Actor), cut(e.Remote), cut(e.Action)
		line, err = json.Marshal(e)
	}
	if err != nil {
		return fmt.Errorf("access: writing the audit: %w", err)
	}
	n, err := a.file.WriteAt(append(line, '\n'), a.size)
	if err == nil {
		err = a.file.Sync()
	}
	if err != nil { // half a line may be on disk: take it back, or write no more
		err = fmt.Errorf("access: writing the audit: %w", err)
		if n > 0 {
			if cutErr := a.file.Truncate(a.size); cutErr != nil {
				a.broken = err
			}
		}
		return err
	}
	a.seq, a.prev, a.size = e.Seq, lineHash(line), a.size+int64(len(line))+1
	if a.tell != nil {
		a.tell(e)
	}
	return nil
}

func cut(s string) string {
	const most = 1024
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// Entries yields the entries on disk, oldest first; the last pair carries an error when the chain is broken.
func (a *Audit) Entries() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		a.mu.Lock()
		size := a.size
		a.mu.Unlock()
		var torn int64
		stopped := false
		err := scan(io.NewSectionReader(a.file, 0, size), func(_ []byte, e Entry) bool {
			stopped = !yield(e, nil)
			return !stopped
		}, &torn)
		if err != nil && !stopped {
			yield(Entry{}, fmt.Errorf("access: the audit: %w", err))
		}
	}
}

// Close closes the file.
func (a *Audit) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken = errors.New("access: the audit is closed")
	return a.file.Close()
}

func lineHash(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// scan reads lines and checks the chain; torn is the size of a last line without its end.
func scan(r io.Reader, each func(line []byte, e Entry) bool, torn *int64) error {
	in := bufio.NewReaderSize(r, 2*maxEntry)
	prev, seq := "", uint64(0)
	for {
		line, err := in.ReadSlice('\n')
		if err == io.EOF {
			*torn = int64(len(line))
			return nil
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", seq+1, err)
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("entry %d: %w", seq+1, err)
		}
		if e.Seq != seq+1 || e.Prev != prev {
			return fmt.Errorf("entry %d: the chain is broken: a line was changed, added or taken out before it", seq+1)
		}
		prev, seq = lineHash(line), e.Seq
		if !each(line, e) {
			return nil
		}
	}
}

// Fill puts the entry into the event being built: an ECS event of the system soc.
func (e Entry) Fill(b *event.Builder) {
	b.Time(event.Timestamp, e.At.UnixNano())
	b.Time(event.EventCreated, e.At.UnixNano())
	b.Str(event.EventKind, "event")
	b.Str(event.EventDataset, "haidang.audit")
	b.Str(event.EventAction, e.Action)
	category, kind := "configuration", "change"
	switch {
	case strings.HasPrefix(e.Action, "person."), strings.HasPrefix(e.Action, "token."):
		category = "iam"
	case strings.HasSuffix(e.Action, ".read"), strings.HasSuffix(e.Action, ".export"):
		category, kind = "database", "access"
	}
	if e.Action == "token.denied" {
		category, kind = "authentication", "start"
	}
	b.Strs(event.EventCategory, category)
	b.Strs(event.EventType, kind)
	outcome := "success"
	if !e.OK {
		outcome = "failure"
	}
	b.Str(event.EventOutcome, outcome)
	b.Str(event.UserName, e.Actor)
	b.Str(event.Message, strings.TrimSpace(e.Actor+" "+e.Action+" "+e.Target+" "+e.Detail))
	b.Str(event.HaidangSystemID, "soc")
	b.Extra("audit_seq", fmt.Sprint(e.Seq))
	b.Extra("audit_target", e.Target)
	b.Extra("audit_remote", e.Remote)
}
