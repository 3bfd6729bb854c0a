// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"time"

	"github.com/haidang-soc/haidang/internal/safefile"
)

// bookVersion is the format; another one is begun anew.
const bookVersion = 1

// maxBook bounds a book file, in bytes.
const maxBook = 256 << 20

// book is what is kept on disk: a line with version and checksum, then this as JSON.
type book struct {
	Since    time.Time          `json:"since"` // when counting began
	Reason   string             `json:"reason"`
	From     Place              `json:"from"`               // from which record on
	Stream   Place              `json:"stream"`             // the last record counted as read
	Store    Place              `json:"store"`              // the last record counted as handed to the store
	Unread   uint64             `json:"unread,omitempty"`   // records that nobody read for the ledger
	Unstored uint64             `json:"unstored,omitempty"` // records that were not handed to the store
	Surplus  uint64             `json:"surplus,omitempty"`  // events whose origin found no row
	Records  source             `json:"records"`            // troubles of Unread and Unstored
	Sources  map[string]*source `json:"sources"`
	Origins  map[string]*origin `json:"origins"`
}

// reasonNew is why there is a new book where there was none.
const reasonNew = "first start"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// decodeBook reads what encode wrote, and refuses anything else.
func decodeBook(data []byte) (*book, error) {
	head, body, ok := bytes.Cut(data, []byte{'\n'})
	var version int
	var sum uint32
	if n, err := fmt.Sscanf(string(head[:min(len(head), 64)]), "haidang ledger %d %x", &version, &sum); !ok || n != 2 ||
		err != nil {
		return nil, errors.New("no book of a ledger")
	}
	if version != bookVersion {
		return nil, fmt.Errorf("a book of version %d, this program writes %d", version, bookVersion)
	}
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, errors.New("its checksum differs: it is damaged")
	}
	return parseBook(body)
}

// parseBook reads the JSON of a book.
func parseBook(body []byte) (*book, error) {
	b := &book{}
	if err := json.Unmarshal(body, b); err != nil {
		return nil, err
	}
	if b.Sources == nil {
		b.Sources = map[string]*source{}
	}
	if b.Origins == nil {
		b.Origins = map[string]*origin{}
	}
	for name, s := range b.Sources {
		if s == nil || !s.In.valid() || !s.Out.valid() {
			return nil, fmt.Errorf("the row of source %.60q is impossible", name)
		}
		for hop, t := range s.Troubles {
			if t == nil {
				return nil, fmt.Errorf("source %.60q has no row for its trouble at %.20q", name, hop)
			}
		}
	}
	for name, o := range b.Origins {
		if o == nil {
			return nil, fmt.Errorf("the row of origin %.60q is empty", name)
		}
	}
	for _, t := range b.Records.Troubles {
		if t == nil {
			return nil, errors.New("a trouble of records is empty")
		}
	}
	return b, nil
}

// valid reports whether epochs and spans are in order and apart.
func (c *covered) valid() bool {
	last := c.Epoch
	for i := len(c.Old) - 1; i >= 0; i-- {
		if c.Old[i].Epoch >= last || !c.Old[i].valid() {
			return false
		}
		last = c.Old[i].Epoch
	}
	return len(c.Old) <= maxEpochs && c.pieces.valid()
}

func (c *pieces) valid() bool {
	for i, s := range c.Spans {
		if s.First > s.Last || i > 0 && c.Spans[i-1].Last > s.First {
			return false
		}
	}
	return len(c.Spans) <= maxSpans
}

// load reads the book. A reason means that a new one must be begun; the old one was moved aside.
func (l *Ledger) load() (reason string, err error) {
	if st, err := os.Stat(l.path); err == nil && st.Size() > maxBook {
		return l.aside(fmt.Sprintf("the book has %d bytes, over %d", st.Size(), maxBook))
	}
	data, err := os.ReadFile(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return reasonNew, nil
	}
	if err != nil {
		return "", fmt.Errorf("ledger: reading its book: %w", err)
	}
	b, err := decodeBook(data)
	if err != nil {
		return l.aside("the book of before cannot be used: " + err.Error())
	}
	if b.Stream.Incarnation != l.start.Incarnation {
		return l.aside("the stream was made anew")
	}
	if read, stored := l.cfg.StreamFrom.Seq(0), l.cfg.StoreFrom.Seq(0); read > b.Stream.Seq || stored > b.Store.Seq {
		return l.aside(fmt.Sprintf("the book ends at record %d (stored %d), but %d was read and %d stored", b.Stream.Seq,
			b.Store.Seq, read, stored))
	}
	if b.Stream.Seq > l.start.Seq || b.Store.Seq > l.start.Seq {
		return l.aside(fmt.Sprintf("the book is beyond the stream, which ends at record %d", l.start.Seq))
	}
	for _, s := range b.Sources {
		s.listenEnded = s.ListenLost
	}
	l.book = *b
	return "", nil
}

// aside moves a book away that cannot be gone on with.
func (l *Ledger) aside(reason string) (string, error) {
	if err := os.Rename(l.path, l.path+".old"); err != nil {
		return "", fmt.Errorf("ledger: moving the old book away: %w", err)
	}
	return reason, nil
}

// Save writes the book: after a crash it is this one or the one before. It waits for a Save under way; the stages wait
// only while the rows are copied.
func (l *Ledger) Save() error {
	l.saving.Lock()
	defer l.saving.Unlock()
	l.mu.Lock()
	head := l.book
	head.Sources = make(map[string]*source, len(l.book.Sources))
	for name, s := range l.book.Sources {
		c := *s
		c.Ended, c.In, c.Out = s.total(), s.In.clone(), s.Out.clone()
		c.Troubles = maps.Clone(s.Troubles)
		for hop, t := range c.Troubles {
			copied := *t
			c.Troubles[hop] = &copied
		}
		head.Sources[name] = &c
	}
	head.Records.Troubles = nil
	for hop, t := range l.book.Records.Troubles {
		if head.Records.Troubles == nil {
			head.Records.Troubles = map[string]*Trouble{}
		}
		copied := *t
		head.Records.Troubles[hop] = &copied
	}
	rows := l.rows[:0]
	for name, o := range l.book.Origins {
		rows = append(rows, row{name, *o})
	}
	l.rows = rows
	l.mu.Unlock()
	data, err := encode(&head, rows)
	if err == nil {
		err = safefile.Write(l.path, data, 0o640)
	}
	if err != nil {
		return fmt.Errorf("ledger: saving its book: %w", err)
	}
	return nil
}
