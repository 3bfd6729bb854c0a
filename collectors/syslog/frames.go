// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import "bytes"

// framing is how a stream separates its messages (RFC 6587 section 3.4).
type framing uint8

const (
	framingUnknown framing = iota
	framingOctets          // MSG-LEN SP MSG
	framingLines           // MSG LF
)

// maxCount is the number of digits of the longest octet count that is believed.
const maxCount = 8

// framer cuts one stream into messages. It keeps no bytes: next is given all that were not consumed yet.
type framer struct {
	max      int // the longest message; longer ones are cut
	mode     framing
	scanned  int  // bytes of the incomplete line that were searched for LF already
	skip     int  // octets still to be thrown away
	skipLine bool // throw away up to LF
	broken   int  // octet counts that went wrong
}

// next returns the first message in buf and the number of bytes consumed, 0 when more are needed; line is nil where
// bytes were consumed that are no message. The buffer must be able to hold room() bytes for next to make progress. cut
// says that the message was longer than max.
func (f *framer) next(buf []byte) (line []byte, cut bool, n int) {
	switch {
	case len(buf) == 0:
		return nil, false, 0
	case f.skip > 0:
		n = min(f.skip, len(buf))
		f.skip -= n
		return nil, false, n
	case f.skipLine:
		i := bytes.IndexByte(buf, '\n')
		if i < 0 {
			return nil, false, len(buf)
		}
		f.skipLine = false
		return nil, false, i + 1
	}
	if f.mode == framingUnknown {
		if c := buf[0]; c == '\n' || c == '\r' || c == 0 {
			return nil, false, 1
		}
		if f.mode = detect(buf); f.mode == framingUnknown {
			return nil, false, 0
		}
	}
	if f.mode == framingOctets {
		line, cut, n, ok := f.octets(buf)
		if ok {
			return line, cut, n
		}
		f.broken++
		f.mode = framingLines
	}
	return f.line(buf)
}

// room is the number of bytes that next may need to see at once.
func (f *framer) room() int { return f.max + maxCount + 2 }

// detect tells the framing from the first bytes: a count, a space and the < of a priority, or else lines.
func detect(buf []byte) framing {
	if buf[0] < '1' || buf[0] > '9' {
		return framingLines
	}
	for i, c := range buf {
		switch {
		case c >= '0' && c <= '9' && i < maxCount:
		case c == ' ' && i+1 == len(buf):
			return framingUnknown
		case c == ' ' && buf[i+1] == '<':
			return framingOctets
		default:
			return framingLines
		}
	}
	return framingUnknown
}

// octets cuts a counted message; ok is false where no count stands.
func (f *framer) octets(buf []byte) (line []byte, cut bool, n int, ok bool) {
	i := 0
	for i < len(buf) && (buf[i] == '\n' || buf[i] == '\r' || buf[i] == ' ' || buf[i] == 0) {
		i++ // some senders end a counted message with a line feed that they do not count
	}
	if i > 0 {
		return nil, false, i, true
	}
	size := 0
	for i < len(buf) && i < maxCount && buf[i] >= '0' && buf[i] <= '9' {
		size = size*10 + int(buf[i]-'0')
		i++
	}
	switch {
	case i == len(buf):
		return nil, false, 0, true
	case i == 0 || buf[0] == '0' || buf[i] != ' ':
		return nil, false, 0, false
	}
	i++
	if have := len(buf) - i; have < min(size, f.max) {
		return nil, false, 0, true
	}
	if size > f.max {
		f.skip = size - f.max
		return buf[i : i+f.max], true, i + f.max, true
	}
	return buf[i : i+size], false, i + size, true
}

// line cuts a message at LF.
func (f *framer) line(buf []byte) (line []byte, cut bool, n int) {
	i := bytes.IndexByte(buf[f.scanned:], '\n')
	if i < 0 && len(buf) <= f.max {
		f.scanned = len(buf)
		return nil, false, 0
	}
	if i >= 0 {
		i += f.scanned
	}
	f.scanned = 0
	switch {
	case i < 0:
		f.skipLine = true
		return buf[:f.max], true, f.max
	case i > f.max:
		return buf[:f.max], true, i + 1
	}
	return buf[:i], false, i + 1
}

// giveUp returns what there is of the incomplete message in buf, and arranges for its rest to be skipped.
func (f *framer) giveUp(buf []byte) (line []byte) {
	f.scanned = 0
	if f.mode != framingOctets {
		f.skipLine = f.mode == framingLines
		return buf
	}
	size := 0
	for i, c := range buf {
		if c == ' ' {
			f.skip = max(size-(len(buf)-i-1), 0)
			return buf[i+1:]
		}
		size = size*10 + int(c-'0')
	}
	f.mode = framingLines // not even a whole count: resynchronise by line
	return buf
}
