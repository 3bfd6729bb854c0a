// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// testNetfilter knows the mark of the kernel's packet log, which iptables, nftables and UFW share. It is read from the
// content too, for rsyslog may have cut the process name "kernel".
func testNetfilter(x *line) string {
	// The prefix that a rule gives may end without a space: "DROPIN=eth0".
	if i := strings.Index(x.msg, "IN="); i >= 0 && i < 160 &&
		strings.Contains(x.msg[i:], " OUT=") && strings.Contains(x.msg[i:], " SRC=") {
		return "the message holds IN=, OUT= and SRC= of the kernel's packet log"
	}
	return ""
}

// decodeKernel takes the kernel's messages: the packet log, WireGuard, and the rest as plain messages.
func decodeKernel(x *line) bool {
	if testNetfilter(x) != "" {
		x.took, x.why = "netfilter", "the message holds IN=, OUT= and SRC= of the kernel's packet log"
		return decodeNetfilter(x)
	}
	msg := kernelClock(x.msg)
	x.product("linux", "linux.kernel")
	x.classify("host", "info", "", "")
	if rest, ok := strings.CutPrefix(msg, "wireguard: "); ok {
		x.classify("network", "info", "wireguard", "")
		x.b.Str(event.NetworkProtocol, "wireguard")
		name, text, _ := strings.Cut(rest, ": ")
		x.str(event.ObserverIngressInterfaceName, name)
		x.str(event.EventReason, text)
		if i := strings.LastIndexByte(text, ' '); i >= 0 {
			peer := strings.Trim(text[i+1:], "().")
			if a, p, ok := addressPort(peer); ok {
				x.sourceIP(a)
				x.setPort(event.SourcePort, p)
			}
		}
		return true
	}
	if strings.Contains(msg, "segfault at ") || strings.Contains(msg, "general protection fault") {
		x.classify("process", "end", "process_crashed", failure)
		// "su[1433535]: segfault at ...": the process that fell, not the kernel.
		if name, rest, ok := strings.Cut(msg, "["); ok && hostname(name) {
			x.b.Str(event.ProcessName, name)
			id, _, _ := strings.Cut(rest, "]")
			x.num(event.ProcessPID, id)
		}
		return true
	}
	if strings.HasPrefix(msg, "Out of memory") || strings.HasPrefix(msg, "oom-kill") {
		x.classify("process", "end", "out_of_memory", failure)
		if name, ok := between(msg, "(", ")"); ok {
			x.str(event.ProcessName, name)
		}
	}
	return true
}

// kernelClock cuts the kernel's own clock, "[50028442.088484] ", off the message.
func kernelClock(s string) string {
	if len(s) < 4 || s[0] != '[' {
		return s
	}
	i := strings.IndexByte(s, ']')
	if i < 0 || i > 24 {
		return s
	}
	for _, c := range []byte(s[1:i]) {
		if c != ' ' && c != '.' && c-'0' > 9 {
			return s
		}
	}
	return strings.TrimLeft(s[i+1:], " ")
}

