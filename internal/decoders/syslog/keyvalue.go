// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import "bytes"

// keyValueReach is how many bytes of a key=value message are searched for its time: the keys stand at its beginning.
const keyValueReach = 1024

// keyValue reads a message that is key=value from its first byte, as FortiGate sends it, and takes its time and the
// name of the device. The message stays whole.
func (p *parser) keyValue(s []byte) bool {
	if !startsKeyValue(s) {
		return false
	}
	p.h.Format, p.h.Message = FormatKeyValue, s
	p.keyValueTime()
	return true
}

func startsKeyValue(s []byte) bool {
	for _, key := range [...]string{"date=", "logver=", "eventtime=", "device=\"", "timestamp=", "devname="} {
		if len(s) > len(key) && string(s[:len(key)]) == key {
			return true
		}
	}
	return false
}

// keyValueTime takes the time from a key=value message unless the header has named an instant already.
func (p *parser) keyValueTime() {
	s := p.h.Message
	if p.h.ZoneClaimed || !startsKeyValue(s) {
		return
	}
	s = s[:min(len(s), keyValueReach)]
	var date, clock, zone, eventTime, name []byte
	for len(s) > 0 {
		var key, value []byte
		if key, value, s = nextPair(s); key == nil {
			break
		}
		switch string(key) {
		case "date":
			date = value
		case "time":
			clock = value
		case "tz":
			zone = value
		case "eventtime", "timestamp":
			if eventTime == nil {
				eventTime = value
			}
		case "devname", "device_name":
			name = value
		}
	}
	if p.h.Hostname == nil {
		p.h.Hostname = nonEmpty(name)
	}
	var st stamp
	if at, ok := epoch(eventTime); ok {
		p.h.Time, p.h.Claimed = at, at
		p.h.TimeClaimed, p.h.ZoneClaimed = true, true
	} else if st.dateAndClock(date, clock, zone) {
		p.claim(&st)
	}
}

// nextPair cuts key=value or key="value" from s; key is nil where there is no further pair.
func nextPair(s []byte) (key, value, rest []byte) {
	s = trimLeft(s)
	eq := bytes.IndexByte(s, '=')
	if eq <= 0 {
		return nil, nil, nil
	}
	key, s = s[:eq], s[eq+1:]
	if len(s) > 0 && s[0] == '"' {
		end := bytes.IndexByte(s[1:], '"')
		if end < 0 {
			return nil, nil, nil
		}
		return key, s[1 : 1+end], s[end+2:]
	}
	value = word(s)
	return key, bytes.TrimSuffix(value, []byte(",")), s[len(value):]
}

// dateAndClock reads date=2026-11-24 time=10:00:00 tz="+0700".
func (st *stamp) dateAndClock(date, clock, zone []byte) bool {
	if len(date) != 10 || date[4] != '-' || date[7] != '-' {
		return false
	}
	year, ok1 := digits(date[0:4])
	month, ok2 := digits(date[5:7])
	day, ok3 := digits(date[8:10])
	*st = stamp{year: year, month: month, day: day, hasYear: true}
	if !ok1 || !ok2 || !ok3 || st.clock(clock) == 0 || !st.valid() {
		return false
	}
	st.numericZone(bytes.TrimPrefix(zone, []byte("UTC")))
	return true
}

// epoch reads a time since 1970 in seconds, milliseconds, microseconds or nanoseconds, told by its number of digits.
func epoch(v []byte) (int64, bool) {
	var unit int64
	switch len(v) {
	case 10:
		unit = 1_000_000_000
	case 13:
		unit = 1_000_000
	case 16:
		unit = 1_000
	case 19:
		unit = 1
	default:
		return 0, false
	}
	n, ok := digits(v)
	if !ok || n < 0 || v[0] > '8' {
		return 0, false
	}
	return int64(n) * unit, true
}
