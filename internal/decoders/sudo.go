// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// decodeSudo takes sudo's line (logging.c): "NAME : [REASON ; ]TTY=... ; PWD=... ; USER=... ; COMMAND=...". user.name
// is who ran sudo, user.effective.name whom the command runs as. The command comes last and may hold anything.
func decodeSudo(x *line) bool {
	if strings.HasPrefix(x.msg, "pam_") {
		return decodePAM(x)
	}
	name, rest, ok := strings.Cut(strings.TrimLeft(x.msg, " "), " : ")
	if !ok || !strings.Contains(rest, "=") {
		return false
	}
	x.product("linux", "linux.sudo")
	reason := ""
	for rest != "" {
		if cmd, ok := strings.CutPrefix(rest, "COMMAND="); ok {
			x.str(event.ProcessCommandLine, cmd)
			break
		}
		var part string
		part, rest, _ = strings.Cut(rest, " ; ")
		key, value, ok := strings.Cut(part, "=")
		switch {
		case !ok || strings.IndexByte(key, ' ') >= 0:
			if reason == "" {
				reason = part
			}
		case key == "PWD":
			x.str(event.ProcessWorkingDirectory, value)
		case key == "USER":
			x.effective(value)
		case key == "TTY" || key == "GROUP" || key == "HOST" || key == "TSID" || key == "ENV" || key == "CHROOT":
			x.extra("sudo."+lower(key), value)
		}
	}
	x.user(name)
	if reason == "" || strings.HasPrefix(reason, "(command continued)") {
		x.classify("process", "start", "sudo_command", success)
		return true
	}
	x.str(event.EventReason, reason)
	x.classify("authentication", "start", "sudo_refused", failure)
	return true
}

// decodeSu takes the three ways in which su has told who became whom (util-linux, shadow, and shadow's terse form).
func decodeSu(x *line) bool {
	msg := x.msg
	if strings.HasPrefix(msg, "pam_") {
		return decodePAM(x)
	}
	outcome := success
	var from, to, tty string
	switch {
	case strings.HasPrefix(msg, "(to ") || strings.HasPrefix(msg, "FAILED SU (to "):
		if msg[0] == 'F' {
			outcome, msg = failure, msg[len("FAILED SU "):]
		}
		var ok bool
		if to, msg, ok = strings.Cut(msg[len("(to "):], ") "); !ok {
			return false
		}
		from = msg
		if i := strings.LastIndex(msg, " on "); i >= 0 {
			from, tty = msg[:i], msg[i+len(" on "):]
		}
	case strings.HasPrefix(msg, "Successful su for ") || strings.HasPrefix(msg, "FAILED su for "):
		if msg[0] == 'F' {
			outcome = failure
		}
		_, msg, _ = strings.Cut(msg, " for ")
		i := strings.LastIndex(msg, " by ")
		if i < 0 {
			return false
		}
		to, from = msg[:i], msg[i+len(" by "):]
	case strings.HasPrefix(msg, "+ ") || strings.HasPrefix(msg, "- "):
		if msg[0] == '-' {
			outcome = failure
		}
		tty, msg = word(msg[2:])
		i := strings.LastIndexByte(msg, ':')
		if i < 0 {
			return false
		}
		from, to = msg[:i], msg[i+1:]
	default:
		return false
	}
	x.product("linux", "linux.su")
	x.classify("authentication", "start", "su", outcome)
	x.user(from)
	x.effective(to)
	x.extra("su.tty", tty)
	return true
}
