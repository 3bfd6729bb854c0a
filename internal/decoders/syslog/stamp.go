// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import "bytes"

// stamp is a time as a message writes it. The methods that read one return its length, or 0 and an undefined stamp.
type stamp struct {
	year, month, day, hour, minute, second, nanos int

	offset  int // seconds east of UTC, where zoned
	hasYear bool
	zoned   bool
	loose   bool // a date that is not written as any syslog header writes it: program output, more likely
}

// read reads any time stamp that a header begins with.
func (st *stamp) read(s []byte) int {
	switch {
	case len(s) < 14:
		return 0
	case isLetter(s[0]):
		return st.month3(s)
	case isDigit(s[0]) && s[4] == ' ':
		return st.yearFirst(s)
	case isDigit(s[0]):
		return st.iso(s)
	}
	return 0
}

// iso reads RFC 3339 and its neighbours: T or a space, a point or a comma before the fraction, slashes in the date,
// and a zone that is missing or written +07, +0700 or +07:00.
func (st *stamp) iso(s []byte) int {
	if len(s) < 19 || s[4] != s[7] || (s[4] != '-' && s[4] != '/') {
		return 0
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 || (s[10] != 'T' && s[10] != 't' && s[10] != ' ') {
		return 0
	}
	*st = stamp{year: year, month: month, day: day, hasYear: true, loose: s[4] == '/' || s[10] == ' '}
	n := st.clock(s[11:])
	if n == 0 || !st.valid() {
		return 0
	}
	n += 11
	return n + st.numericZone(s[n:])
}

// yearFirst reads "2026 Nov 24 10:00:00".
func (st *stamp) yearFirst(s []byte) int {
	year, ok := digits(s[0:4])
	if !ok {
		return 0
	}
	n := st.month3(s[5:])
	if n == 0 || st.hasYear {
		return 0
	}
	st.year, st.hasYear = year, true
	if !st.valid() {
		return 0
	}
	return n + 5
}

// month3 reads "Nov 24 10:00:00", with the year before or after the clock, a fraction, and a zone.
func (st *stamp) month3(s []byte) int {
	if len(s) < 14 || s[3] != ' ' {
		return 0
	}
	*st = stamp{month: monthOf(s[0], s[1], s[2])}
	if st.month == 0 {
		return 0
	}
	i := 4
	if s[i] == ' ' {
		i++
	}
	for i < 7 && isDigit(s[i]) {
		st.day = st.day*10 + int(s[i]-'0')
		i++
	}
	if i == 7 || s[i] != ' ' || st.day == 0 {
		return 0
	}
	i++
	if i+5 < len(s) && s[i+4] == ' ' {
		year, ok := digits(s[i : i+4])
		if !ok {
			return 0
		}
		st.year, st.hasYear = year, true
		i += 5
	}
	n := st.clock(s[i:])
	if n == 0 {
		return 0
	}
	i += n
	i += st.yearAfter(s[i:])
	i += st.zone(s[i:])
	i += st.yearAfter(s[i:])
	if !st.valid() {
		return 0
	}
	return i
}

// yearAfter reads " 2026" before a space or a colon that ends the stamp, where the stamp has no year yet.
func (st *stamp) yearAfter(s []byte) int {
	if st.hasYear || len(s) < 7 || s[0] != ' ' || (s[1] != '2' && s[1] != '1') {
		return 0
	}
	year, ok := digits(s[1:5])
	if !ok || year < 1970 || year > 2099 || s[5] != ' ' && (s[5] != ':' || s[6] != ' ') {
		return 0
	}
	st.year, st.hasYear = year, true
	return 5
}

// clock reads "10:00:00" with an optional fraction of up to nine digits (more are read and dropped).
func (st *stamp) clock(s []byte) int {
	if len(s) < 7 {
		return 0
	}
	i := 0
	if s[1] == ':' { // one digit of the hour
		if !isDigit(s[0]) {
			return 0
		}
		st.hour = int(s[0] - '0')
		i = 2
	} else {
		hour, ok := digits(s[0:2])
		if !ok || s[2] != ':' {
			return 0
		}
		st.hour = hour
		i = 3
	}
	if len(s) < i+5 || s[i+2] != ':' {
		return 0
	}
	minute, ok1 := digits(s[i : i+2])
	second, ok2 := digits(s[i+3 : i+5])
	if !ok1 || !ok2 {
		return 0
	}
	st.minute, st.second = minute, second
	i += 5
	if i+1 < len(s) && (s[i] == '.' || s[i] == ',') && isDigit(s[i+1]) {
		i++
		scale := 100_000_000
		for i < len(s) && isDigit(s[i]) {
			st.nanos += int(s[i]-'0') * scale
			scale /= 10
			i++
		}
	}
	return i
}

// zone reads a zone after the clock of a stamp with a month's name: " UTC", " ICT:", "+07:00", " +0700". Other letters
// are a zone only where a year follows, as date writes it, or ": %", as Cisco writes it; we do not know which then,
// and the zone of the origin applies.
func (st *stamp) zone(s []byte) int {
	if n := st.numericZone(s); n > 0 {
		return n
	}
	if len(s) < 3 || s[0] != ' ' {
		return 0
	}
	if s[1] == '+' || s[1] == '-' {
		if n := st.numericZone(s[1:]); n > 0 {
			return n + 1
		}
		return 0
	}
	i := 1
	for i < len(s) && i < 7 && isUpper(s[i]) {
		i++
	}
	if i < 3 || i < len(s) && s[i] != ':' && s[i] != ' ' {
		return 0
	}
	switch string(s[1:i]) {
	case "UTC", "GMT":
		st.zoned = true
		return i
	case "ICT":
		st.zoned, st.offset = true, 7*3600
		return i
	}
	probe := *st
	if bytes.HasPrefix(s[i:], []byte(": %")) || probe.yearAfter(s[i:]) > 0 {
		return i
	}
	return 0
}

// numericZone reads Z, +07, +0700, +07:00, +7:00.
func (st *stamp) numericZone(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	switch s[0] {
	case 'Z', 'z':
		if len(s) > 1 && (isLetter(s[1]) || isDigit(s[1])) {
			return 0
		}
		st.zoned, st.offset = true, 0
		return 1
	case '+', '-':
	default:
		return 0
	}
	i := 1
	hours := 0
	for i < len(s) && i < 3 && isDigit(s[i]) {
		hours = hours*10 + int(s[i]-'0')
		i++
	}
	if i == 1 {
		return 0
	}
	minutes := 0
	j := i
	if j < len(s) && s[j] == ':' {
		j++
	}
	if j+2 <= len(s) {
		if m, ok := digits(s[j : j+2]); ok {
			minutes = m
			i = j + 2
		}
	}
	if hours > 14 || minutes > 59 || i < len(s) && isDigit(s[i]) {
		return 0
	}
	st.zoned, st.offset = true, hours*3600+minutes*60
	if s[0] == '-' {
		st.offset = -st.offset
	}
	return i
}

// valid checks the ranges. The year stays where nanoseconds since 1970 fit 64 bits. A 60th second is a leap second.
func (st *stamp) valid() bool {
	if st.hasYear && (st.year < 1970 || st.year > 2261) {
		return false
	}
	return st.month >= 1 && st.month <= 12 && st.day >= 1 && st.day <= st.lastDay() &&
		st.hour <= 23 && st.minute <= 59 && st.second <= 60
}

// lastDay is the last day of the stamp's month; of a February without year it is the 29th.
func (st *stamp) lastDay() int {
	switch st.month {
	case 2:
		if st.hasYear && !leap(st.year) {
			return 28
		}
		return 29
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// digits reads a number of nothing but digits.
func digits(s []byte) (n int, ok bool) {
	for _, c := range s {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// monthOf is the number of a month by its three English letters in any case, or 0.
func monthOf(a, b, c byte) int {
	switch uint32(a|0x20)<<16 | uint32(b|0x20)<<8 | uint32(c|0x20) {
	case 'j'<<16 | 'a'<<8 | 'n':
		return 1
	case 'f'<<16 | 'e'<<8 | 'b':
		return 2
	case 'm'<<16 | 'a'<<8 | 'r':
		return 3
	case 'a'<<16 | 'p'<<8 | 'r':
		return 4
	case 'm'<<16 | 'a'<<8 | 'y':
		return 5
	case 'j'<<16 | 'u'<<8 | 'n':
		return 6
	case 'j'<<16 | 'u'<<8 | 'l':
		return 7
	case 'a'<<16 | 'u'<<8 | 'g':
		return 8
	case 's'<<16 | 'e'<<8 | 'p':
		return 9
	case 'o'<<16 | 'c'<<8 | 't':
		return 10
	case 'n'<<16 | 'o'<<8 | 'v':
		return 11
	case 'd'<<16 | 'e'<<8 | 'c':
		return 12
	}
	return 0
}
