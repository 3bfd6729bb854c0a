// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// testPAM knows the module's name in front: pam_unix(sshd:auth).
func testPAM(x *line) string {
	if s := pamText(x.msg); strings.HasPrefix(s, "pam_") && strings.Contains(s, "): ") {
		return "the message begins with the name of a PAM module"
	}
	if strings.HasPrefix(x.msg, "PAM ") && strings.Contains(x.msg, "rhost=") {
		return "the message is PAM's summary of further failures"
	}
	if strings.HasPrefix(x.msg, "authentication failure; ") {
		return "the message is PAM's authentication failure"
	}
	return ""
}

// pamText cuts off what a display manager writes in front, "gdm-password][54]: ", which no syslog header allows for.
func pamText(s string) string {
	if strings.HasPrefix(s, "pam_") {
		return s
	}
	if i := strings.Index(s[:min(len(s), 80)], "]: pam_"); i > 0 && strings.IndexByte(s[:i], ' ') < 0 {
		return s[i+3:]
	}
	return s
}

// decodePAM takes "pam_MODULE(SERVICE:TYPE): TEXT" of any service, and the same text without the module, which
// Proxmox VE writes. One attempt that PAM refused has the action pam_authentication; the service says more about it
// in a line of its own.
func decodePAM(x *line) bool {
	text := pamText(x.msg)
	module, service, typ := "", "", ""
	switch {
	case strings.HasPrefix(text, "pam_"):
		head, rest, ok := strings.Cut(text, "): ")
		if !ok {
			return false
		}
		module, service, ok = strings.Cut(head, "(")
		if !ok || strings.IndexByte(module, ' ') >= 0 {
			return false
		}
		service, typ, _ = strings.Cut(service, ":")
		text = rest
	case strings.HasPrefix(text, "PAM "):
		if _, rest, ok := strings.Cut(text, "; "); ok {
			text = "authentication failure; " + rest
		}
	}
	x.product("linux", "linux.pam")
	x.str(event.EventProvider, module)
	x.extra("pam.service", service)
	x.extra("pam.type", typ)
	switch {
	case strings.HasPrefix(text, "authentication failure; "):
		pamFailure(x, text, service)
	case strings.HasPrefix(text, "session opened for user "):
		x.classify("session", "start", "session_opened", success)
		name, by, _ := strings.Cut(text[len("session opened for user "):], " by ")
		pamUser(x, name, by)
	case strings.HasPrefix(text, "session closed for user "):
		x.classify("session", "end", "session_closed", success)
		pamUser(x, text[len("session closed for user "):], "")
	case strings.HasPrefix(text, "check pass; user unknown"):
		x.classify("authentication", "info", "pam_user_unknown", failure)
	case strings.HasPrefix(text, "auth could not identify password for "),
		strings.HasPrefix(text, "conversation failed"):
		x.classify("authentication", "info", "pam_no_password", failure)
		if name, ok := between(text, "[", "]"); ok {
			x.user(name)
		}
	case strings.HasPrefix(text, "password changed for "):
		x.classify("iam", "", "password_changed", success)
		x.b.Strs(event.EventType, "user", "change")
		x.target(text[len("password changed for "):])
		x.str(event.UserName, text[len("password changed for "):]) // as decodeAccount does
	case strings.HasPrefix(text, "account ") && strings.Contains(text, " has expired"):
		x.classify("authentication", "info", "account_expired", failure)
		x.user(after(text, "account "))
	case strings.Contains(text, "onsecutive login failures for user "):
		// pam_faillock: "Consecutive login failures for user X account temporarily locked"
		x.classify("authentication", "info", "account_locked", failure)
		name, _, _ := strings.Cut(text[strings.Index(text, "for user ")+len("for user "):], " account ")
		x.user(name)
	default:
		x.classify("authentication", "info", "", "")
	}
	return true
}

// pamFailure reads "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=NAME". The
// name comes last and may hold spaces; rhost is the service's word for the peer. sshd, sudo and su tell of the same
// attempt themselves, which is then the one of event.type start.
func pamFailure(x *line, text, service string) {
	typ := "start"
	if service == "sshd" || service == "sudo" || service == "su" || x.app == "sshd" {
		typ = "info"
	}
	x.classify("authentication", typ, "pam_authentication", failure)
	// ruser is what the peer typed and stands before rhost, so the last rhost is PAM's; user is logged only where such an
	// account exists. Proxmox VE has no ruser but any user, so there the first is its own.
	i := strings.LastIndex(text, " rhost=")
	if service == "" && x.app != "sshd" {
		i = strings.Index(text, " rhost=")
	}
	host := ""
	if i >= 0 {
		var name string
		host, name, _ = strings.Cut(text[i+len(" rhost="):], " ")
		if name, ok := strings.CutPrefix(strings.TrimLeft(name, " "), "user="); ok {
			if j := strings.Index(name, " msg="); j >= 0 { // Proxmox VE
				x.str(event.EventReason, name[j+len(" msg="):])
				name = name[:j]
			}
			x.user(strings.TrimRight(name, " "))
		}
		text = text[:i]
	} else if before, name, ok := strings.Cut(text, " user="); ok {
		x.user(strings.TrimRight(name, " "))
		text = before
	}
	x.source(host)
	if id := after(text, " uid="); numeric(id) {
		x.b.Str(event.UserID, id)
	}
	x.extra("pam.tty", after(text, " tty="))
	if _, r, _ := strings.Cut(text, " ruser="); r != "" {
		x.extra("pam.ruser", r)
		x.relUser(r)
	}
}

// pamUser reads "NAME(uid=0)" and "BY(uid=1000)".
func pamUser(x *line, name, by string) {
	name, id, _ := strings.Cut(name, "(uid=")
	x.user(name)
	x.str(event.UserID, strings.TrimSuffix(id, ")"))
	by, id, _ = strings.Cut(by, "(uid=")
	if by != "" {
		x.extra("pam.by", by)
		x.relUser(by)
	}
	x.extra("pam.by_uid", strings.TrimSuffix(id, ")"))
}
