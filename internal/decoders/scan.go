// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"net/netip"
	"strings"
)

// atoi reads an unsigned decimal number of at most 18 digits that fills s whole.
func atoi(s string) (int64, bool) {
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	var n int64
	for i := 0; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	return n, true
}

// port reads a port number, 0 to 65535, that fills s whole.
func port(s string) (int64, bool) {
	n, ok := atoi(s)
	return n, ok && len(s) <= 5 && n <= 65535
}

// digits returns the length of the run of decimal digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	return n
}

// address reads an IP address that fills s whole: bare, in brackets, with a zone; an IPv4 address mapped into IPv6 is
// unmapped.
func address(s string) (netip.Addr, bool) {
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		s = s[1 : len(s)-1]
	}
	// The cheap test keeps words out of ParseAddr, whose error allocates.
	if len(s) < 2 || len(s) > 64 || !(s[0]-'0' <= 9 || s[0] == ':' || s[0]|0x20-'a' <= 5) ||
		strings.IndexByte(s, '.') < 0 && strings.IndexByte(s, ':') < 0 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

// addressPort reads "address:port", "[address]:port" or a bare address; the port is -1 where there is none.
func addressPort(s string) (netip.Addr, int64, bool) {
	if i := strings.LastIndexByte(s, ':'); i > 0 && (s[i-1] == ']' || strings.IndexByte(s, ':') == i) {
		if p, ok := port(s[i+1:]); ok {
			a, ok := address(s[:i])
			return a, p, ok
		}
	}
	a, ok := address(s)
	return a, -1, ok
}

// word cuts s at its first space: the word, and what follows it without leading spaces.
func word(s string) (first, rest string) {
	i := strings.IndexByte(s, ' ')
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i+1:], " ")
}

// between returns what stands in s after open and before the next end.
func between(s, open, end string) (string, bool) {
	_, s, ok := strings.Cut(s, open)
	if !ok {
		return "", false
	}
	s, _, ok = strings.Cut(s, end)
	return s, ok
}

// after returns the word that follows key in s, "" where key is missing.
func after(s, key string) string {
	_, s, ok := strings.Cut(s, key)
	if !ok {
		return ""
	}
	if i := strings.IndexByte(s, ' '); i >= 0 {
		s = s[:i]
	}
	return s
}

// lower returns s in ASCII lower case, s itself where it is already.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i]-'A' <= 25 {
			return strings.ToLower(s)
		}
	}
	return s
}

// numeric tells whether s is a run of decimal digits.
func numeric(s string) bool { return len(s) > 0 && digits(s) == len(s) }
