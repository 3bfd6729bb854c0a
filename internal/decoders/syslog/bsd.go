// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import "bytes"

// bsd reads what follows the priority by RFC 3164, whose section 5 shows that it is a report of habits rather than a
// grammar: each part may be missing. A part that does not look like itself is left in the message.
func (p *parser) bsd(s []byte) {
	s = trimLeft(s)
	if p.cisco(s) {
		return
	}
	whole := s
	var st stamp
	n := st.read(s)
	if n > 0 && n < len(s) && s[n] != ' ' && s[n] != ':' && s[n] != '\t' {
		n = 0
	}
	if n == 0 {
		p.stampless(s)
		return
	}
	p.claim(&st)
	p.h.Format = FormatBSD
	colon := n < len(s) && s[n] == ':'
	s = trimLeft(bytes.TrimPrefix(s[n:], []byte(":")))
	host, rest := p.host(s)
	if p.h.Priority < 0 && whole[0] <= '9' && (!sounds(host, rest, st.loose) || colon && mnemonic(rest) == nil) {
		// A date and no priority, and what follows reads like a program's own log: leave it to its decoder.
		p.h.Format, p.h.Message = FormatNone, whole
		return
	}
	p.h.Hostname = host
	p.content(rest)
	p.keyValueTime()
}

// sounds tells whether the words after an ISO date sound like the host and tag of a header that lacks a priority,
// rather than like the level and text of a program's log file.
func sounds(host, rest []byte, loose bool) bool {
	name, _, _ := tag(rest)
	if host == nil {
		return name != nil && !loose
	}
	capitals, number := true, true
	for _, c := range host {
		capitals = capitals && isUpper(c)
		number = number && isDigit(c)
	}
	if number {
		return false
	}
	if string(host) == "stdout" || string(host) == "stderr" || capitals && isLevel(host) {
		return false
	}
	return name != nil || mnemonic(rest) != nil || !loose && !capitals
}

// isLevel tells whether an upper-case word is the name of a log level.
func isLevel(w []byte) bool {
	switch string(w) {
	case "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERR", "ERROR", "CRIT", "CRITICAL", "ALERT", "EMERG",
		"FATAL", "SEVERE", "PANIC", "LOG", "AUDIT":
		return true
	}
	return false
}

// isSeverity tells whether a word is a severity as syslog.conf(5) names it.
func isSeverity(w []byte) bool {
	switch string(w) {
	case "emerg", "alert", "crit", "err", "error", "warning", "notice", "info", "debug":
		return true
	}
	return false
}

// host cuts the host name that follows a time stamp, where there is one.
func (p *parser) host(s []byte) (host, rest []byte) {
	w := word(s)
	after := trimLeft(s[len(w):])
	switch {
	case len(w) == 0 || len(w) > 255 || w[0] == '%' || len(after) == 0:
		return nil, s
	case string(w) == "last" && bytes.HasPrefix(after, []byte("message repeated ")):
		return nil, s
	case string(w) == "Message" && bytes.HasPrefix(after, []byte("forwarded from ")): // AIX
		return p.forwarded(s, after[len("forwarded from "):])
	}
	if w[len(w)-1] == ':' && !isIPv6(w) {
		if name := w[:len(w)-1]; mnemonic(after) != nil && isHost(name) {
			return name, after
		}
		return nil, s
	}
	if !isHost(w) {
		return nil, s
	}
	if bytes.HasPrefix(after, []byte(": ")) && mnemonic(after[2:]) != nil { // ASA: "fw1 : %ASA-..."
		after = after[2:]
	}
	if w[0] == '[' {
		w = w[1 : len(w)-1]
	}
	return w, after
}

// forwarded reads "Message forwarded from HOST: TAG: ..." as AIX relays write it.
func (p *parser) forwarded(whole, s []byte) (host, rest []byte) {
	w := word(s)
	if len(w) < 2 || w[len(w)-1] != ':' || !isHost(w[:len(w)-1]) {
		return nil, whole
	}
	return w[:len(w)-1], trimLeft(s[len(w):])
}

