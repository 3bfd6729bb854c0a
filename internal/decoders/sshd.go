// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// decodeSSHD takes what OpenSSH's server says (auth.c, auth2.c, packet.c, sshd.c, monitor.c of 7.x to 10.x). A user
// name is the peer's to choose and may hold " from 192.0.2.1 port 22": the address is therefore read from the end of
// the line, never from its beginning.
//
// One attempt is one event with the action ssh_login: what else sshd says about the same attempt (Invalid user,
// Connection closed by authenticating user) has another action, so that a count of attempts is not doubled.
func decodeSSHD(x *line) bool {
	msg := strings.TrimRight(x.msg, " ")
	if testPAM(x) != "" && decodePAM(x) {
		return true
	}
	msg = strings.TrimSuffix(msg, " [preauth]")
	x.product("linux", "linux.sshd")
	x.b.Str(event.NetworkProtocol, "ssh")
	msg = strings.TrimPrefix(msg, "error: ")
	msg = strings.TrimPrefix(msg, "fatal: ")
	if msg == "" {
		return true
	}
	switch msg[0] {
	case 'A':
		if rest, ok := strings.CutPrefix(msg, "Accepted "); ok {
			return sshdAttempt(x, rest, "ssh_login", success)
		}
	case 'F':
		if rest, ok := strings.CutPrefix(msg, "Failed "); ok {
			return sshdAttempt(x, rest, "ssh_login", failure)
		}
	case 'I':
		if rest, ok := strings.CutPrefix(msg, "Invalid user "); ok {
			x.classify("authentication", "info", "ssh_invalid_user", failure)
			x.user(sshdFrom(x, rest))
			return true
		}
	case 'P':
		if rest, ok := strings.CutPrefix(msg, "Postponed "); ok {
			return sshdAttempt(x, rest, "ssh_login_postponed", unknown)
		}
		if rest, ok := strings.CutPrefix(msg, "PAM: "); ok {
			return sshdPAM(x, rest)
		}
	case 'U':
		if sshdRefused(x, msg) {
			return true
		}
	case 'm':
		if rest, ok := strings.CutPrefix(msg, "maximum authentication attempts exceeded for "); ok {
			x.classify("authentication", "info", "ssh_too_many_attempts", failure)
			x.user(sshdFrom(x, strings.TrimPrefix(rest, "invalid user ")))
			return true
		}
	}
	return sshdConnection(x, msg)
}

// sshdAttempt reads "METHOD for [invalid user ]NAME from ADDRESS port N ssh2[: KEY]".
func sshdAttempt(x *line, rest, action, outcome string) bool {
	x.classify("authentication", "start", action, outcome)
	method, rest, ok := strings.Cut(rest, " for ")
	if !ok {
		return true
	}
	x.extra("ssh.method", method)
	rest = strings.TrimPrefix(rest, "invalid user ")
	x.user(sshdFrom(x, rest))
	if _, key, ok := strings.Cut(rest, " ssh2: "); ok {
		x.extra("ssh.key", key)
	}
	return true
}

// sshdFrom reads "NAME from ADDRESS[ port N][ ...]", sets the address and returns the name. Of several " from " the
// last one that an address follows is meant: those before are part of the name.
func sshdFrom(x *line, s string) string {
	for end := len(s); ; {
		i := strings.LastIndex(s[:end], "from ")
		if i < 0 {
			return ""
		}
		if i > 0 && s[i-1] != ' ' {
			end = i
			continue
		}
		peer, rest := word(s[i+5:])
		if a, ok := address(peer); ok || i == 0 || strings.HasPrefix(rest, "port ") {
			if ok {
				x.sourceIP(a)
			} else {
				x.source(peer)
			}
			sshdPort(x, rest)
			return strings.TrimSuffix(s[:i], " ")
		}
		end = i
	}
}

// sshdPort reads "port N" and returns what follows.
func sshdPort(x *line, s string) string {
	if rest, ok := strings.CutPrefix(s, "port "); ok {
		n := digits(rest)
		x.sourcePort(rest[:n])
		return strings.TrimLeft(rest[n:], " :")
	}
	return s
}

// sshdPAM reads what keyboard-interactive logins say: "Authentication failure for [illegal user ]NAME from ADDRESS".
func sshdPAM(x *line, rest string) bool {
	what, rest, ok := strings.Cut(rest, " for ")
	if !ok {
		return true
	}
	x.classify("authentication", "info", "ssh_pam_failure", failure)
	x.str(event.EventReason, what)
	x.user(sshdFrom(x, strings.TrimPrefix(rest, "illegal user ")))
	return true
}

// sshdRefused reads "User NAME from ADDRESS not allowed because ..." and "User NAME not allowed because ...".
func sshdRefused(x *line, msg string) bool {
	if rest, ok := strings.CutPrefix(msg, "Unable to negotiate with "); ok {
		peer, rest := word(rest)
		x.classify("network", "denied", "ssh_negotiation_failed", failure)
		x.source(peer)
		x.str(event.EventReason, sshdPort(x, rest))
		return true
	}
	rest, ok := strings.CutPrefix(msg, "User ")
	if !ok {
		return false
	}
	i := strings.LastIndex(rest, " not allowed because ")
	if i < 0 {
		return false
	}
	x.classify("authentication", "info", "ssh_user_not_allowed", failure)
	x.str(event.EventReason, rest[i+len(" not allowed because "):])
	if name := sshdFrom(x, rest[:i]); name != "" {
		x.user(name)
	} else {
		x.user(rest[:i])
	}
	return true
}

