// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import "time"

// ahead is how far the time of a message may lie ahead of its reception before its year is taken to be an earlier one.
const ahead = 24 * time.Hour

// home is the zone of a province of Vietnam: UTC+7 all year since 1975. It stands for Asia/Ho_Chi_Minh without asking
// for a zone database.
var home = time.FixedZone("Asia/Ho_Chi_Minh", 7*3600)

// unixNano is the instant of a stamp. Without a year it is the latest one that is not more than a day ahead of the
// time of reception: in January, December is last year's, and the 29th of February is the last leap year's. The stamp
// keeps the year that was found.
func (st *stamp) unixNano(opt Options) int64 {
	if st.hasYear {
		return st.in(st.year, opt.Zone)
	}
	received := opt.Received
	limit := received.Add(ahead).UnixNano()
	year := received.UTC().Year() + 1 // our clock may still be in the old year
	if received.UTC().YearDay() < 364 {
		year--
	}
	for range 9 { // from one leap year to the next are at most eight years
		if st.month != 2 || st.day != 29 || leap(year) {
			if at := st.in(year, opt.Zone); at <= limit {
				st.year = year
				return at
			}
		}
		year--
	}
	return received.UnixNano() // not reached for any clock after 1978
}

// wall is the stamp read as if it were UTC; unixNano has found its year.
func (st *stamp) wall() int64 {
	at := (days(st.year, st.month, st.day)*24+int64(st.hour))*3600 + int64(st.minute)*60 + int64(st.second)
	return at*int64(time.Second) + int64(st.nanos)
}

// in is the instant of a stamp in a year, in its own zone or else the given one.
func (st *stamp) in(year int, zone *time.Location) int64 {
	if zone == nil {
		zone = home
	}
	at := (days(year, st.month, st.day)*24+int64(st.hour))*3600 + int64(st.minute)*60 + int64(st.second)
	switch {
	case st.zoned:
		at -= int64(st.offset)
	case zone == home || year > 1975 && (zone.String() == "Asia/Ho_Chi_Minh" || zone.String() == "Asia/Saigon"):
		at -= 7 * 3600 // without a walk through the transitions of the zone
	default:
		at = time.Date(year, time.Month(st.month), st.day, st.hour, st.minute, st.second, 0, zone).Unix()
	}
	return at*int64(time.Second) + int64(st.nanos)
}

// days is the number of days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant, days_from_civil).
func days(y, m, d int) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}

func leap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }
