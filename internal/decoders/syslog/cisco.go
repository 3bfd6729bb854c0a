// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

// cisco reads the header of IOS and its relatives: [SEQ: ]... [HOST: ][* or .][STAMP[ ZONE]: ]%FACILITY-SEVERITY-NAME.
// A sequence number, a clock mark or a colon must be there; the rest of the dialects is what bsd reads.
func (p *parser) cisco(s []byte) bool {
	before := p.h
	t := s
	if len(t) > 1 && t[0] == ':' {
		t = trimLeft(t[1:])
	}
	for range 2 { // a message count and a sequence number can both be on
		n := sequence(t)
		if n == 0 {
			break
		}
		p.h.Sequence = t[:n]
		t = trimLeft(t[n+1:])
	}
	if n := uptime(t); n > 0 {
		t = trimLeft(t[n:])
	}
	if len(t) == len(s) && (len(t) == 0 || t[0] != '*' && t[0] != '.') {
		return false
	}
	if w := word(t); len(w) > 1 && w[0] != '%' && w[len(w)-1] == ':' && isHost(w[:len(w)-1]) {
		p.h.Hostname = w[:len(w)-1]
		t = trimLeft(t[len(w):])
	}
	if len(t) > 0 && (t[0] == '*' || t[0] == '.') {
		p.h.ClockMark = t[0]
		t = t[1:]
	}
	var st stamp
	if n := st.read(t); n > 0 {
		p.claim(&st)
		t = t[n:]
		if len(t) > 0 && t[0] == ':' {
			t = t[1:]
		}
		t = trimLeft(t)
	}
	p.h.Mnemonic = mnemonic(t)
	if p.h.Mnemonic == nil && !p.h.TimeClaimed {
		p.h = before
		return false
	}
	p.h.Format, p.h.Message = FormatCisco, t
	return true
}

// sequence is the number of digits of "123: " that s begins with, or 0.
func sequence(s []byte) int {
	i := 0
	for i < len(s) && i < 11 && isDigit(s[i]) {
		i++
	}
	if i == 0 || i == 11 || i+1 >= len(s) || s[i] != ':' || s[i+1] != ' ' {
		return 0
	}
	return i
}

// uptime is the length of "00:12:34: " or "3w2d: " that s begins with, how long the device has been up, or 0.
func uptime(s []byte) int {
	i, units := 0, 0
	for i < len(s) && i < 16 && s[i] != ' ' {
		switch c := s[i]; {
		case isDigit(c):
		case c == ':' || c == 'y' || c == 'w' || c == 'd' || c == 'h':
			units++
		default:
			return 0
		}
		i++
	}
	if i < 3 || i == len(s) || s[i] != ' ' || s[i-1] != ':' || units < 2 || !isDigit(s[0]) {
		return 0
	}
	if c := s[i-2]; c == ':' || isDigit(c) && units != 3 {
		return 0
	}
	return i
}

// mnemonic is the name of the message that s begins with: FACILITY-SEVERITY-NAME after % (Cisco), or
// MODULE/SEVERITY/NAME after %% and two digits of a version (Huawei, H3C), which are left out; else nil.
func mnemonic(s []byte) []byte {
	if len(s) < 6 || s[0] != '%' {
		return nil
	}
	i, sep := 1, byte('-')
	if s[1] == '%' {
		sep = '/'
		i = 2
		for i < 4 && isDigit(s[i]) {
			i++
		}
	}
	start := i
	severity := false
	for i < len(s) && i < 96 {
		c := s[i]
		if c == sep && i+2 < len(s) && s[i+1] >= '0' && s[i+1] <= '7' && s[i+2] == sep && i > start {
			severity = true
		}
		if !isLetter(c) && !isDigit(c) && c != '_' && c != '-' && c != sep && c != '.' {
			break
		}
		i++
	}
	if !severity || i == len(s) || s[i] != ':' && s[i] != '(' && s[i] != '[' && s[i] != ' ' {
		return nil
	}
	return s[start:i]
}

// mnemonicSeverity is the severity that a mnemonic carries, or -1.
func mnemonicSeverity(m []byte) int {
	for i := 0; i+2 < len(m); i++ {
		if (m[i] == '-' || m[i] == '/') && m[i+2] == m[i] && m[i+1] >= '0' && m[i+1] <= '7' {
			return int(m[i+1] - '0')
		}
	}
	return -1
}
