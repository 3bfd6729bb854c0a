// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinks

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/safefile"
)

// record is one line of an outbox file. A file is read from its start; what it means is the sum of its lines.
type record struct {
	Op       op       `json:"op"`
	Seq      uint64   `json:"seq,omitempty"`      // of the letter
	Cursor   uint64   `json:"cursor,omitempty"`   // entries of the alert log up to here are dealt with
	Replaces uint64   `json:"replaces,omitempty"` // opAdd: a waiting letter that this one makes superfluous
	Letter   *letter  `json:"letter,omitempty"`   // opAdd
	Tries    int      `json:"tries,omitempty"`    // opTry: how many in all, where earlier lines were compacted
	At       int64    `json:"at,omitempty"`       // unix ns
	Next     int64    `json:"next,omitempty"`     // opWait: not before, unix ns
	Refused  bool     `json:"refused,omitempty"`  // opWait: the try certainly had no effect
	Error    string   `json:"error,omitempty"`    // opWait, opDead
	Receipt  *Receipt `json:"receipt,omitempty"`  // opDone, opWait of a pending one, opRef
	Alert    alert.ID `json:"alert,omitzero"`     // opRef
}

type op string

const (
	opCursor op = "cursor" // nothing but the cursor moved
	opAdd    op = "add"    // a letter waits to be sent
	opTry    op = "try"    // a try begins; without a later line its outcome is unknown
	opDone   op = "done"   // the peer has it
	opWait   op = "wait"   // to be tried again
	opDead   op = "dead"   // kept, not tried again
	opRevive op = "revive" // a dead letter is tried again
	opDrop   op = "drop"   // an action that was undone before it was sent
	opRef    op = "ref"    // compaction: the last receipt of an alert
)

// letter is one delivery that waits in an outbox.
type letter struct {
	Alert  alert.ID        `json:"alert"`
	Entry  uint64          `json:"entry"` // of the alert log
	Update uint32          `json:"update"`
	Change alert.Kind      `json:"change"`
	Due    int64           `json:"due"`              // not before, unix ns
	Made   int64           `json:"made"`             // unix ns
	Since  int64           `json:"since"`            // when the alert entered the log, unix ns
	Action *alert.Action   `json:"action,omitempty"` // cut down
	State  json.RawMessage `json:"state"`            // alert.State, cut down
}

// maxLine bounds a line of an outbox, in bytes.
const maxLine = 32 << 20

const (
	linePrefix = `{"crc":"`
	lineMiddle = `","r":`
	lineSuffix = "}\n"
)

// appendLine writes a record as one line of JSON that begins with the CRC-32C of what follows.
func appendLine(dst []byte, r *record) ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return dst, fmt.Errorf("outbox: encoding a line: %w", err)
	}
	if len(body)+64 > maxLine {
		return dst, fmt.Errorf("outbox: a line of %d bytes, at most %d", len(body), maxLine)
	}
	dst = append(dst, linePrefix...)
	dst = hex.AppendEncode(dst, checksum(body))
	dst = append(dst, lineMiddle...)
	dst = append(dst, body...)
	return append(dst, lineSuffix...), nil
}

// parseLine reads what appendLine wrote.
func parseLine(line []byte) (*record, error) {
	rest, ok := bytes.CutPrefix(line, []byte(linePrefix))
	if !ok || len(rest) < 8 {
		return nil, errors.New("outbox: not a line of an outbox")
	}
	sum := rest[:8]
	rest, ok = bytes.CutPrefix(rest[8:], []byte(lineMiddle))
	if !ok {
		return nil, errors.New("outbox: not a line of an outbox")
	}
	body, ok := bytes.CutSuffix(rest, []byte(lineSuffix))
	if !ok {
		return nil, errors.New("outbox: a line without its end")
	}
	if want := hex.AppendEncode(nil, checksum(body)); !bytes.Equal(sum, want) {
		return nil, fmt.Errorf("outbox: checksum %s, want %s", sum, want)
	}
	r := new(record)
	if err := json.Unmarshal(body, r); err != nil {
		return nil, fmt.Errorf("outbox: decoding a line: %w", err)
	}
	if r.Op == opAdd && (r.Letter == nil || r.Letter.Alert.IsZero()) {
		return nil, errors.New("outbox: a letter without its alert")
	}
	return r, nil
}

