// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// nginxError tells whether s begins as nginx's error log does: "2022/04/05 13:25:30 [info] 8#8: ".
func nginxError(s string) bool {
	if len(s) < 24 || s[4] != '/' || s[7] != '/' || s[19] != ' ' || s[20] != '[' {
		return false
	}
	i := strings.IndexByte(s[21:min(len(s), 32)], ']')
	return i > 0 && strings.IndexByte(s[21+i:min(len(s), 60)], '#') > 0
}

func testNginxError(x *line) string {
	if nginxError(x.msg) {
		return "the message begins with the time, level and process#thread of nginx's error log"
	}
	return ""
}

// decodeNginxError takes nginx's error log: "TIME [LEVEL] PID#TID: [*CONNECTION ]TEXT, client: PEER, server: NAME,
// request: "...", upstream: "...", host: "...", referrer: "..."". TEXT may quote a decoded path and the referrer is the
// client's own, so both may forge a ", client: "; the real one is the last before the request.
func decodeNginxError(x *line) bool {
	msg := x.msg
	if !nginxError(msg) {
		return false
	}
	t, ok := slashTime(msg, x.zone())
	if !ok {
		return false
	}
	level, rest, _ := strings.Cut(msg[21:], "] ")
	x.product("nginx", "nginx.error")
	x.at(t)
	x.b.Str(event.LogLevel, level)
	process, text, ok := strings.Cut(rest, ": ")
	if !ok {
		text = rest
	}
	if pid, tid, ok := strings.Cut(process, "#"); ok {
		x.num(event.ProcessPID, pid)
		x.num(event.ProcessThreadID, tid)
	}
	if strings.HasPrefix(text, "*") {
		id, rest := word(text[1:])
		if numeric(id) {
			x.extra("nginx.connection", id)
			text = rest
		}
	}
	x.classify("web", errorType(level), "", "")
	fields := text
	if i := strings.LastIndex(beforeReferrer(text), `, request: "`); i >= 0 {
		fields = text[:i]
		request, tail, _ := quotedField(text[i+len(", request: "):])
		x.request(request)
		nginxTail(x, tail)
	}
	if i := strings.LastIndex(fields, ", client: "); i >= 0 {
		peer := fields[i+len(", client: "):]
		text, fields = fields[:i], peer
		peer, _, _ = strings.Cut(peer, ",")
		peer, _ = word(peer)
		x.peer(peer)
		if server, ok := between(fields+",", ", server: ", ","); ok && server != "" {
			x.extra("nginx.server", server)
			if hostname(server) {
				x.str(event.DestinationDomain, server)
			}
		}
		if login, ok := between(fields, `, login: "`, `"`); ok {
			x.user(login)
		}
	} else if rest, ok := strings.CutPrefix(text, "client "); ok && strings.Contains(rest, " connected to ") {
		x.classify("network", "start", "connection", "")
		peer, rest := word(rest)
		x.peer(peer)
		if a, p, ok := addressPort(after(rest, "connected to ")); ok && !a.IsUnspecified() {
			x.destinationIP(a)
			x.setPort(event.DestinationPort, p)
		} else if ok {
			x.setPort(event.DestinationPort, p)
		}
	}
	nginxMeaning(x, text)
	return true
}

// peer sets source.ip and source.port from "address[:port]".
func (x *line) peer(s string) {
	if a, p, ok := addressPort(s); ok {
		x.sourceIP(a)
		x.setPort(event.SourcePort, p)
	}
}

// apachePeer is peer for Apache, which writes IPv6 without brackets; its version 2.4 always writes the port.
func (x *line) apachePeer(s string, withPort bool) {
	if i := strings.LastIndexByte(s, ':'); withPort && i > 0 && strings.IndexByte(s, ':') < i && s[0] != '[' {
		if p, ok := port(s[i+1:]); ok {
			if a, ok := address(s[:i]); ok {
				x.sourceIP(a)
				x.setPort(event.SourcePort, p)
				return
			}
		}
	}
	x.peer(s)
}

// beforeReferrer cuts the referrer off, whose text is the client's.
func beforeReferrer(s string) string {
	if i := strings.Index(s, `", referrer: "`); i >= 0 {
		return s[:i]
	}
	return s
}

// nginxTail reads what follows the request.
func nginxTail(x *line, tail string) {
	if host, ok := between(tail, `host: "`, `"`); ok {
		x.urlDomain(host)
	}
	if upstream, ok := between(tail, `upstream: "`, `"`); ok {
		x.extra("nginx.upstream", upstream)
	}
	if referrer, ok := between(tail, `referrer: "`, `"`); ok {
		x.referrer(referrer)
	}
}

// nginxMeaning reads the texts that are about access.
func nginxMeaning(x *line, text string) {
	switch {
	case strings.HasPrefix(text, "limiting requests"), strings.HasPrefix(text, "limiting connections"):
		x.classify("web", "denied", "rate_limited", failure)
	case strings.HasPrefix(text, "access forbidden by rule"), strings.HasPrefix(text, "directory index of "):
		x.classify("web", "denied", "access_forbidden", failure)
	case strings.HasPrefix(text, "client logged in"):
		x.classify("authentication", "start", "login", success)
	case strings.HasPrefix(text, "client login failed"):
		x.classify("authentication", "start", "login", failure)
		if reason, ok := between(text, `"`, `"`); ok {
			x.str(event.EventReason, reason)
		}
	case strings.HasPrefix(text, `user "`):
		// auth_basic: user "admin": password mismatch; user "admin" was not found in "..."
		i := strings.LastIndex(text, `": password mismatch`)
		if i < 0 {
			i = strings.LastIndex(text, `" was not found in "`)
		}
		if i > 6 {
			x.classify("authentication", "start", "login", failure)
			x.user(text[6:i])
			x.str(event.EventReason, strings.Trim(text[i+1:], ": "))
		}
	case strings.HasPrefix(text, "open() \""):
		x.classify("web", "error", "file_not_opened", failure)
		if i := strings.LastIndex(text, `" failed (`); i > 8 {
			x.b.Str(event.FilePath, text[8:i])
			x.str(event.EventReason, strings.Trim(text[i+9:], "()"))
		}
	}
}

