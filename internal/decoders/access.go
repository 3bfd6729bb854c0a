// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// maxBeforeTime is how far into a line the time of an access log is looked for.
const maxBeforeTime = 512

// accessTime finds "[14/Oct/2022:09:55:53 +0200]" near the beginning of s: the offset of the bracket, and the time.
func accessTime(s string) (int, time.Time, bool) {
	from := 0
	for {
		i := strings.IndexByte(s[from:min(len(s), maxBeforeTime)], '[')
		if i < 0 {
			return 0, time.Time{}, false
		}
		i += from
		if len(s) >= i+28 && s[i+27] == ']' {
			if t, ok := clfTime(s[i+1 : i+27]); ok {
				return i, t, true
			}
		}
		from = i + 1
	}
}

// testAccess knows the time in brackets with the request in quotes behind it.
func testAccess(x *line) string {
	if i, _, ok := accessTime(x.msg); ok && strings.IndexByte(x.msg[i:], '"') > 0 {
		return "the message has the time of an access log in brackets, and a quoted request"
	}
	return ""
}

// decodeAccess takes the access logs of nginx and Apache: common, combined, either with the virtual host in front,
// with X-Forwarded-For or times behind, and the two forms of reverse proxies that begin with the time. source.ip is
// the peer of the server; what it forwarded for stays in haidang.extra.x_forwarded_for for the inventory's proxies.
func decodeAccess(x *line) bool {
	msg := x.msg
	at, t, ok := accessTime(msg)
	if !ok {
		return false
	}
	before, rest := strings.TrimRight(msg[:at], " "), strings.TrimLeft(msg[at+28:], " ")
	switch {
	case before == "":
		ok = accessTimeFirst(x, rest)
	default:
		ok = accessCombined(x, before, rest)
	}
	if !ok {
		return false
	}
	x.webServer("access")
	x.at(t)
	return true
}

// webServer sets module and dataset: by the process name, where it names a server.
func (x *line) webServer(log string) {
	switch x.app {
	case "nginx":
		x.product("nginx", "nginx."+log)
	case "apache2", "httpd", "apache":
		x.product("apache", "apache."+log)
	default:
		x.product("web", "web."+log)
	}
}

// accessCombined reads "[HOST[:PORT] ]PEER [IDENT] [USER]" and `"REQUEST" STATUS BYTES ["REFERRER" "AGENT" ...]`.
func accessCombined(x *line, before, rest string) bool {
	first, more := word(before)
	forwarded := ""
	for strings.HasSuffix(first, ",") && more != "" {
		// Some formats begin with X-Forwarded-For in place of the peer: the last hop stands for it.
		first, more = word(more)
		forwarded = before[:len(before)-len(more)]
	}
	peer, host := first, ""
	if _, ok := address(first); !ok {
		if second, tail := word(more); more != "" {
			if _, ok := address(second); ok {
				host, peer, more = first, second, tail
			}
		}
	}
	request, rest, ok := quotedField(rest)
	if !ok {
		return false
	}
	status, rest := word(rest)
	if len(status) != 3 || !numeric(status) {
		return false
	}
	bytes, rest := word(rest)
	x.source(peer)
	x.forwarded(strings.TrimRight(forwarded, " "))
	if host != "" {
		x.accessHost(host)
	}
	// IDENT is "-" but for rare set-ups; USER may hold spaces.
	if user := strings.TrimPrefix(more, "- "); user != "-" && user != "" {
		if x.buf = x.buf[:0]; more == user {
			_, user = word(more) // IDENT USER
			if user == "" {
				user = more
			}
		}
		if user != "-" {
			x.user(x.logUser(user))
		}
	}
	x.request(request)
	x.status(status)
	x.num(event.HTTPResponseBodyBytes, bytes)
	referrer, rest, ok := quotedField(rest)
	if !ok {
		return true
	}
	x.referrer(referrer)
	agent, rest, ok := quotedField(rest)
	if !ok {
		return true
	}
	x.str(event.UserAgentOriginal, x.logText(agent))
	if field, _, ok := quotedField(rest); ok {
		x.forwarded(field)
	}
	return true
}

// logUser keeps a decoded user name apart from the scratch memory, which later fields use.
func (x *line) logUser(s string) string {
	if t := x.logText(s); len(t) != len(s) {
		return strings.Clone(t)
	}
	return s
}