// sshdEnds are the beginnings of lines about a connection, with the action each means. What follows is
// "[authenticating user|invalid user|user ]NAME ADDRESS port N" or "ADDRESS port N".
var sshdEnds = [...]struct{ begin, action, typ string }{
	{"Connection closed by ", "ssh_connection_closed", "end"},
	{"Connection reset by ", "ssh_connection_reset", "end"},
	{"Disconnected from ", "ssh_disconnected", "end"},
	{"Received disconnect from ", "ssh_disconnect_received", "end"},
	{"Disconnecting ", "ssh_disconnecting", "end"},
	{"Timeout before authentication for connection from ", "ssh_timeout", "end"},
	{"Timeout before authentication for ", "ssh_timeout", "end"},
	{"Did not receive identification string from ", "ssh_no_identification", "info"},
	{"Connection from ", "ssh_connection", "start"},
	{"banner exchange: Connection from ", "ssh_bad_banner", "info"},
	{"ssh_dispatch_run_fatal: Connection from ", "ssh_protocol_error", "info"},
	{"refused connect from ", "ssh_connection_refused", "denied"},
	{"drop connection ", "ssh_connection_dropped", "denied"},
	{"Starting session: ", "ssh_session_started", "start"},
	{"Close session: user ", "ssh_session_closed", "end"},
	{"subsystem request for ", "ssh_subsystem", "info"},
	{"Bad protocol version identification ", "ssh_bad_banner", "info"},
	{"reverse mapping checking getaddrinfo for ", "ssh_reverse_mapping_failed", "info"},
	{"Server listening on ", "ssh_listening", "info"},
	{"Received signal ", "ssh_signal", "info"},
}

// sshdConnection reads the lines that are not about one attempt to log in.
func sshdConnection(x *line, msg string) bool {
	for i := range sshdEnds {
		e := &sshdEnds[i]
		rest, ok := strings.CutPrefix(msg, e.begin)
		if !ok {
			continue
		}
		x.classify("network", e.typ, e.action, "")
		switch e.action {
		case "ssh_connection_refused":
			x.b.Str(event.EventOutcome, failure)
			sshdHostAddress(x, rest, '(', ')')
		case "ssh_reverse_mapping_failed":
			sshdHostAddress(x, rest, '[', ']')
		case "ssh_connection_dropped":
			x.b.Str(event.EventOutcome, failure)
			if a, p, ok := addressPort(after(rest, " from ")); ok {
				x.sourceIP(a)
				x.setPort(event.SourcePort, p)
			}
		case "ssh_session_started":
			x.b.Strs(event.EventCategory, "session")
			what, rest, _ := strings.Cut(rest, " for ")
			x.extra("ssh.session", what)
			x.user(sshdFrom(x, rest))
		case "ssh_session_closed":
			x.b.Strs(event.EventCategory, "session")
			x.user(sshdFrom(x, rest))
		case "ssh_subsystem":
			x.b.Strs(event.EventCategory, "session")
			what, rest, _ := strings.Cut(rest, " by user ")
			x.extra("ssh.subsystem", what)
			x.user(rest)
		case "ssh_bad_banner":
			if strings.HasPrefix(msg, "Bad") {
				sshdFrom(x, rest)
				return true
			}
			sshdNamed(x, rest)
		case "ssh_listening", "ssh_signal":
			x.b.Strs(event.EventCategory, "process")
		case "ssh_disconnecting":
			// The reason repeats the name, which must not be taken for the peer.
			peer, reason, ok := strings.Cut(rest, ": Change of username or service not allowed")
			sshdNamed(x, peer)
			if ok {
				x.b.Str(event.EventReason, "Change of username or service not allowed"+reason)
			}
		default:
			sshdNamed(x, rest)
		}
		return true
	}
	x.classify("", "", "", "")
	return true
}

// sshdNamed reads "[authenticating user |invalid user |user ]NAME ADDRESS port N[: reason]" or "ADDRESS port N...". The
// name may hold spaces, so that the last " port N" decides.
func sshdNamed(x *line, s string) {
	named := false
	for _, p := range [...]string{"authenticating user ", "invalid user ", "user "} {
		if rest, ok := strings.CutPrefix(s, p); ok {
			s, named = rest, true
			if p[0] != 'u' {
				x.extra("ssh.peer", strings.TrimSuffix(p, " user "))
			}
			break
		}
	}
	i := strings.LastIndex(s, " port ")
	if i < 0 {
		peer, _ := word(s)
		x.source(peer)
		return
	}
	before, rest := s[:i], s[i+1:]
	if j := strings.LastIndexByte(before, ' '); j >= 0 {
		if a, ok := address(before[j+1:]); ok {
			x.sourceIP(a)
			if named {
				x.user(before[:j])
			}
		} else if a, ok := address(before[:strings.IndexByte(before, ' ')]); ok && !named {
			// "ADDRESS port N on ADDRESS port N": both ends.
			x.sourceIP(a)
		}
	} else {
		x.source(before)
	}
	if first, dst, ok := strings.Cut(s, " on "); ok && !named {
		peer, p := word(first)
		x.source(peer)
		sshdPort(x, p)
		peer, p = word(dst)
		x.destination(peer)
		x.destinationPort(after(p+" ", "port "))
		return
	}
	if reason := sshdPort(x, rest); reason != "" {
		x.str(event.EventReason, reason)
	}
}

// sshdHostAddress reads "NAME (ADDRESS)" with the given brackets.
func sshdHostAddress(x *line, s string, open, end byte) {
	name, rest, ok := strings.Cut(s, string(open))
	if !ok {
		peer, _ := word(s)
		x.source(peer)
		return
	}
	if name = strings.TrimSpace(name); hostname(name) {
		x.b.Str(event.SourceDomain, name)
		x.relHost(name)
	}
	rest, _, _ = strings.Cut(rest, string(end))
	x.source(rest)
}
