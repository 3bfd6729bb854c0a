// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"
	"time"
)

// clfTime reads the time of a web server's access log, "14/Oct/2022:09:55:53 +0200".
func clfTime(s string) (time.Time, bool) {
	if len(s) != 26 || s[2] != '/' || s[6] != '/' || s[11] != ':' || s[14] != ':' || s[17] != ':' || s[20] != ' ' {
		return time.Time{}, false
	}
	day, ok1 := two(s[0:])
	month, ok2 := month(s[3:6])
	year, ok3 := four(s[7:])
	hour, ok4 := two(s[12:])
	minute, ok5 := two(s[15:])
	second, ok6 := two(s[18:])
	offset, ok7 := offset(s[21:])
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || !ok7 || day == 0 || day > 31 || hour > 23 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	return t.Add(-time.Duration(offset) * time.Second), true
}

// slashTime reads nginx's "2022/04/05 13:25:30" in the given zone.
func slashTime(s string, zone *time.Location) (time.Time, bool) {
	if len(s) < 19 || s[4] != s[7] || s[4] != '/' && s[4] != '-' || s[10] != ' ' && s[10] != 'T' || s[13] != ':' ||
		s[16] != ':' {
		return time.Time{}, false
	}
	year, ok1 := four(s)
	month, ok2 := two(s[5:])
	day, ok3 := two(s[8:])
	hour, ok4 := two(s[11:])
	minute, ok5 := two(s[14:])
	second, ok6 := two(s[17:])
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || month == 0 || month > 12 || day == 0 || day > 31 || hour > 23 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, zone), true
}

// apacheTime reads "Wed Apr 16 16:09:40.056610 2025" or the same without a fraction, in the given zone.
func apacheTime(s string, zone *time.Location) (time.Time, bool) {
	if len(s) < 24 || s[3] != ' ' || s[7] != ' ' || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	month, ok1 := month(s[4:7])
	day, ok2 := two(strings.Replace(s[8:10], " ", "0", 1))
	hour, ok3 := two(s[11:])
	minute, ok4 := two(s[14:])
	second, ok5 := two(s[17:])
	rest := s[19:]
	nano := 0
	if rest[0] == '.' {
		n := digits(rest[1:])
		frac, ok := atoi(rest[1 : 1+n])
		if !ok || n > 9 {
			return time.Time{}, false
		}
		for range 9 - n {
			frac *= 10
		}
		nano, rest = int(frac), rest[1+n:]
	}
	if len(rest) != 5 || rest[0] != ' ' {
		return time.Time{}, false
	}
	year, ok6 := four(rest[1:])
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || day == 0 || day > 31 || hour > 23 {
		return time.Time{}, false
	}
	return time.Date(year, month, day, hour, minute, second, nano, zone), true
}

// offset reads "+0700", "+07:00" or "Z" as seconds east of Greenwich.
func offset(s string) (int, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) == 6 && s[3] == ':' {
		s = s[:3] + s[4:]
	}
	if len(s) != 5 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hour, ok1 := two(s[1:])
	minute, ok2 := two(s[3:])
	if !ok1 || !ok2 || hour > 14 || minute > 59 {
		return 0, false
	}
	n := hour*3600 + minute*60
	if s[0] == '-' {
		n = -n
	}
	return n, true
}

func two(s string) (int, bool) {
	a, b := s[0]-'0', s[1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

func four(s string) (int, bool) {
	if len(s) < 4 {
		return 0, false
	}
	a, ok1 := two(s)
	b, ok2 := two(s[2:])
	return a*100 + b, ok1 && ok2
}

// month reads an English month of three letters.
func month(s string) (time.Month, bool) {
	switch s {
	case "Jan":
		return time.January, true
	case "Feb":
		return time.February, true
	case "Mar":
		return time.March, true
	case "Apr":
		return time.April, true
	case "May":
		return time.May, true
	case "Jun":
		return time.June, true
	case "Jul":
		return time.July, true
	case "Aug":
		return time.August, true
	case "Sep":
		return time.September, true
	case "Oct":
		return time.October, true
	case "Nov":
		return time.November, true
	case "Dec":
		return time.December, true
	}
	return 0, false
}
