// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// ciscoMark cuts "%FACILITY[-CLASS]-SEVERITY-NAME: " off a message.
func ciscoMark(s string) (facility, severity, name, text string, ok bool) {
	if len(s) < 8 || s[0] != '%' {
		return
	}
	end := strings.IndexByte(s[:min(len(s), 96)], ':')
	if end < 0 {
		return
	}
	mark := s[1:end]
	text = strings.TrimLeft(s[end+1:], " ")
	i := strings.LastIndexByte(mark, '-')
	if i < 3 || len(mark) == i+1 {
		return
	}
	mark, name = mark[:i], mark[i+1:]
	if i = strings.LastIndexByte(mark, '-'); i < 1 || len(mark) != i+2 || mark[i+1]-'0' > 7 {
		return
	}
	facility, severity = mark[:i], mark[i+1:]
	return facility, severity, name, text, strings.IndexByte(facility, ' ') < 0
}

// asaFacility tells whether the facility is that of a firewall of the ASA family.
func asaFacility(s string) bool {
	switch s, _, _ = strings.Cut(s, "-"); s {
	case "ASA", "FTD", "PIX", "FWSM":
		return true
	}
	return false
}

func testASA(x *line) string {
	if facility, _, name, _, ok := ciscoMark(x.msg); ok && asaFacility(facility) && numeric(name) {
		return "the message begins with %ASA-severity-number, or FTD, PIX, FWSM, of Cisco's firewalls"
	}
	return ""
}

func facilityOnly(s string) string {
	switch s, _, _ = strings.Cut(s, "-"); s {
	case "FTD":
		return "FTD"
	case "PIX":
		return "PIX"
	case "FWSM":
		return "FWSM"
	}
	return "ASA"
}

// decodeASA takes the messages of Cisco ASA, FTD, PIX and FWSM. The number decides what a message means; the ends of a
// connection are read alike in all of them, "INTERFACE:ADDRESS/PORT" or "INTERFACE/ADDRESS(PORT)".
func decodeASA(x *line) bool {
	facility, severity, number, text, ok := ciscoMark(x.msg)
	if !ok || !asaFacility(facility) || !numeric(number) {
		return false
	}
	x.product("cisco", "cisco.asa")
	x.b.Str(event.ObserverVendor, "Cisco")
	x.b.Str(event.ObserverProduct, facilityOnly(facility))
	x.b.Str(event.ObserverType, "firewall")
	x.b.Str(event.EventCode, number)
	x.num(event.EventSeverity, severity)
	switch number {
	case "106001", "106006", "106007", "106010", "106014", "106015", "106016", "106017", "106021", "106022", "106023",
		"313001", "313005", "710003", "710005", "419002":
		asaDeny(x, text)
	case "710002":
		x.verdictIs("allow", "allowed", success)
		asaEnds(x, text)
	case "106100", "106102", "106103":
		asaList(x, text)
	case "302013", "302015", "302017", "302020", "302303":
		x.connection("connection_built", "start")
		asaBuilt(x, text)
	case "302014", "302016", "302018", "302021", "302304":
		x.connection("connection_teardown", "end")
		asaBuilt(x, text)
	case "305011", "305012":
		x.connection("translation", "info")
		asaTranslation(x, text)
	case "113004", "113005", "113006", "113012", "113013", "113014", "113015", "113016", "113017":
		asaAAA(x, text)
	case "605004", "605005":
		x.login(number == "605005")
		asaEnds(x, text)
		if user, ok := between(text, ` for user "`, `"`); ok {
			x.user(user)
		}
	case "611101", "611102", "611103":
		asaUname(x, number, text)
	case "111001", "111002", "111003", "111004", "111005", "111007", "111008", "111009", "111010":
		asaCommand(x, text)
	case "733100", "733101", "733102", "733103", "733104", "733105":
		asaThreat(x, text)
	default:
		asaOther(x, number, text)
	}
	return true
}

// connection sets what is said about a connection that was let through.
func (x *line) connection(action, typ string) {
	x.b.Strs(event.EventCategory, "network")
	if typ == "start" {
		x.b.Strs(event.EventType, "connection", "start", "allowed")
		x.b.Str(event.EventOutcome, success)
	} else {
		x.b.Strs(event.EventType, "connection", typ)
	}
	x.b.Str(event.EventAction, action)
}

// login sets an attempt to log in to the device.
func (x *line) login(ok bool) {
	outcome := failure
	if ok {
		outcome = success
	}
	x.classify("authentication", "start", "login", outcome)
}

