// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// maxPairs bounds the pairs, or the JSON members, that one message may set.
const maxPairs = 256

// nextPair reads the next key=value or key="value" of s; what stands between pairs is skipped. In quotes a backslash
// escapes. ok is false where no pair follows.
func nextPair(s string) (key, value, rest string, ok bool) {
	for {
		eq := strings.IndexByte(s, '=')
		if eq < 0 {
			return "", "", "", false
		}
		start := eq
		for start > 0 && keyByte(s[start-1]) {
			start--
		}
		key, rest = s[start:eq], s[eq+1:]
		if key == "" || len(key) > 64 {
			s = rest
			continue
		}
		if rest != "" && rest[0] == '"' {
			for i := 1; i < len(rest); i++ {
				switch rest[i] {
				case '\\':
					i++
				case '"':
					return key, rest[1:i], rest[i+1:], true
				}
			}
			return key, rest[1:], "", true
		}
		end := strings.IndexByte(rest, ' ')
		if end < 0 {
			end = len(rest)
		}
		value = strings.TrimRight(rest[:end], ",;")
		return key, value, rest[end:], true
	}
}

func keyByte(c byte) bool {
	return c|0x20-'a' <= 25 || c-'0' <= 9 || c == '_' || c == '.' || c == '-' || c == '@'
}

// testKeyValue wants three pairs at the beginning of the message, or behind one word: prose with a single = is prose.
func testKeyValue(x *line) string {
	s := x.msg
	for range 3 {
		eq := strings.IndexByte(s, '=')
		if eq <= 0 || eq > 64 {
			return ""
		}
		_, _, rest, ok := nextPair(s)
		if !ok || strings.Count(s[:eq], " ") > 1 {
			return ""
		}
		s = rest
	}
	return "the message is a list of key=value pairs"
}

// decodeKeyValue takes any product's key=value. The names that products share become ECS fields (see alias), the
// others stay in haidang.extra under their own name.
func decodeKeyValue(x *line) bool {
	x.product("keyvalue", "keyvalue")
	rest := x.msg
	for range maxPairs {
		key, value, tail, ok := nextPair(rest)
		if !ok {
			break
		}
		x.named(key, value)
		rest = tail
	}
	x.infer()
	return true
}

// named sets the field that a product means by key, or keeps the pair in haidang.extra.
func (x *line) named(key, value string) {
	if value == "" || value == "-" {
		return
	}
	switch f := alias(lower(key)); f {
	case 0:
		x.senderExtra("", key, value)
	case event.SourceIP:
		if a, p, ok := addressPort(value); ok {
			x.sourceIP(a)
			if p >= 0 && !x.b.Has(event.SourcePort) {
				x.setPort(event.SourcePort, p)
			}
		} else {
			x.source(value)
		}
	case event.DestinationIP:
		if a, p, ok := addressPort(value); ok {
			x.destinationIP(a)
			if p >= 0 && !x.b.Has(event.DestinationPort) {
				x.setPort(event.DestinationPort, p)
			}
		} else {
			x.destination(value)
		}
	case event.SourceMAC, event.DestinationMAC:
		x.mac(f, value)
	case event.SourcePort:
		x.sourcePort(value)
	case event.DestinationPort:
		x.destinationPort(value)
	case event.NetworkTransport:
		x.transport(value)
	case event.UserName:
		x.user(value)
	case event.UserTargetName:
		x.target(value)
	case event.UserEffectiveName:
		x.effective(value)
	case event.URLPath:
		if !x.b.Has(event.URLPath) {
			x.requestTarget(value)
		}
	case event.URLDomain:
		x.accessHost(value)
	case event.HTTPRequestMethod:
		x.method(strings.ToUpper(value))
	case event.EventOutcome:
		if o := outcomeOf(value); o != "" {
			x.b.Str(f, o)
		} else {
			x.senderExtra("", key, value)
		}
	case event.HTTPResponseStatusCode:
		if n, ok := atoi(value); ok && n >= 100 && n <= 999 {
			x.b.Int(f, n)
		} else {
			x.senderExtra("", key, value)
		}
	default:
		switch f.Type() {
		case event.Int:
			x.num(f, value)
		default:
			x.b.Str(f, value)
		}
	}
}

// outcomeOf reads the words that products have for success and failure.
func outcomeOf(s string) string {
	switch lower(s) {
	case "success", "succeeded", "successful", "ok", "true", "yes", "pass", "passed", "allowed":
		return success
	case "failure", "failed", "fail", "error", "false", "no", "denied", "rejected":
		return failure
	}
	return ""
}