// content reads the tag, or Cisco's second header behind a relay's, and leaves the rest as the message.
func (p *parser) content(s []byte) {
	p.h.Message = s
	if m := mnemonic(s); m != nil {
		p.h.Format, p.h.Mnemonic = FormatCisco, m
		return
	}
	if len(s) > 0 && (isDigit(s[0]) || s[0] == '*' || s[0] == '.' || s[0] == ':') {
		outer := p.h
		if p.cisco(s) { // the relay's own stamp and name stay
			p.h.Time, p.h.Claimed, p.h.ZoneClaimed = outer.Time, outer.Claimed, outer.ZoneClaimed
			p.h.TimeClaimed, p.h.Wall, p.h.Hostname = outer.TimeClaimed, outer.Wall, outer.Hostname
			return
		}
	}
	if w := word(s); len(w) < len(s) {
		after := s[len(w)+1:]
		if name, _, n := tag(after); n > 0 && (isSeverity(w) || bytes.Equal(w, p.h.Hostname) && name != nil) {
			s = after // F5 writes the severity before the tag, UniFi the host name twice
		}
	}
	name, pid, n := tag(s)
	if n == 0 {
		return
	}
	p.h.AppName, p.h.ProcID = name, pid
	p.h.Message = s[n:]
	if len(p.h.Message) > 0 && p.h.Message[0] == ' ' {
		p.h.Message = trimBOM(p.h.Message[1:])
	}
}

// stampless reads a message that has no time stamp before its content.
func (p *parser) stampless(s []byte) {
	if m := mnemonic(s); m != nil {
		p.h.Format, p.h.Mnemonic, p.h.Message = FormatCisco, m, s
		return
	}
	if p.keyValue(s) {
		return
	}
	// Without any header only name[123]: is surely a tag; "Error: ..." is text.
	_, pid, n := tag(s)
	if n > 0 && (p.h.Priority >= 0 || pid != nil && s[n-1] == ':') {
		p.h.Format = FormatBSD
		p.content(s)
		p.keyValueTime()
	}
}

// tag reads name: or name[pid]: or name[pid] and returns its length, 0 where there is none.
func tag(s []byte) (name, pid []byte, n int) {
	letter := false
	i := 0
	for i < len(s) && i < 128 && isTag(s[i]) {
		letter = letter || isLetter(s[i])
		i++
	}
	if i == 0 || i == len(s) || !letter {
		return nil, nil, 0
	}
	name = s[:i]
	if s[i] == '[' {
		end := bytes.IndexByte(s[i:min(len(s), i+130)], ']')
		if end < 0 || bytes.IndexByte(s[i:i+end], ' ') >= 0 {
			return nil, nil, 0
		}
		pid = nonEmpty(s[i+1 : i+end])
		i += end + 1
		if i == len(s) || s[i] == ' ' {
			if _, ok := digits(pid); !ok || pid == nil {
				return nil, nil, 0
			}
			return name, pid, i
		}
		if s[i] != ':' {
			return nil, nil, 0
		}
		return name, pid, i + 1
	}
	if s[i] == ':' && (i+1 == len(s) || s[i+1] == ' ' || s[i+1] == '\t') {
		return name, nil, i + 1
	}
	return nil, nil, 0
}

// isTag tells whether c may be in the name of a program.
func isTag(c byte) bool {
	switch {
	case isLetter(c) || isDigit(c) || c >= 0x80:
		return true
	case c <= ' ' || c == ':' || c == '[' || c == ']' || c == '"' || c == '=' || c == '<' || c == '>' || c == '{':
		return false
	}
	return c < 0x7f
}

// isHost tells whether a word may be the name or address of a host.
func isHost(w []byte) bool {
	if len(w) > 2 && w[0] == '[' && w[len(w)-1] == ']' && isIPv6(w[1:len(w)-1]) {
		return true
	}
	if len(w) == 0 {
		return false
	}
	colon := false
	for _, c := range w {
		switch {
		case isLetter(c) || isDigit(c) || c == '.' || c == '-' || c == '_' || c >= 0x80:
		case c == ':':
			colon = true
		case c == '/' || c == '@' || c == '%' || c == '(' || c == ')' || c == '#':
		default:
			return false
		}
	}
	return !colon || isIPv6(w)
}

// isIPv6 tells whether a word looks like an IPv6 address, perhaps with a zone.
func isIPv6(w []byte) bool {
	if i := bytes.IndexByte(w, '%'); i > 0 {
		w = w[:i]
	}
	colons := 0
	for _, c := range w {
		switch {
		case c == ':':
			colons++
		case isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' || c == '.':
		default:
			return false
		}
	}
	return colons >= 2 && colons <= 8 && len(w) <= 45
}
