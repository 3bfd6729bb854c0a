// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// decodeCron takes "(NAME) VERB (TEXT)" of cron, crond and crontab (Vixie cron, cronie), and anacron's sentences.
func decodeCron(x *line) bool {
	msg := x.msg
	if strings.HasPrefix(msg, "pam_") {
		return decodePAM(x)
	}
	if !strings.HasPrefix(msg, "(") {
		if x.app != "anacron" {
			return false
		}
		x.product("linux", "linux.cron")
		x.classify("process", "info", "", "")
		return true
	}
	name, rest, ok := strings.Cut(msg[1:], ") ")
	if !ok {
		return false
	}
	verb, text, ok := strings.Cut(rest, " (")
	if !ok {
		verb = strings.TrimSpace(rest)
	}
	text = strings.TrimSuffix(text, ")")
	x.product("linux", "linux.cron")
	if name != "CRON" && name != "*system*" {
		x.user(name)
	}
	switch verb {
	case "CMD":
		x.classify("process", "start", "cron_command", success)
		x.str(event.ProcessCommandLine, text)
	case "CMDEND":
		x.classify("process", "end", "cron_command_ended", "")
		x.str(event.ProcessCommandLine, text)
	case "REPLACE":
		x.classify("configuration", "change", "crontab_replaced", success)
		x.target(text)
	case "DELETE":
		x.classify("configuration", "deletion", "crontab_deleted", success)
		x.target(text)
	case "BEGIN EDIT", "END EDIT", "LIST":
		x.classify("configuration", "access", "crontab_"+lower(strings.ReplaceAll(verb, " ", "_")), success)
		x.target(text)
	case "RELOAD":
		x.classify("configuration", "change", "crontab_reloaded", success)
		x.str(event.FilePath, text)
	case "AUTH":
		x.classify("configuration", "access", "crontab_refused", failure)
		x.str(event.EventReason, text)
	default:
		x.classify("process", "info", "", "")
		x.str(event.EventReason, text)
	}
	return true
}
