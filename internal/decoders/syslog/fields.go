// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"bytes"
	"strconv"

	"github.com/haidang-soc/haidang/internal/event"
)

// maxParams bounds the structured data parameters that become fields; the rest stays in event.original.
const maxParams = 64

// Fields writes the header into the event being built: log.syslog.*, host.name, process.name and process.pid, message
// and @timestamp. Bytes are copied. It sets haidang.time_claimed where the claimed time is not the one it uses. The
// text must be in NFC already (see package text).
func (h *Header) Fields(b *event.Builder) {
	b.Time(event.Timestamp, h.Time)
	if h.TimeClaimed && h.Claimed != h.Time {
		b.Time(event.HaidangTimeClaimed, h.Claimed)
	}
	if h.Priority >= 0 {
		b.Int(event.LogSyslogPriority, int64(h.Priority))
		b.Int(event.LogSyslogFacilityCode, int64(h.Priority>>3))
		b.Str(event.LogSyslogFacilityName, facilityName(h.Priority>>3))
	}
	if severity := h.Severity(); severity >= 0 {
		b.Int(event.LogSyslogSeverityCode, int64(severity))
		b.Str(event.LogSyslogSeverityName, severityName(severity))
	}
	if h.Version > 0 {
		b.Str(event.LogSyslogVersion, strconv.Itoa(h.Version))
	}
	if h.Hostname != nil {
		b.Bytes(event.LogSyslogHostname, h.Hostname)
		b.Bytes(event.HostName, h.Hostname)
	}
	if h.AppName != nil {
		b.Bytes(event.LogSyslogAppname, h.AppName)
		name := h.AppName
		if name[0] == '/' {
			b.Bytes(event.ProcessExecutable, name)
			name = name[bytes.LastIndexByte(name, '/')+1:]
		}
		if len(name) > 0 {
			b.Bytes(event.ProcessName, name)
		}
	}
	if h.ProcID != nil {
		b.Bytes(event.LogSyslogProcid, h.ProcID)
		if pid, ok := digits(h.ProcID); ok && len(h.ProcID) <= 10 {
			b.Int(event.ProcessPID, int64(pid))
		}
	}
	if h.MsgID != nil {
		b.Bytes(event.LogSyslogMsgid, h.MsgID)
	}
	h.params(b)
	if len(h.Message) > 0 {
		b.Bytes(event.Message, h.Message)
	}
}

// Severity is the severity of the message, 0 (emergency) to 7 (debug): that of its priority, else that of its
// mnemonic, else -1.
func (h *Header) Severity() int {
	if h.Priority >= 0 {
		return h.Priority & 7
	}
	return mnemonicSeverity(h.Mnemonic)
}

// params writes the structured data. Parameters that IANA registered become fields of log.syslog.structured_data;
// others go into the list of extras, since a sender could fill the table of fields with names of its own.
func (h *Header) params(b *event.Builder) {
	if h.Structured == nil {
		return
	}
	n := 0
	EachParam(h.Structured, func(id, name, value []byte) bool {
		key := "log.syslog.structured_data." + string(id) + "." + string(name)
		field, ok := event.FieldID(0), false
		if registered(id, name) {
			field, ok = event.Intern(key)
		}
		if ok {
			b.Bytes(field, value)
		} else {
			b.Append(event.HaidangExtra, key+"="+string(value))
		}
		n++
		return n < maxParams
	})
}

// registered tells whether IANA registered a parameter (RFC 5424 section 7).
func registered(id, name []byte) bool {
	switch string(id) {
	case "timeQuality":
		switch string(name) {
		case "tzKnown", "isSynced", "syncAccuracy":
			return true
		}
	case "origin":
		switch string(name) {
		case "ip", "enterpriseId", "software", "swVersion":
			return true
		}
	case "meta":
		switch string(name) {
		case "sequenceId", "sysUpTime", "language":
			return true
		}
	}
	return false
}

// facilityName is the name of a facility as syslog.conf(5) writes it.
func facilityName(code int) string {
	names := [...]string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
		"ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
		"local7"}
	return names[code]
}

// severityName is the name of a severity as RFC 5424 table 2 gives it, in the lower case that ECS shows.
func severityName(code int) string {
	names := [...]string{"emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"}
	return names[code]
}