// asaDeny reads the refusals without a named list, and 106023 with one.
func asaDeny(x *line, text string) {
	x.verdictIs("deny", "denied", failure)
	asaEnds(x, text)
	if list, ok := between(text, `by access-group "`, `"`); ok {
		x.b.Str(event.RuleName, list)
	}
	if iface := after(text, " on interface "); iface != "" {
		x.b.Str(event.ObserverIngressInterfaceName, iface)
	}
	if flags, ok := between(text, " flags ", "  on"); ok {
		x.extra("asa.tcp_flags", flags)
	} else if flags, ok := between(text, " flags ", " on "); ok {
		x.extra("asa.tcp_flags", flags)
	}
	if icmp, ok := between(text, "(type ", ")"); ok {
		typ, code, _ := strings.Cut(icmp, ", code ")
		x.extra("asa.icmp_type", typ)
		x.extra("asa.icmp_code", code)
	}
}

// asaEnds reads both ends wherever they stand: behind "from"/"src"/"for" and "to"/"dst"/"->", and the protocol: the
// first word that names one.
func asaEnds(x *line, text string) {
	src, dst, protocol := false, false, false
	for rest, w, before := text, "", ""; rest != ""; before = w {
		w, rest = word(rest)
		switch {
		case !protocol && asaProtocol(w):
			x.transport(w)
			protocol = true
		case before == "protocol" && numeric(w):
			x.transport(w)
			protocol = true
		case !src && (before == "from" || before == "src" || before == "for"):
			src = x.asaEnd(w, true)
		case !dst && (before == "to" || before == "dst"):
			dst = x.asaEnd(w, false)
		}
	}
}

func asaProtocol(w string) bool {
	switch w {
	case "TCP", "tcp", "UDP", "udp", "ICMP", "icmp", "ICMPv6", "GRE", "gre", "SCTP", "sctp", "ESP", "esp":
		return true
	}
	return false
}

