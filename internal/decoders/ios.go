// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

func testIOS(x *line) string {
	if facility, _, _, _, ok := ciscoMark(x.msg); ok && upper(facility) {
		return "the message begins with Cisco's %FACILITY-SEVERITY-MNEMONIC"
	}
	return ""
}

// upper tells whether s is written as a facility or mnemonic is: capitals, digits, _ and -.
func upper(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c-'A' > 25 && c-'0' > 9 && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

// decodeIOS takes the messages of Cisco IOS, IOS XE and NX-OS: logins, access lists, configuration, interfaces; every
// other one keeps its facility, mnemonic and text.
func decodeIOS(x *line) bool {
	facility, severity, name, text, ok := ciscoMark(x.msg)
	if !ok {
		return false
	}
	x.product("cisco", "cisco.ios")
	x.b.Str(event.ObserverVendor, "Cisco")
	x.b.Str(event.ObserverProduct, "IOS")
	x.b.Str(event.ObserverType, "router")
	x.b.Str(event.EventCode, x.msg[1:1+len(facility)+1+len(severity)+1+len(name)])
	x.num(event.EventSeverity, severity)
	x.b.Str(event.EventProvider, facility)
	switch {
	case facility == "SEC_LOGIN":
		iosLogin(x, name, text)
	case strings.Contains(name, "ACCESSLOG"):
		iosList(x, name, text)
	case facility == "SYS" && name == "CONFIG_I":
		iosConfigured(x, text)
	case facility == "SYS" && (name == "LOGOUT" || name == "TTY_EXPIRE_TIMER"):
		x.classify("authentication", "end", "logout", success)
		if user, rest, ok := strings.Cut(strings.TrimPrefix(text, "User "), " has exited"); ok {
			x.user(user)
			if ip, ok := between(rest, "(", ")"); ok {
				x.source(ip)
			}
		}
	case facility == "SYS" && (name == "RESTART" || name == "RELOAD"):
		x.classify("host", "start", lower(name), "")
	case facility == "SYS" && strings.HasPrefix(name, "LOG"), name == "LOGGINGHOST_STARTSTOP":
		x.classify("configuration", "change", "logging_changed", "")
	case facility == "PARSER" && strings.HasPrefix(name, "CFGLOG"):
		x.classify("configuration", "change", "command", success)
		user, cmd, _ := strings.Cut(strings.TrimPrefix(text, "User:"), "logged command:")
		x.user(strings.TrimSpace(user))
		x.command(strings.TrimPrefix(strings.TrimSpace(cmd), "!exec: "))
	case facility == "LINK" || facility == "LINEPROTO" || strings.HasSuffix(facility, "ETHPORT"):
		iosInterface(x, facility, text)
	case facility == "SSH":
		iosSSH(x, name, text)
	case facility == "PORT_SECURITY":
		x.classify("network", "denied", "port_security_violation", failure)
		x.mac(event.SourceMAC, after(text, "MAC address "))
		x.str(event.ObserverIngressInterfaceName, strings.TrimSuffix(after(text, " on port "), "."))
	case facility == "AUTHPRIV" || facility == "AAA":
		iosAuthPriv(x, text)
	default:
		x.classify("host", "info", lower(name), "")
	}
	return true
}

// iosLogin reads "Login failed [user: joe] [Source: 192.0.2.1] [localport: 22] [Reason: ...] at ...".
func iosLogin(x *line, name, text string) {
	switch {
	case name == "LOGIN_SUCCESS":
		x.login(true)
	case name == "LOGIN_FAILED":
		x.login(false)
	default: // QUIET_MODE_ON, QUIET_MODE_OFF
		x.classify("authentication", "info", lower(name), "")
	}
	// The name is what somebody typed and may hold brackets: the source is read from the last mark.
	if i := strings.LastIndex(text, "] [Source: "); i >= 0 {
		if _, user, ok := strings.Cut(text[:i], "[user: "); ok {
			x.user(user)
		}
		text = text[i+2:]
	}
	if ip, ok := between(text, "[Source: ", "]"); ok {
		x.source(ip)
	}
	if p, ok := between(text, "[localport: ", "]"); ok {
		x.destinationPort(p)
	}
	if reason, ok := between(text, "[Reason: ", "]"); ok {
		x.str(event.EventReason, reason)
	}
	if list, ok := between(text, "[ACL: ", "]"); ok {
		x.b.Str(event.RuleName, list)
	}
}

// iosList reads "list NAME denied tcp 192.0.2.1(333) [(Gi0/0 0011.2233.4455) ]-> 192.0.2.2(80), 1 packet" and its forms
// without ports (DP, NP) and without a destination (S).
func iosList(x *line, name, text string) {
	rest, ok := strings.CutPrefix(text, "list ")
	if !ok { // IPACCESSLOGRL: rate-limited
		x.classify("network", "info", lower(name), "")
		return
	}
	list, rest := word(rest)
	x.b.Str(event.RuleName, list)
	verdict, rest := word(rest)
	if strings.HasPrefix(verdict, "denied") {
		x.verdictIs("deny", "denied", failure)
	} else {
		x.verdictIs("allow", "allowed", success)
	}
	first, tail := word(rest)
	if _, _, ok := iosEnd(first); !ok {
		x.transport(first)
		rest = tail
	}
	from, to, ok := strings.Cut(rest, " -> ")
	if !ok {
		from, to = word(rest)
	}
	peer, iface := word(from)
	if ip, p, ok := iosEnd(peer); ok {
		x.source(ip)
		x.sourcePort(p)
	}
	if i, ok := between(iface, "(", ")"); ok {
		i, mac := word(i)
		x.str(event.ObserverIngressInterfaceName, i)
		x.mac(event.SourceMAC, mac)
	}
	if ok {
		end, tail := word(to)
		if ip, p, ok := iosEnd(strings.TrimSuffix(end, ",")); ok {
			x.destination(ip)
			x.destinationPort(p)
		}
		if icmp, ok := between(tail, "(", ")"); ok && strings.HasPrefix(tail, "(") {
			typ, code, _ := strings.Cut(icmp, "/")
			x.extra("ios.icmp_type", typ)
			x.extra("ios.icmp_code", code)
		}
		to = tail
	}
	if i := strings.LastIndex(text, " packet"); i > 0 {
		count := text[strings.LastIndexByte(text[:i], ' ')+1 : i]
		x.num(event.NetworkPackets, count)
	}
}

// iosEnd reads "192.0.2.1(333)" or a bare address.
func iosEnd(s string) (ip, port string, ok bool) {
	ip = s
	if i := strings.IndexByte(s, '('); i > 0 && s[len(s)-1] == ')' {
		ip, port = s[:i], s[i+1:len(s)-1]
	}
	_, ok = address(ip)
	return ip, port, ok
}

// iosConfigured reads "Configured from console by admin on vty0 (192.0.2.1)".
func iosConfigured(x *line, text string) {
	x.classify("configuration", "change", "configured", success)
	from, rest, ok := strings.Cut(strings.TrimPrefix(text, "Configured from "), " by ")
	if !ok {
		return
	}
	x.extra("ios.configured_from", from)
	user, where, ok := strings.Cut(rest, " on ")
	if !ok {
		user, where = word(rest)
	}
	if user != "console" && !strings.HasPrefix(user, "vty") && !strings.HasPrefix(user, "tty") {
		x.user(user)
	}
	if ip, ok := between(where, "(", ")"); ok {
		x.source(ip)
	}
}

// iosInterface reads "Interface Gi0/1, changed state to down" and "Line protocol on Interface Gi0/1, changed ...".
func iosInterface(x *line, facility, text string) {
	x.classify("network", "change", lower(facility)+"_changed", "")
	if name, ok := between(text, "Interface ", ","); ok {
		x.str(event.ObserverIngressInterfaceName, name)
	}
	if _, state, ok := strings.Cut(text, "changed state to "); ok {
		x.extra("ios.state", state)
	}
}

// iosSSH reads "SSH2 Session request from 192.0.2.1 (tty = 0) ... Succeeded" and "User 'joe' authentication for SSH2
// Session from 192.0.2.1 (tty = 0) ... Failed".
func iosSSH(x *line, name, text string) {
	if strings.Contains(name, "USERAUTH") {
		x.login(!strings.Contains(text, "ailed"))
		x.b.Str(event.EventAction, "ssh_login")
		if i := strings.LastIndex(text, "' authentication for "); i > 0 && strings.HasPrefix(text, "User '") {
			x.user(text[len("User '"):i])
		}
	} else {
		x.classify("network", "info", lower(name), "")
	}
	if i := strings.LastIndex(text, " from "); i >= 0 {
		peer, _ := word(text[i+len(" from "):])
		x.source(peer)
	}
}

// iosAuthPriv reads NX-OS: "pam_aaa:Authentication failed for user joe from 192.0.2.1 - sshd[123]".
func iosAuthPriv(x *line, text string) {
	if _, rest, ok := strings.Cut(text, "Authentication failed for user "); ok {
		x.login(false)
		x.user(sshdFrom(x, rest))
		return
	}
	x.classify("authentication", "info", "", "")
}
