// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Hash is the SHA-256 of an entry as it was written.
type Hash [sha256.Size]byte

// String returns the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("hash %.80q: want %d hexadecimal digits", b, hex.EncodedLen(len(h)))
	}
	_, err := hex.Decode(h[:], b)
	return err
}

// Entry is one line of the log. Entries are numbered from 1 without a gap, across all servers that write the log.
type Entry struct {
	N    uint64 `json:"n"`
	Prev Hash   `json:"prev"` // hash of entry N-1; zero for the first
	At   int64  `json:"at"`   // wall time of the writer, unix ns
	Kind Kind   `json:"kind"`

	Alert  *Alert  `json:"alert,omitempty"`  // of an emission
	Action *Action `json:"action,omitempty"` // of a person's action

	// State is the alert after this entry, or after a later one when the entry is read back from the log. It is nil
	// for alerts that the projection has let go.
	State *State `json:"-"`

	hash Hash // of the line as it was written
}

// ID returns the alert that the entry is about.
func (e *Entry) ID() ID {
	if e.Alert != nil {
		return e.Alert.ID
	}
	if e.Action != nil {
		return e.Action.Alert
	}
	return ID{}
}

// Hash returns the hash that the next entry carries as Prev.
func (e *Entry) Hash() Hash { return e.hash }

// maxStep bounds what one message of the stream may unpack to, in bytes.
const maxStep = 64 << 20

// codec writes and reads the messages of the stream: zstd over lines of JSON, one entry a line. What is hashed is the
// line itself, so no canonical form of JSON is needed. All entries of one message are stored together or not at all.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newCodec() (*codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, fmt.Errorf("alert: preparing the encoder: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxStep))
	if err != nil {
		return nil, fmt.Errorf("alert: preparing the decoder: %w", err)
	}
	return &codec{enc: enc, dec: dec}, nil
}

// encode links the entries to the one before, sets their hashes and packs them into one message.
func (c *codec) encode(entries []*Entry, after head) ([]byte, error) {
	var lines []byte
	for _, e := range entries {
		e.N, e.Prev = after.n+1, after.hash
		line, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("alert: encoding entry %d: %w", e.N, err)
		}
		e.hash = sha256.Sum256(line)
		after = head{n: e.N, hash: e.hash}
		lines = append(append(lines, line...), '\n')
	}
	return c.enc.EncodeAll(lines, nil), nil
}

// decode unpacks one message. It checks the form of each entry but not the chain.
func (c *codec) decode(data []byte) ([]*Entry, error) {
	lines, err := c.dec.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("alert: unpacking entries: %w", err)
	}
	var out []*Entry
	for line := range bytes.Lines(lines) {
		e, err := decodeEntry(line)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil, errors.New("alert: a message without entries")
	}
	return out, nil
}

// decodeEntry reads one line and checks that the entry says what its kind needs.
func decodeEntry(line []byte) (*Entry, error) {
	line, ok := bytes.CutSuffix(line, []byte("\n"))
	if !ok {
		return nil, errors.New("alert: an entry without its end")
	}
	e := new(Entry)
	if err := json.Unmarshal(line, e); err != nil {
		return nil, fmt.Errorf("alert: decoding an entry: %w", err)
	}
	switch {
	case e.N == 0:
		return nil, errors.New("alert: an entry without a number")
	case (e.Alert == nil) == (e.Action == nil):
		return nil, fmt.Errorf("alert: entry %d: want an alert or an action, not both", e.N)
	case (e.Alert != nil) != e.Kind.Emission():
		return nil, fmt.Errorf("alert: entry %d: %.40q does not go with what it carries", e.N, string(e.Kind))
	case e.Alert != nil && (e.Alert.Update == 0 || e.Alert.ID.IsZero()):
		return nil, fmt.Errorf("alert: entry %d: an emission without id or update", e.N)
	case e.Alert != nil && e.Alert.Severity > Critical:
		return nil, fmt.Errorf("alert: entry %d: severity %d is unknown", e.N, e.Alert.Severity)
	case e.Action != nil && (e.Action.Alert.IsZero() || e.Action.Kind != e.Kind):
		return nil, fmt.Errorf("alert: entry %d: an action without its alert or of another kind", e.N)
	}
	if e.Action != nil {
		if err := e.Action.wellFormed(); err != nil {
			return nil, fmt.Errorf("alert: entry %d: %w", e.N, err)
		}
	}
	e.hash = sha256.Sum256(line)
	return e, nil
}

// head is the end of the chain.
type head struct {
	n    uint64
	hash Hash
}

// follows names what is wrong with e as the entry after h, or returns "".
func (h head) follows(e *Entry) string {
	switch {
	case e.N != h.n+1:
		return fmt.Sprintf("entry %d follows entry %d", e.N, h.n)
	case e.Prev != h.hash:
		return fmt.Sprintf("it carries %s as the hash of entry %d, which is %s", e.Prev, h.n, h.hash)
	}
	return ""
}
