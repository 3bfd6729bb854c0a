// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package syslog parses the header of one syslog message: RFC 5424, RFC 3164 and what firewalls, switches and
// servers send in their place. It finds where the header ends and leaves the content to the product decoders.
//
// The parser never fails on what it does not know: a line without any header is a message, whole. The slices of a
// Header point into the bytes that were parsed, so a Header must not outlive them.
package syslog

import (
	"bytes"
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
	FormatCisco                  // sequence number, clock mark or %FACILITY-SEVERITY-MNEMONIC (Huawei and H3C too)
	FormatRFC5424
)

// String is the name of the format, for people.
func (f Format) String() string {
	switch f {
	case FormatKeyValue:
		return "key=value"
	case FormatBSD:
		return "rfc3164"
	case FormatCisco:
		return "cisco"
	case FormatRFC5424:
		return "rfc5424"
	}
	return "none"
}

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
	Priority int // 0..191, or -1 where the message had none
	Version  int // 1 for RFC 5424, else 0
	// Time is the time of the message, unix nanoseconds: the claimed one, or Options.Received where the header
	// claims none or says itself that its clock was never set (Cisco's *) and is more than a day off.
	Time int64
	// Claimed is the time that the header claims, where TimeClaimed is set. ZoneClaimed: it named its zone as well.
	Claimed                  int64
	TimeClaimed, ZoneClaimed bool
	// Wall is what the sender's clock showed, read as if it were UTC, unix nanoseconds: the claim of a header that names
	// no zone, before any zone was supposed. It means something where TimeClaimed is set and ZoneClaimed is not.
	Wall      int64
	ClockMark byte // Cisco: '*' the clock was never set, '.' it lost its time source; else 0

	Hostname, AppName, ProcID, MsgID []byte

	Structured []byte // the STRUCTURED-DATA of RFC 5424 as sent, brackets included: walk it with EachParam
	Sequence   []byte // Cisco's message counter
	Mnemonic   []byte // FACILITY-SEVERITY-MNEMONIC (Cisco) or MODULE/SEVERITY/NAME (Huawei), without per cent signs
	// Message is what follows the header, without a byte order mark and trailing NUL, CR, LF. A mnemonic is part of
	// it: it starts at the per cent sign.
	Message []byte
}

// Parse splits one message into its header and its content. It allocates nothing outside strict mode, does not keep
// raw, does not block, and is safe for concurrent use. Without Options.Strict the only error is ErrEmpty.
func Parse(raw []byte, opt Options) (Header, error) {
	s := trim(raw)
	if len(s) == 0 {
		return Header{Priority: -1, Time: opt.Received.UnixNano()}, ErrEmpty
	}
	if opt.Strict {
		return parseStrict(s, opt)
	}
	p := parser{h: Header{Priority: -1, Time: opt.Received.UnixNano(), Message: s}, opt: opt}
	rest := p.priority(s)
	if !p.rfc5424(rest) {
		if p.h.Priority >= 0 {
			p.h.Message = trimLeft(rest)
		}
		p.bsd(rest)
	}
	p.h.Message = nonEmpty(p.h.Message)
	return p.h, nil
}

// parser carries one message through the grammars. A grammar that does not fit leaves h as it was.
type parser struct {
	h   Header
	opt Options
}

// priority reads <N> and returns what follows it; a value above 191 is no priority.
func (p *parser) priority(s []byte) []byte {
	if len(s) < 3 || s[0] != '<' {
		return s
	}
	v, i := 0, 1
	for i < len(s) && i < 4 && isDigit(s[i]) {
		v = v*10 + int(s[i]-'0')
		i++
	}
	if i == 1 || i == len(s) || s[i] != '>' || v > 191 {
		return s
	}
	p.h.Priority = v
	return s[i+1:]
}

// claim takes the time of a stamp.
func (p *parser) claim(st *stamp) {
	p.h.Claimed = st.unixNano(p.opt)
	p.h.TimeClaimed, p.h.ZoneClaimed, p.h.Wall = true, st.zoned, st.wall()
	p.h.Time = p.h.Claimed
	if p.h.ClockMark == '*' {
		received := p.opt.Received.UnixNano()
		if d := p.h.Claimed - received; d > int64(24*time.Hour) || d < -int64(24*time.Hour) {
			p.h.Time = received
		}
	}
}

// bom is the byte order mark of UTF-8.
const bom = "\xef\xbb\xbf"

// trim cuts trailing NUL, CR and LF and a leading byte order mark and white space.
func trim(s []byte) []byte {
	for len(s) > 0 && (s[len(s)-1] == 0 || s[len(s)-1] == '\n' || s[len(s)-1] == '\r') {
		s = s[:len(s)-1]
	}
	s = trimBOM(trimLeft(s))
	s = trimLeft(s)
	return s
}

func trimBOM(s []byte) []byte { return bytes.TrimPrefix(s, []byte(bom)) }

// trimLeft cuts leading spaces, tabs, CR, LF and NUL.
func trimLeft(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == '\r' || s[0] == '\n' || s[0] == 0) {
		s = s[1:]
	}
	return s
}

func isDigit(c byte) bool { return c-'0' <= 9 }
func isUpper(c byte) bool { return c-'A' <= 'Z'-'A' }
func isLetter(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z'
}

// word is the part of s before its first space or tab.
func word(s []byte) []byte {
	for i, c := range s {
		if c == ' ' || c == '\t' {
			return s[:i]
		}
	}
	return s
}

// nonEmpty turns an empty slice into nil, so that "no such part" has one form.
func nonEmpty(s []byte) []byte {
	if len(s) == 0 {
		return nil
	}
	return s
}