// accessTimeFirst reads what follows a time that begins the line, in the two forms that reverse proxies write:
//
//	HOST PEER SECONDS "REQUEST" STATUS BYTES BYTES REFERRER AGENT
//	[CACHE UPSTREAM-STATUS ]STATUS - METHOD SCHEME HOST "TARGET" [Client PEER] [Length N] [Gzip N] "AGENT" "REFERRER"
func accessTimeFirst(x *line, rest string) bool {
	head, tail, ok := strings.Cut(rest, ` "`)
	if !ok {
		return false
	}
	request, tail, ok := quotedField(`"` + tail)
	if !ok {
		return false
	}
	var w [7]string
	n := 0
	for head != "" && n < len(w) {
		w[n], head = word(head)
		n++
	}
	if n >= 5 && head == "" && w[n-4] == "-" && len(w[n-5]) == 3 && numeric(w[n-5]) {
		x.method(w[n-3])
		x.str(event.URLScheme, w[n-2])
		x.accessHost(w[n-1])
		x.requestTarget(request)
		x.status(w[n-5])
		if peer, ok := between(tail, "[Client ", "]"); ok {
			x.source(peer)
		}
		if n, ok := between(tail, "[Length ", "]"); ok {
			x.num(event.HTTPResponseBodyBytes, n)
		}
		if i := strings.IndexByte(tail, '"'); i >= 0 {
			agent, tail, _ := quotedField(tail[i:])
			x.str(event.UserAgentOriginal, x.logText(agent))
			referrer, _, _ := quotedField(tail)
			x.referrer(referrer)
		}
		return true
	}
	if n < 2 || n > 3 || head != "" {
		return false
	}
	if _, ok := address(w[1]); !ok {
		return false
	}
	x.accessHost(w[0])
	x.source(w[1])
	x.request(request)
	status, tail := word(tail)
	x.status(status)
	bytes, tail := word(tail)
	x.num(event.HTTPResponseBodyBytes, bytes)
	bytes, tail = word(tail)
	x.num(event.HTTPRequestBytes, bytes)
	referrer, agent := word(tail)
	x.referrer(referrer)
	x.str(event.UserAgentOriginal, x.logText(agent))
	return true
}

// accessHost sets the virtual host that was asked for.
func (x *line) accessHost(host string) {
	x.urlDomain(host)
	name := host
	if i := strings.LastIndexByte(host, ':'); i > 0 && numeric(host[i+1:]) {
		name = host[:i]
		x.destinationPort(host[i+1:])
	}
	if hostname(name) {
		x.b.Str(event.DestinationDomain, name)
	}
}

// request reads "METHOD TARGET HTTP/1.1"; anything else is what somebody sent in its place and becomes the target.
func (x *line) request(s string) {
	i := strings.LastIndex(s, " HTTP/")
	method, _, ok := strings.Cut(s, " ")
	if i <= len(method) || !ok || !token(method) {
		if target, ok := strings.CutPrefix(s, "GET /"); ok { // HTTP/0.9
			x.method("GET")
			s = s[len(s)-len(target)-1:]
		}
		x.requestTarget(s)
		return
	}
	x.method(method)
	x.requestTarget(s[len(method)+1 : i])
	x.str(event.HTTPVersion, s[i+len(" HTTP/"):])
}

func (x *line) method(s string) {
	if token(s) {
		x.b.Str(event.HTTPRequestMethod, s)
	}
}

// status sets the answer and what it means.
func (x *line) status(s string) {
	n, ok := atoi(s)
	if !ok || n < 100 || n > 999 {
		x.classify("web", "access", "", "")
		return
	}
	x.b.Int(event.HTTPResponseStatusCode, n)
	outcome := success
	if n >= 400 {
		outcome = failure
	}
	x.classify("web", "access", "http_request", outcome)
}

func (x *line) referrer(s string) {
	if s != "-" && s != "" {
		x.b.Str(event.HTTPRequestReferrer, x.logText(s))
	}
}

// forwarded keeps an X-Forwarded-For field: its right end, which our proxies wrote, for the inventory, and its first
// address as what the client claims. The client writes the left end and must not be able to hide the right one.
func (x *line) forwarded(s string) {
	last := strings.TrimSpace(s[strings.LastIndexByte(s, ',')+1:])
	if _, _, ok := addressPort(last); !ok {
		return
	}
	x.extra("x_forwarded_for", s[max(0, len(s)-1024):])
	first, _, _ := strings.Cut(s, ",")
	a, _, ok := addressPort(strings.TrimSpace(first))
	if !ok {
		return
	}
	x.b.IP(event.NetworkForwardedIP, a)
	x.relIP(a)
}

// quotedField reads a field in double quotes in which a backslash escapes; rest is what follows it and one space.
func quotedField(s string) (field, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", s, false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[1:i], strings.TrimLeft(s[i+1:], " "), true
		}
	}
	return "", s, false
}

// token tells whether s may be an HTTP method.
func token(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c-'A' > 25 && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
