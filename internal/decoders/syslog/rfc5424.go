// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import "bytes"

// rfc5424 reads what follows the priority by RFC 5424 section 6. It is stricter about what makes a message one of
// RFC 5424 (the version and a time stamp or NILVALUE) than about the rest: a broken STRUCTURED-DATA is left in the
// message, and a time stamp of an impossible date is no claim.
func (p *parser) rfc5424(s []byte) bool {
	if len(s) < 3 || s[0] < '1' || s[0] > '9' {
		return false
	}
	version, i := 0, 0
	for i < len(s) && i < 3 && isDigit(s[i]) {
		version = version*10 + int(s[i]-'0')
		i++
	}
	if i == len(s) || s[i] != ' ' {
		return false
	}
	s = s[i+1:]
	var st stamp
	claimed := false
	switch {
	case len(s) > 1 && s[0] == '-' && s[1] == ' ':
		if p.h.Priority < 0 {
			return false
		}
		s = s[2:]
	case len(s) > 5 && isDigit(s[0]) && s[4] == '-':
		n := st.iso(s)
		claimed = n > 0
		if !claimed {
			n = len(word(s))
		}
		if n >= len(s) || s[n] != ' ' {
			return false
		}
		s = s[n+1:]
	default:
		return false
	}
	p.h.Format, p.h.Version = FormatRFC5424, version
	if claimed {
		p.claim(&st)
	}
	p.h.Hostname, s = token(s)
	p.h.AppName, s = token(s)
	p.h.ProcID, s = token(s)
	p.h.MsgID, s = token(s)
	switch {
	case len(s) > 0 && s[0] == '-' && (len(s) == 1 || s[1] == ' '):
		s = s[1:]
	case len(s) > 0 && s[0] == '[':
		if n := structured(s); n > 0 {
			p.h.Structured, s = s[:n], s[n:]
		}
	}
	if len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	p.h.Message = trimBOM(s)
	return true
}

// token cuts the next field of the header; a NILVALUE is nil.
func token(s []byte) (field, rest []byte) {
	i := bytes.IndexByte(s, ' ')
	if i < 0 {
		i = len(s)
		rest = s[i:]
	} else {
		rest = s[i+1:]
	}
	field = s[:i]
	if i == 0 || i == 1 && field[0] == '-' {
		return nil, rest
	}
	return field, rest
}

// structured is the length of the STRUCTURED-DATA that s begins with, or 0 where it is broken.
func structured(s []byte) int {
	i := 0
	for i < len(s) && s[i] == '[' {
		n := element(s[i:], nil)
		if n == 0 {
			return 0
		}
		i += n
	}
	if i < len(s) && s[i] != ' ' {
		return 0
	}
	return i
}

// element is the length of the SD-ELEMENT that s begins with, or 0 where it is broken. It calls each for every
// parameter, with the value as sent, until each returns false (the length is then still the whole element's).
func element(s []byte, each func(id, name, value []byte) bool) int {
	i := 1
	for i < len(s) && isName(s[i]) {
		i++
	}
	id := s[1:i]
	if len(id) == 0 {
		return 0
	}
	for i < len(s) && s[i] == ' ' {
		for i < len(s) && s[i] == ' ' {
			i++
		}
		start := i
		for i < len(s) && isName(s[i]) {
			i++
		}
		name := s[start:i]
		if len(name) == 0 {
			break // a space before the bracket: not of the grammar, harmless
		}
		if i+1 >= len(s) || s[i] != '=' || s[i+1] != '"' {
			return 0
		}
		i += 2
		start = i
		for i < len(s) && s[i] != '"' {
			if s[i] == '\\' {
				i++
			}
			i++
		}
		if i >= len(s) {
			return 0
		}
		if each != nil && !each(id, name, s[start:i]) {
			each = nil
		}
		i++
	}
	if i >= len(s) || s[i] != ']' {
		return 0
	}
	return i + 1
}

// isName tells whether c may be in an SD-NAME.
func isName(c byte) bool { return c > ' ' && c < 0x7f && c != '=' && c != ']' && c != '"' }

// EachParam calls f for every parameter of Header.Structured, in order, with its value unescaped, until f returns
// false. value is only new memory where it had an escape.
func EachParam(sd []byte, f func(id, name, value []byte) bool) {
	more := true
	for more && len(sd) > 0 && sd[0] == '[' {
		n := element(sd, func(id, name, value []byte) bool {
			more = f(id, name, unescape(value))
			return more
		})
		if n == 0 {
			return
		}
		sd = sd[n:]
	}
}

// unescape resolves \" \\ \] and leaves any other backslash alone, as RFC 5424 section 6.3.3 asks.
func unescape(v []byte) []byte {
	i := bytes.IndexByte(v, '\\')
	if i < 0 {
		return v
	}
	out := append(make([]byte, 0, len(v)), v[:i]...)
	for ; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) && (v[i+1] == '"' || v[i+1] == '\\' || v[i+1] == ']') {
			i++
		}
		out = append(out, v[i])
	}
	return out
}
