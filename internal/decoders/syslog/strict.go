// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"fmt"

	gosyslog "github.com/influxdata/go-syslog/v3"
	"github.com/influxdata/go-syslog/v3/rfc3164"
	"github.com/influxdata/go-syslog/v3/rfc5424"
)

// parseStrict parses with influxdata/go-syslog alone. The year and the zone that RFC 3164 leaves open are ours.
func parseStrict(s []byte, opt Options) (Header, error) {
	h := Header{Priority: -1, Time: opt.Received.UnixNano(), Message: s}
	msg, err := rfc5424.NewMachine().Parse(s)
	if m, ok := msg.(*rfc5424.SyslogMessage); ok && err == nil {
		h.Format, h.Version = FormatRFC5424, int(m.Version)
		h.MsgID = bytesOf(m.MsgID)
		h.fill(m.Base)
		if m.Timestamp != nil {
			h.at(m.Timestamp.UnixNano(), true)
		}
		if m.StructuredData != nil {
			if start := sdStart(s); start >= 0 {
				h.Structured = s[start : start+structured(s[start:])]
			}
		}
		return h, nil
	}
	msg, err3164 := rfc3164.NewMachine(rfc3164.WithYear(rfc3164.Year{}), rfc3164.WithRFC3339()).Parse(s)
	m, ok := msg.(*rfc3164.SyslogMessage)
	if !ok || err3164 != nil {
		return h, fmt.Errorf("syslog: reading the header strictly: RFC 5424: %v; RFC 3164: %w", err, err3164)
	}
	h.Format = FormatBSD
	h.fill(m.Base)
	if t := m.Timestamp; t != nil && t.Year() > 0 {
		h.at(t.UnixNano(), true)
	} else if t != nil {
		st := stamp{month: int(t.Month()), day: t.Day(), hour: t.Hour(), minute: t.Minute(), second: t.Second(),
			nanos: t.Nanosecond()}
		h.at(st.unixNano(opt), false)
		h.Wall = st.wall()
	}
	return h, nil
}

// fill takes what both grammars of the library share.
func (h *Header) fill(m gosyslog.Base) {
	if m.Priority != nil {
		h.Priority = int(*m.Priority)
	}
	h.Hostname, h.AppName, h.ProcID = bytesOf(m.Hostname), bytesOf(m.Appname), bytesOf(m.ProcID)
	h.Message = trimBOM(bytesOf(m.Message))
}

func (h *Header) at(t int64, zoned bool) {
	h.Time, h.Claimed, h.TimeClaimed, h.ZoneClaimed = t, t, true, zoned
}

// sdStart is where the STRUCTURED-DATA of a valid message of RFC 5424 starts: after six spaces.
func sdStart(s []byte) int {
	spaces := 0
	for i, c := range s {
		if c == ' ' {
			if spaces++; spaces == 6 {
				return i + 1
			}
		}
	}
	return -1
}

func bytesOf(s *string) []byte {
	if s == nil || *s == "" {
		return nil
	}
	return []byte(*s)
}