// asaEnd reads one end, "INTERFACE:ADDRESS/PORT", "INTERFACE/ADDRESS(PORT)" or "ADDRESS/PORT", with "(DOMAIN\USER)" or
// a mapped address behind it; the port may be a service's name.
func (x *line) asaEnd(s string, source bool) bool {
	s = strings.TrimRight(s, ",.")
	user := ""
	if i := strings.IndexByte(s, '('); i > 0 {
		inner := s[i+1:]
		s = s[:i]
		if j := strings.IndexByte(inner, ')'); j >= 0 {
			if numeric(inner[:j]) {
				s += "/" + inner[:j]
				inner = strings.TrimPrefix(inner[j+1:], "(")
				j = strings.IndexByte(inner, ')')
			}
			if j > 0 {
				user = inner[:j]
			}
		}
	}
	iface, end := "", s
	if _, ok := address(asaHost(s)); !ok {
		if i := strings.IndexAny(s, ":/"); i > 0 {
			iface, end = s[:i], s[i+1:]
		}
	}
	a, ok := address(asaHost(end))
	service := ""
	if i := strings.LastIndexByte(end, '/'); i > 0 {
		service = end[i+1:]
	}
	if !ok && iface == "" {
		return false
	}
	if source {
		if ok {
			x.sourceIP(a)
		} else {
			x.source(asaHost(end))
		}
		x.sourcePort(asaPort(service))
		x.str(event.ObserverIngressInterfaceName, iface)
	} else {
		if ok {
			x.destinationIP(a)
		} else {
			x.destination(asaHost(end))
		}
		x.destinationPort(asaPort(service))
		x.str(event.ObserverEgressInterfaceName, iface)
	}
	if user != "" && !x.b.Has(event.UserName) {
		if domain, name, ok := strings.Cut(user, `\`); ok {
			x.b.Str(event.UserDomain, domain)
			user = name
		}
		x.user(user)
	}
	return true
}

// asaHost cuts the port off an end.
func asaHost(s string) string {
	if i := strings.LastIndexByte(s, '/'); i > 0 {
		return s[:i]
	}
	return s
}

// asaPort is the number of a port that the firewall wrote as a name.
func asaPort(s string) string {
	switch s {
	case "ssh":
		return "22"
	case "telnet":
		return "23"
	case "smtp":
		return "25"
	case "domain":
		return "53"
	case "http", "www":
		return "80"
	case "snmp":
		return "161"
	case "https":
		return "443"
	}
	return s
}

// asaList reads 106100: "access-list NAME denied tcp outside/192.0.2.1(333) -> inside/192.0.2.2(80) hit-cnt 1 ...".
func asaList(x *line, text string) {
	list, rest := word(strings.TrimPrefix(text, "access-list "))
	x.b.Str(event.RuleName, list)
	verdict, rest := word(rest)
	if verdict == "denied" {
		x.verdictIs("deny", "denied", failure)
	} else {
		x.verdictIs("allow", "allowed", success)
	}
	if user, tail, ok := strings.Cut(rest, "for user '"); ok && user == "" {
		name, tail, _ := strings.Cut(tail, "' ")
		x.user(name)
		rest = tail
	}
	protocol, rest := word(rest)
	x.transport(protocol)
	from, to, ok := strings.Cut(rest, " -> ")
	if !ok {
		return
	}
	x.asaEnd(strings.ReplaceAll(from, " ", ""), true)
	end, rest := word(to)
	x.asaEnd(end, false)
	x.extra("asa.hit_count", after(rest+" ", "hit-cnt "))
}

// asaBuilt reads 302013 to 302021: "Built inbound TCP connection 7 for outside:192.0.2.1/333 (192.0.2.1/333) to
// inside:192.0.2.2/80 (198.51.100.2/80)", and the ICMP form "for faddr A/N gaddr B/N laddr C/N". The firewall names the
// less trusted interface first, so that an outbound connection has its ends the other way round; a teardown does not
// tell the direction, and the end with a port below 1024 is taken for the destination.
func asaBuilt(x *line, text string) {
	w, rest := word(text) // Built, Teardown
	direction := ""
	if d, tail := word(rest); d == "inbound" || d == "outbound" {
		direction, rest = d, tail
	}
	protocol, rest := word(rest)
	x.transport(protocol)
	x.str(event.NetworkDirection, direction)
	id, rest := word(strings.TrimPrefix(rest, "connection "))
	if numeric(id) {
		x.extra("asa.connection", id)
	}
	foreign, local := "", ""
	if f := after(text, " faddr "); f != "" {
		// Behind an ICMP end stands the query's identifier, which is no port.
		foreign, local = asaHost(f), asaHost(after(text, " laddr "))
	} else {
		_, ends, _ := strings.Cut(rest, "for ")
		if !strings.Contains(rest, "for ") {
			_, ends, _ = strings.Cut(text, " for ")
		}
		foreign, ends = word(ends)
		first, second, ok := "", "", false
		if second, ok = strings.CutPrefix(ends, "to "); !ok {
			first, second, _ = strings.Cut(ends, " to ")
		}
		local, ends = word(second)
		asaMapped(x, foreign, first, direction != "outbound")
		asaMapped(x, local, ends, direction == "outbound")
		asaClosed(x, ends)
	}
	swap := direction == "outbound"
	if direction == "" && w == "Teardown" {
		f, ok1 := port(asaPort(foreign[strings.LastIndexByte(foreign, '/')+1:]))
		l, ok2 := port(asaPort(local[strings.LastIndexByte(local, '/')+1:]))
		swap = ok1 && ok2 && f < 1024 && l >= 1024
	}
	x.asaEnd(foreign, !swap)
	x.asaEnd(local, swap)
}

// asaTranslation reads 305011 and 305012: "Built dynamic TCP translation from inside:A/N to outside:B/N".
func asaTranslation(x *line, text string) {
	before, ends, _ := strings.Cut(text, " from ")
	if i := strings.Index(before, " translation"); i > 0 {
		x.transport(before[strings.LastIndexByte(before[:i], ' ')+1 : i])
	}
	real, rest := word(ends)
	x.asaEnd(real, true)
	mapped, _ := word(strings.TrimPrefix(rest, "to "))
	if _, end, ok := strings.Cut(mapped, ":"); ok {
		asaNAT(x, end, true)
	}
}

// asaMapped reads "(ADDRESS/PORT)" behind an end: its translated address, where it differs.
func asaMapped(x *line, end, s string, source bool) {
	s = strings.TrimLeft(s, " ")
	if !strings.HasPrefix(s, "(") {
		return
	}
	s, _, _ = strings.Cut(s[1:], ")")
	if !strings.HasSuffix(end, ":"+s) {
		asaNAT(x, s, source)
	}
}

// asaNAT sets the translated address and port of an end.
func asaNAT(x *line, s string, source bool) {
	a, ok := address(asaHost(s))
	if !ok {
		return
	}
	p, hasPort := port(s[strings.LastIndexByte(s, '/')+1:])
	if !hasPort {
		p = -1
	}
	if source {
		x.b.IP(event.SourceNATIP, a)
		x.setPort(event.SourceNATPort, p)
	} else {
		x.b.IP(event.DestinationNATIP, a)
		x.setPort(event.DestinationNATPort, p)
	}
	x.relIP(a)
}

// asaClosed reads "duration 0:00:30 bytes 1234 TCP FINs" of a teardown.
func asaClosed(x *line, s string) {
	_, s, ok := strings.Cut(s, "duration ")
	if !ok {
		return
	}
	d, s := word(s)
	if ns, ok := clockDuration(d); ok {
		x.b.Int(event.EventDuration, ns)
	}
	if bytes, reason, ok := strings.Cut(strings.TrimPrefix(s, "bytes "), " "); ok || numeric(bytes) {
		x.num(event.NetworkBytes, bytes)
		x.str(event.EventReason, reason)
	}
}

// clockDuration reads "1:02:03" as nanoseconds.
func clockDuration(s string) (int64, bool) {
	var total int64
	for range 3 {
		var part string
		part, s, _ = strings.Cut(s, ":")
		n, ok := atoi(part)
		if !ok || n > 1<<31 {
			return 0, false
		}
		total = total*60 + n
	}
	return total * 1e9, s == ""
}
