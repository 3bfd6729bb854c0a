// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// asaAAA reads 113004 to 113017: "AAA user authentication Rejected : reason = Invalid password : local database : user
// = admin : user IP = 192.0.2.1".
func asaAAA(x *line, text string) {
	head, rest, _ := strings.Cut(text, " : ")
	x.login(strings.Contains(head, "uccessful"))
	if strings.Contains(head, "uthorization") {
		x.b.Str(event.EventAction, "authorization")
	} else if strings.Contains(head, "ccounting") {
		x.b.Str(event.EventAction, "accounting")
	}
	if strings.Contains(head, "locked out") {
		// 113006: "User joe locked out on exceeding 3 successive failed authentication attempts"
		name, _, _ := strings.Cut(strings.TrimPrefix(head, "User "), " locked out")
		x.classify("authentication", "info", "account_locked", failure)
		x.user(strings.Trim(name, "'"))
		return
	}
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, " : ")
		key, value, ok := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		switch key = strings.TrimSpace(key); {
		case !ok:
			if key == "local database" {
				x.extra("asa.aaa_server", "local")
			}
		case key == "user":
			x.user(value)
		case key == "user IP":
			x.source(value)
		case key == "server":
			x.extra("asa.aaa_server", value)
		case key == "reason":
			x.str(event.EventReason, value)
		case key == "policy" || key == "group policy":
			x.extra("asa.policy", value)
		}
	}
}

// asaUname reads "User authentication succeeded: IP address: 192.0.2.1, Uname: admin" and "User logged out: Uname: x".
func asaUname(x *line, number, text string) {
	switch number {
	case "611103":
		x.classify("authentication", "end", "logout", success)
	default:
		x.login(number == "611101")
	}
	if ip, ok := between(text, "IP address: ", ","); ok {
		x.source(ip)
	}
	if _, name, ok := strings.Cut(text, "Uname: "); ok {
		x.user(name)
	}
}

// asaCommand reads 111008, "User 'admin' executed the 'conf t' command.", 111010, "User 'admin', running 'CLI' from IP
// 192.0.2.1, executed 'write memory'", and the shorter messages beside them.
func asaCommand(x *line, text string) {
	x.classify("configuration", "change", "command", success)
	rest, ok := strings.CutPrefix(text, "User '")
	if !ok {
		// 111005: "192.0.2.1 end configuration: OK"
		first, _ := word(text)
		x.source(first)
		return
	}
	name, rest, _ := strings.Cut(rest, "'")
	x.user(name)
	if ip := after(rest, " from IP "); ip != "" {
		x.source(strings.TrimSuffix(ip, ","))
	}
	if _, cmd, ok := strings.Cut(rest, "executed "); ok {
		cmd = strings.TrimPrefix(strings.TrimPrefix(cmd, "the "), "cmd: ")
		cmd = strings.TrimSuffix(strings.TrimSuffix(cmd, "."), " command")
		x.command(strings.Trim(cmd, "'"))
	}
}

// command sets a command typed on a device. Clearing the log is told apart, for rules look for it on every product.
func (x *line) command(cmd string) {
	x.str(event.ProcessCommandLine, cmd)
	if strings.HasPrefix(cmd, "clear log") {
		x.b.Str(event.EventAction, "log_cleared")
		x.b.Strs(event.EventType, "deletion")
	} else if strings.HasPrefix(cmd, "show ") || strings.HasPrefix(cmd, "ping ") {
		x.b.Strs(event.EventType, "access")
	}
}

// asaThreat reads 733100 to 733105, threat detection: a rate exceeded, a host that attacks, scans or is shunned.
func asaThreat(x *line, text string) {
	x.classify("intrusion_detection", "info", "threat_detected", "")
	if name, ok := between(text, "[", "]"); ok {
		x.str(event.RuleName, strings.TrimSpace(name))
	}
	for _, mark := range [...]string{"Host ", "host "} {
		if _, rest, ok := strings.Cut(text, mark); ok {
			peer, rest := word(rest)
			if a, ok := address(strings.TrimRight(peer, ".,")); ok {
				if strings.HasPrefix(rest, "is targeted") {
					x.destinationIP(a)
				} else {
					x.sourceIP(a)
				}
			}
			return
		}
	}
}

// asaOther reads the messages that name a person in brackets, "Group <G> User <U> IP <A> TEXT" (716xxx, 722xxx, 113039)
// or "Group = G, Username = U, IP = A, TEXT" (113019, 713xxx), and gives every other message what it holds of ends.
func asaOther(x *line, number, text string) {
	if strings.HasPrefix(text, "Group <") {
		group, rest, _ := strings.Cut(text[len("Group <"):], "> ")
		x.str(event.UserGroupName, group)
		// The name is what somebody typed and may hold "> IP <": the last one is the firewall's.
		if i := strings.LastIndex(rest, "> IP <"); i >= 0 {
			x.user(strings.TrimPrefix(rest[:i], "User <"))
			var ip string
			ip, rest, _ = strings.Cut(rest[i+len("> IP <"):], "> ")
			x.source(ip)
		} else if name, ok := between(rest, "User <", ">"); ok {
			x.user(name)
		}
		asaSession(x, number, rest)
		if ip, ok := between(rest, "Address <", ">"); ok {
			x.extra("asa.assigned_ip", ip)
		}
		return
	}
	if strings.HasPrefix(text, "Group = ") {
		rest := text
		for rest != "" {
			part, tail, _ := strings.Cut(rest, ", ")
			key, value, ok := strings.Cut(part, " = ")
			if !ok {
				break
			}
			switch key {
			case "Group":
				x.str(event.UserGroupName, value)
			case "Username":
				x.user(value)
			case "IP":
				x.source(value)
			}
			rest = tail
		}
		asaSession(x, number, rest)
		return
	}
	switch {
	case strings.HasPrefix(text, "Deny "), strings.HasPrefix(text, "Denied "), strings.Contains(text, " denied "):
		x.verdictIs("deny", "denied", failure)
	default:
		x.classify("network", "info", "", "")
	}
	asaEnds(x, text)
}

// asaSession reads what happened to a remote person's session.
func asaSession(x *line, number, text string) {
	switch {
	case number == "716038", strings.HasPrefix(text, "Authentication: successful"):
		x.login(true)
	case number == "716039", strings.HasPrefix(text, "Authentication: rejected"):
		x.login(false)
	case strings.Contains(text, "session started"), strings.Contains(text, "connection established"),
		strings.Contains(text, "assigned to session"):
		x.classify("session", "start", "vpn_session_started", success)
	case strings.Contains(text, "terminated"), strings.Contains(text, "isconnected"),
		strings.Contains(text, "connection closed"):
		x.classify("session", "end", "vpn_session_ended", success)
		if _, reason, ok := strings.Cut(text, "Reason: "); ok {
			x.str(event.EventReason, reason)
		} else if _, reason, ok := strings.Cut(text, "terminated: "); ok {
			x.str(event.EventReason, strings.TrimSuffix(reason, "."))
		}
	default:
		x.classify("session", "info", "vpn", "")
	}
}