// infer sets the category that the fields speak of, where the product names none.
func (x *line) infer() {
	b := x.b
	if b.Has(event.EventCategory) {
		return
	}
	switch {
	case b.Has(event.HTTPResponseStatusCode) || b.Has(event.HTTPRequestMethod):
		x.classify("web", "access", "", "")
		v, _ := b.Get(event.HTTPResponseStatusCode)
		if n := v.Int(); n != 0 && !b.Has(event.EventOutcome) {
			if n >= 400 {
				b.Str(event.EventOutcome, failure)
			} else {
				b.Str(event.EventOutcome, success)
			}
		}
	case b.Has(event.SourceIP) && b.Has(event.DestinationIP):
		switch action := b.Text(event.EventAction); {
		case action != "" && fortiDenied(action):
			x.verdictIs("", "denied", failure)
		case outcomeOf(action) == success || action == "accept" || action == "permit" || action == "allow":
			x.verdictIs("", "allowed", success)
		default:
			x.classify("network", "info", "", "")
		}
	}
}

// alias is the ECS field that products mean by a name, 0 where there is no common meaning. The name is in lower case.
func alias(name string) event.FieldID {
	switch name {
	case "src", "srcip", "src_ip", "source_ip", "sourceip", "saddr", "source_address", "client", "clientip",
		"client_ip", "client-ip", "client_addr", "remote_ip", "remoteip", "remote_addr", "remoteaddr",
		"remoteaddress", "remote_address", "clienthost", "rhost", "peer", "rip", "ip", "ip_address", "ipaddr", "c-ip",
		"from_ip":
		return event.SourceIP
	case "spt", "sport", "srcport", "src_port", "source_port", "sourceport", "client_port", "remote_port", "c-port":
		return event.SourcePort
	case "dst", "dstip", "dst_ip", "dest_ip", "destination_ip", "destinationip", "destip", "daddr", "server_ip",
		"s-ip", "lip", "target_ip":
		return event.DestinationIP
	case "dpt", "dport", "dstport", "dst_port", "dest_port", "destport", "destination_port", "destinationport",
		"server_port", "s-port":
		return event.DestinationPort
	case "srcmac", "src_mac", "smac":
		return event.SourceMAC
	case "dstmac", "dst_mac", "dmac":
		return event.DestinationMAC
	case "proto", "protocol", "ip_proto", "transport":
		return event.NetworkTransport
	case "user", "username", "user_name", "usr", "suser", "login", "account", "acct", "user_id_name", "uname",
		"cs-username", "srcuser":
		return event.UserName
	case "duser", "target_user", "targetuser", "dstuser":
		return event.UserTargetName
	case "uid":
		return event.UserID
	case "email":
		return event.UserEmail
	case "action", "act", "event_action":
		return event.EventAction
	case "reason", "cause":
		return event.EventReason
	case "outcome", "result", "success", "status_text":
		return event.EventOutcome
	case "level", "loglevel", "log_level", "lvl", "severity_label":
		return event.LogLevel
	case "logger", "logger_name":
		return event.LogLogger
	case "pid", "process_id":
		return event.ProcessPID
	case "exe", "executable":
		return event.ProcessExecutable
	case "cmd", "cmdline", "command", "command_line", "commandline":
		return event.ProcessCommandLine
	case "cwd":
		return event.ProcessWorkingDirectory
	case "url", "uri", "request_uri", "path", "request_path", "cs-uri-stem", "request_url",
		"requestpath":
		return event.URLPath
	case "vhost", "http_host", "server_name", "cs-host", "requesthost":
		return event.URLDomain
	case "method", "http_method", "request_method", "cs-method", "verb", "requestmethod":
		return event.HTTPRequestMethod
	case "status", "status_code", "statuscode", "http_status", "response_status", "response_code", "sc-status",
		"code", "response_status_code", "downstreamstatus":
		return event.HTTPResponseStatusCode
	case "user_agent", "useragent", "user-agent", "http_user_agent", "agent", "request_user_agent",
		"request_user-agent", "cs(user-agent)":
		return event.UserAgentOriginal
	case "referer", "referrer", "http_referer", "request_referer":
		return event.HTTPRequestReferrer
	case "bytes", "bytes_sent", "body_bytes_sent", "response_size", "response_body_size", "sc-bytes":
		return event.HTTPResponseBodyBytes
	case "file", "filename", "file_name":
		return event.FileName
	case "rule", "rule_name", "policy", "policyname":
		return event.RuleName
	case "rule_id", "ruleid", "policyid", "sid":
		return event.RuleID
	case "service", "service_name":
		return event.ServiceName
	case "app", "application":
		return event.NetworkApplication
	case "error", "err", "error_message":
		return event.ErrorMessage
	case "msg", "message":
		return event.Message
	}
	return 0
}