func checksum(body []byte) []byte {
	sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	return []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}
}

// readLines calls f with each good line and returns how long the file is up to the last good line, and how many lines
// before that are damaged. Damage at the very end is a torn write and not counted.
func readLines(r io.Reader, f func(*record)) (good int64, damaged int, err error) {
	br := bufio.NewReaderSize(r, 64<<10)
	var at int64
	bad := 0 // since the last good line
	for {
		line, n, err := nextLine(br)
		at += n
		if n > 0 {
			if rec, perr := parseLine(line); perr == nil {
				f(rec)
				good, damaged, bad = at, damaged+bad, 0
			} else {
				bad++
			}
		}
		if errors.Is(err, io.EOF) {
			return good, damaged + max(bad-1, 0), nil
		}
		if err != nil {
			return good, damaged, fmt.Errorf("outbox: reading: %w", err)
		}
	}
}

// nextLine reads one line; what is beyond maxLine is passed over. n is its full length.
func nextLine(br *bufio.Reader) (line []byte, n int64, err error) {
	for {
		part, err := br.ReadSlice('\n')
		n += int64(len(part))
		if len(line)+len(part) <= maxLine {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, n, err
		}
	}
}

// journal is the open file of an outbox.
type journal struct {
	path string
	f    *os.File
	size int64
}

// openJournal opens or makes the file, reads its lines and cuts a torn tail off.
func openJournal(path string, f func(*record)) (j *journal, damaged int, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, 0, fmt.Errorf("outbox: making the folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("outbox: opening: %w", err)
	}
	defer func() {
		if err != nil {
			_ = file.Close() // the first error tells more
		}
	}()
	good, damaged, err := readLines(file, f)
	if err != nil {
		return nil, damaged, err
	}
	if err := file.Truncate(good); err != nil {
		return nil, damaged, fmt.Errorf("outbox: cutting a torn line off: %w", err)
	}
	if _, err := file.Seek(good, io.SeekStart); err != nil {
		return nil, damaged, fmt.Errorf("outbox: opening: %w", err)
	}
	if err := safefile.SyncDir(filepath.Dir(path)); err != nil {
		return nil, damaged, fmt.Errorf("outbox: opening: %w", err)
	}
	return &journal{path: path, f: file, size: good}, damaged, nil
}

// write appends records and returns once they are on disk. After an error nothing of them is in the file.
func (j *journal) write(records ...*record) error {
	var data []byte
	var err error
	for _, r := range records {
		if data, err = appendLine(data, r); err != nil {
			return err
		}
	}
	if _, err = j.f.Write(data); err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		// Part of a line may be there: go back, so that the next write begins a line.
		if terr := j.f.Truncate(j.size); terr == nil {
			_, terr = j.f.Seek(j.size, io.SeekStart)
			err = errors.Join(err, terr)
		}
		return fmt.Errorf("outbox: writing: %w", err)
	}
	j.size += int64(len(data))
	return nil
}

// replace puts a new file in the place of the old one, atomically.
func (j *journal) replace(records []*record) error {
	next := &journal{path: j.path + safefile.Suffix}
	f, err := os.OpenFile(next.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("outbox: compacting: %w", err)
	}
	next.f = f
	err = next.write(records...)
	if err == nil {
		err = os.Rename(next.path, j.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("outbox: compacting: %w", err), f.Close())
	}
	old := j.f
	j.f, j.size = next.f, next.size
	if err := errors.Join(safefile.SyncDir(filepath.Dir(j.path)), old.Close()); err != nil {
		return fmt.Errorf("outbox: compacting: %w", err)
	}
	return nil
}

func (j *journal) close() error { return j.f.Close() }