// decodeNetfilter takes one line of the kernel's packet log: "PREFIX IN=eth0 OUT= MAC=... SRC=... DST=... LEN=40 ...
// PROTO=TCP SPT=8080 DPT=8123 ... SYN URGP=0". A packet quoted in an ICMP error stands in brackets and is not read.
func decodeNetfilter(x *line) bool {
	msg := kernelClock(x.msg)
	i := strings.Index(msg, "IN=")
	if i < 0 {
		return false
	}
	prefix, rest := strings.TrimSpace(msg[:i]), msg[i:]
	x.product("linux", "linux.netfilter")
	x.b.Str(event.ObserverType, "firewall")
	in, out := "", ""
	var flags [8]string
	n := 0
	for rest != "" && rest[0] != '[' {
		var token string
		token, rest = word(rest)
		key, value, ok := strings.Cut(token, "=")
		if !ok {
			if n < len(flags) && tcpFlag(token) {
				flags[n] = token
				n++
			}
			continue
		}
		if value == "" {
			continue
		}
		switch key {
		case "IN":
			in = value
			x.b.Str(event.ObserverIngressInterfaceName, value)
		case "OUT":
			out = value
			x.b.Str(event.ObserverEgressInterfaceName, value)
		case "MAC":
			x.macs(value)
		case "SRC":
			if a, ok := address(value); ok {
				x.sourceIP(a)
				x.b.Str(event.NetworkType, family(a.Is4()))
			}
		case "DST":
			x.destination(value)
		case "LEN":
			if !x.b.Has(event.NetworkBytes) { // UDP repeats LEN
				x.num(event.NetworkBytes, value)
			}
		case "PROTO":
			if strings.EqualFold(value, "ICMPv6") {
				value = "ipv6-icmp"
			}
			x.transport(value)
		case "SPT":
			x.sourcePort(value)
		case "DPT":
			x.destinationPort(value)
		case "TYPE":
			x.extra("netfilter.icmp_type", value)
		case "CODE":
			x.extra("netfilter.icmp_code", value)
		case "TTL", "HOPLIMIT":
			x.extra("netfilter.ttl", value)
		case "MARK":
			x.extra("netfilter.mark", value)
		case "UID":
			x.str(event.UserID, value)
		}
	}
	if n > 0 {
		x.buf = x.buf[:0]
		for i, f := range flags[:n] {
			if i > 0 {
				x.buf = append(x.buf, ',')
			}
			x.buf = append(x.buf, f...)
		}
		x.extra("netfilter.tcp_flags", view(x.buf))
	}
	if prefix = strings.Trim(prefix, " :[]"); prefix != "" {
		x.b.Str(event.RuleName, prefix)
	}
	x.verdict(prefix)
	switch {
	case in != "" && out == "":
		x.b.Str(event.NetworkDirection, "ingress")
	case in == "" && out != "":
		x.b.Str(event.NetworkDirection, "egress")
	}
	return true
}

// verdict reads from the words of a rule's prefix what became of the packet; a prefix that does not tell leaves it
// open.
func (x *line) verdict(prefix string) {
	action, typ, outcome := "log", "info", ""
	switch {
	case hasWord(prefix, "block", "deny", "denied", "drop", "reject"):
		action, typ, outcome = "deny", "denied", failure
	case hasWord(prefix, "allow", "accept", "permit", "pass"):
		action, typ, outcome = "allow", "allowed", success
	}
	x.verdictIs(action, typ, outcome)
}

// hasWord tells whether s holds one of the words, whatever their case; the words are in lower case.
func hasWord(s string, words ...string) bool {
	for i := range len(s) {
		for _, w := range words {
			if s[i]|0x20 == w[0] && len(s)-i >= len(w) && strings.EqualFold(s[i:i+len(w)], w) {
				return true
			}
		}
	}
	return false
}

// verdictIs sets what a firewall did with a connection: event.action, event.type connection and typ, the outcome.
func (x *line) verdictIs(action, typ, outcome string) {
	x.b.Strs(event.EventCategory, "network")
	x.b.Strs(event.EventType, "connection", typ)
	x.str(event.EventAction, action)
	x.str(event.EventOutcome, outcome)
}

// macs reads the kernel's MAC=: destination, source, ether type, 14 bytes in hexadecimal.
func (x *line) macs(s string) {
	if len(s) < 35 || s[17] != ':' {
		return
	}
	x.mac(event.DestinationMAC, s[:17])
	x.mac(event.SourceMAC, s[18:35])
}

// mac sets a hardware address in the form of RFC 7042, upper case with hyphens; s has any separator or none.
func (x *line) mac(id event.FieldID, s string) {
	var buf [17]byte
	n, digitsSeen := 0, 0
	for i := 0; i < len(s) && n < len(buf); i++ {
		c := s[i]
		switch {
		case c-'a' <= 5:
			c -= 0x20
		case c-'0' <= 9 || c-'A' <= 5:
		case c == ':' || c == '-' || c == '.':
			continue
		default:
			return
		}
		buf[n] = c
		n++
		if digitsSeen++; digitsSeen%2 == 0 && n < len(buf) {
			buf[n] = '-'
			n++
		}
	}
	if digitsSeen == 12 {
		x.b.Bytes(id, buf[:])
	}
}

func family(v4 bool) string {
	if v4 {
		return "ipv4"
	}
	return "ipv6"
}

func tcpFlag(s string) bool {
	switch s {
	case "SYN", "ACK", "FIN", "RST", "PSH", "URG", "ECE", "CWR":
		return true
	}
	return false
}
