// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// systemdVerbs are the beginnings of the manager's lines about a unit.
var systemdVerbs = [...]struct{ begin, action, typ, outcome string }{
	{"Started ", "unit_started", "start", success},
	{"Starting ", "unit_starting", "start", ""},
	{"Stopped ", "unit_stopped", "end", success},
	{"Stopping ", "unit_stopping", "end", ""},
	{"Finished ", "unit_finished", "end", success},
	{"Reloaded ", "unit_reloaded", "change", success},
	{"Reloading ", "unit_reloading", "change", ""},
	{"Failed to start ", "unit_failed", "start", failure},
	{"Listening on ", "unit_listening", "start", success},
	{"Closed ", "unit_closed", "end", success},
	{"Mounted ", "unit_mounted", "start", success},
	{"Unmounted ", "unit_unmounted", "end", success},
	{"Reached target ", "target_reached", "info", success},
	{"Stopped target ", "target_stopped", "end", success},
	{"Created slice ", "slice_created", "info", success},
	{"Removed slice ", "slice_removed", "info", success},
}

// decodeSystemd takes the manager's lines: "Started UNIT - DESCRIPTION.", "Started DESCRIPTION." and "UNIT: TEXT".
func decodeSystemd(x *line) bool {
	msg := x.msg
	if strings.HasPrefix(msg, "pam_") {
		return decodePAM(x)
	}
	for i := range systemdVerbs {
		v := &systemdVerbs[i]
		rest, ok := strings.CutPrefix(msg, v.begin)
		if !ok {
			continue
		}
		x.product("linux", "linux.systemd")
		x.classify("process", v.typ, v.action, v.outcome)
		rest = strings.TrimRight(rest, ".…")
		if unit, _ := word(rest); systemdUnit(unit) {
			x.b.Str(event.ServiceName, unit)
		} else if session, user, ok := strings.Cut(rest, " of User "); ok && strings.HasPrefix(rest, "Session ") {
			x.classify("session", v.typ, v.action, v.outcome)
			x.extra("systemd.session", strings.TrimPrefix(session, "Session "))
			x.user(user)
		} else {
			x.b.Str(event.ServiceName, rest)
		}
		return true
	}
	unit, text, ok := strings.Cut(msg, ": ")
	if !ok || !systemdUnit(unit) {
		x.product("linux", "linux.systemd")
		x.classify("process", "info", "", "")
		return true
	}
	x.product("linux", "linux.systemd")
	x.b.Str(event.ServiceName, unit)
	switch {
	case strings.HasPrefix(text, "Failed with result"):
		x.classify("process", "end", "unit_failed", failure)
		x.str(event.EventReason, quoted(text))
	case strings.HasPrefix(text, "Main process exited"), strings.HasPrefix(text, "Control process exited"):
		x.classify("process", "end", "unit_process_exited", "")
		x.str(event.EventReason, text)
	case strings.HasPrefix(text, "Succeeded"), strings.HasPrefix(text, "Deactivated successfully"):
		x.classify("process", "end", "unit_stopped", success)
	case strings.HasPrefix(text, "A process of this unit has been killed by the OOM killer"):
		x.classify("process", "end", "unit_out_of_memory", failure)
	default:
		x.classify("process", "info", "", "")
	}
	return true
}

// systemdUnit tells whether s is the name of a unit.
func systemdUnit(s string) bool {
	if strings.IndexByte(s, ' ') >= 0 {
		return false
	}
	i := strings.LastIndexByte(s, '.')
	if i < 1 {
		return false
	}
	switch s[i+1:] {
	case "service", "socket", "target", "timer", "mount", "scope", "slice", "path", "device", "swap", "automount":
		return true
	}
	return false
}

// decodeLogind takes systemd-logind: "New session 12 of user NAME.", "Session 12 logged out. ...", and so on.
func decodeLogind(x *line) bool {
	msg := x.msg
	x.product("linux", "linux.logind")
	if rest, ok := strings.CutPrefix(msg, "New session "); ok {
		x.classify("session", "start", "session_opened", success)
		id, user, _ := strings.Cut(rest, " of user ")
		x.extra("systemd.session", strings.Trim(id, "'"))
		// Newer versions go on: "NAME' with class 'user' and type 'tty'."
		if user, _, ok = strings.Cut(user, " with class "); !ok {
			user = strings.TrimSuffix(user, ".")
		}
		x.user(strings.Trim(user, "'"))
		return true
	}
	if rest, ok := strings.CutPrefix(msg, "Session "); ok && strings.Contains(rest, " logged out") {
		x.classify("session", "end", "session_logged_out", success)
		id, _ := word(rest)
		x.extra("systemd.session", id)
		return true
	}
	if rest, ok := strings.CutPrefix(msg, "Removed session "); ok {
		x.classify("session", "end", "session_closed", success)
		x.extra("systemd.session", strings.TrimSuffix(rest, "."))
		return true
	}
	if strings.HasPrefix(msg, "System is ") || strings.HasPrefix(msg, "Power key pressed") {
		x.classify("host", "change", "host_power", "")
		return true
	}
	x.classify("session", "info", "", "")
	return true
}