// errorType is the event.type of a log level.
func errorType(level string) string {
	switch level {
	case "error", "crit", "alert", "emerg":
		return "error"
	}
	return "info"
}

// apacheError tells whether s begins as Apache's error log does: "[Wed Apr 16 16:09:40.056610 2025] [".
func apacheError(s string) bool {
	if len(s) < 30 || s[0] != '[' || s[4] != ' ' || s[8] != ' ' || s[14] != ':' || s[17] != ':' {
		return false
	}
	i := strings.IndexByte(s[:min(len(s), 40)], ']')
	return i > 0 && strings.HasPrefix(s[i:], "] [")
}

func testApacheError(x *line) string {
	if apacheError(x.msg) {
		return "the message begins with the time and level of Apache's error log"
	}
	return ""
}

// decodeApacheError takes Apache's error log, 2.4 and 2.2: "[TIME] [MODULE:LEVEL] [pid N:tid N] [client PEER:PORT]
// AHNNNNN: TEXT", and mod_security's matches in it.
func decodeApacheError(x *line) bool {
	msg := x.msg
	if !apacheError(msg) {
		return false
	}
	end := strings.IndexByte(msg, ']')
	t, ok := apacheTime(msg[1:end], x.zone())
	if !ok {
		return false
	}
	x.product("apache", "apache.error")
	x.at(t)
	text := msg[end+2:]
	level, text, _ := strings.Cut(text[1:], "] ")
	if module, l, ok := strings.Cut(level, ":"); ok {
		x.extra("apache.module", module)
		level = l
	}
	x.b.Str(event.LogLevel, level)
	x.classify("web", errorType(level), "", "")
	rest, with24 := strings.CutPrefix(text, "[pid ")
	if with24 {
		ids, rest, _ := strings.Cut(rest, "] ")
		pid, tid, ok := strings.Cut(ids, ":tid ")
		x.num(event.ProcessPID, pid)
		if ok {
			x.num(event.ProcessThreadID, tid)
		}
		text = rest
	}
	if i := strings.Index(text, "[client "); i >= 0 && i < 200 {
		peer, rest, _ := strings.Cut(text[i+len("[client "):], "] ")
		x.apachePeer(peer, with24)
		text = text[:i] + rest
		if i == 0 {
			text = rest
		}
	}
	apacheMeaning(x, text)
	return true
}

// apacheMeaning reads the texts that are about access.
func apacheMeaning(x *line, text string) {
	if i := strings.Index(text, "AH"); i >= 0 && len(text) > i+7 && numeric(text[i+2:i+7]) && text[i+7] == ':' {
		x.b.Str(event.EventCode, text[i:i+7])
		text = strings.TrimLeft(text[i+8:], " ")
	}
	if body, referrer, ok := strings.Cut(text, ", referer: "); ok {
		text = body
		x.referrer(referrer)
	}
	switch {
	case strings.HasPrefix(text, "user "):
		// AH01617: user NAME: authentication failure for "/path": Password Mismatch; AH01618: user NAME not found: /path
		rest := text[len("user "):]
		name, reason, ok := strings.Cut(rest, ": authentication failure for ")
		if !ok {
			if name, _, ok = strings.Cut(rest, " not found: "); !ok {
				return
			}
			reason = ": user not found"
		}
		x.classify("authentication", "start", "login", failure)
		x.user(name)
		if i := strings.LastIndex(reason, ": "); i >= 0 {
			x.str(event.EventReason, reason[i+2:])
		}
	case strings.HasPrefix(text, "client denied by server configuration"):
		x.classify("web", "denied", "access_forbidden", failure)
		_, path, _ := strings.Cut(text, ": ")
		x.str(event.FilePath, path)
	case strings.Contains(text, "ModSecurity: "):
		modSecurity(x, text)
	}
}

// modSecurity reads `ModSecurity: Access denied with code 403 ... [id "942100"] [msg "..."] [uri "/x"]`.
func modSecurity(x *line, text string) {
	typ, outcome := "info", ""
	if strings.Contains(text, "ModSecurity: Access denied") {
		typ, outcome = "denied", failure
	}
	x.classify("intrusion_detection", typ, "modsecurity", outcome)
	if id, ok := between(text, `[id "`, `"]`); ok {
		x.str(event.RuleID, id)
	}
	if msg, ok := between(text, `[msg "`, `"]`); ok {
		x.str(event.RuleName, msg)
	}
	if severity, ok := between(text, `[severity "`, `"]`); ok {
		x.extra("modsecurity.severity", severity)
	}
	if host, ok := between(text, `[hostname "`, `"]`); ok {
		x.urlDomain(host)
	}
	if uri, ok := between(text, `[uri "`, `"]`); ok {
		x.requestTarget(uri)
	}
	if id, ok := between(text, `[unique_id "`, `"]`); ok {
		x.str(event.HTTPRequestID, id)
	}
}
