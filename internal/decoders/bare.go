// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import "strings"

// bareLine tells why s is a line of a log file with no syslog header in front, "" when it is not: such a line begins
// with what a syslog parser would take for a time or a host name.
func bareLine(s string) string {
	if len(s) < 24 || s[0] == '<' {
		return ""
	}
	switch {
	case nginxError(s), apacheError(s):
		return "the line is a web server's error log"
	case s[0] == '{':
		return "the line is a JSON object"
	case s[0] == '[' || s[0]-'0' <= 9 || s[0] == ':' || s[0]|0x20-'a' <= 25:
		return bareAccess(s)
	}
	return ""
}

// bareAccess tells whether s is an access log's line: its time stands before any text that a syslog header could hold.
func bareAccess(s string) string {
	i, _, ok := accessTime(s[:min(len(s), 200)])
	if !ok {
		return ""
	}
	// At most host, peer, ident and user stand before the time. A syslog header in front adds "name: " or a date.
	words := 0
	for j := 0; j < i; j++ {
		if s[j] == ' ' {
			words++
		}
	}
	if words > 5 {
		return ""
	}
	first, rest := word(s[:i])
	first = strings.TrimSuffix(first, ",")
	if _, ok := address(first); ok || i == 0 {
		return "the line is a web server's access log"
	}
	if second, _ := word(rest); second != "" {
		if _, ok := address(second); ok {
			return "the line is a web server's access log"
		}
	}
	return ""
}
