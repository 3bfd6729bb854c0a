// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import "fmt"

// Inspector follows the chain through the messages of a log that nobody serves. One goroutine at a time.
type Inspector struct {
	codec *codec
	head  head
}

// NewInspector makes an inspector that stands before the first entry.
func NewInspector() (*Inspector, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	return &Inspector{codec: c}, nil
}

// Message takes the data of the next message. After an error, which says what is wrong with it, the inspector goes on
// with what the message says, so that one break is told once.
func (i *Inspector) Message(seq uint64, data []byte) error {
	entries, err := i.codec.decode(data)
	if err != nil {
		return fmt.Errorf("entry %d: %w", i.head.n+1, err)
	}
	for _, e := range entries {
		why := i.head.follows(e)
		i.head = head{n: e.N, hash: e.hash}
		if why != "" && err == nil {
			err = &BrokenError{N: e.N, Seq: seq, Reason: why}
		}
	}
	return err
}

// Entries is the number of the last entry.
func (i *Inspector) Entries() uint64 { return i.head.n }
