// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

func testFortiGate(x *line) string {
	s := x.msg[:min(len(x.msg), 512)]
	if strings.Contains(s, "logid=") && strings.Contains(s, "type=") &&
		(strings.Contains(s, "vd=") || strings.Contains(s, "devid=") || strings.Contains(s, "subtype=")) {
		return "the message holds logid=, type= and vd= or subtype= of FortiOS"
	}
	return ""
}

// fortiGate is what must be seen whole before it can be classified.
type fortiGate struct {
	typ, subtype, action, status, level, logdesc, msg string
	src, rem, ui, direction, tunnel                   string
}

// decodeFortiGate takes FortiOS's key=value (5.x to 7.x): traffic, utm, event and its vpn. The message becomes the text
// of msg where there is one; names beyond ECS stay in haidang.extra.fortinet.
func decodeFortiGate(x *line) bool {
	var f fortiGate
	rest := x.msg
	for range maxPairs {
		key, value, tail, ok := nextPair(rest)
		if !ok {
			break
		}
		rest = tail
		if value != "" {
			f.pair(x, key, value)
		}
	}
	if f.typ == "" {
		return true
	}
	x.product("fortinet", fortiDataset(f.typ))
	x.b.Str(event.ObserverVendor, "Fortinet")
	x.b.Str(event.ObserverProduct, "FortiGate")
	x.b.Str(event.ObserverType, "firewall")
	if f.src == "" {
		// Remote access names the far end remip; an administrator's is in ui="https(192.0.2.1)".
		if f.rem != "" {
			x.source(f.rem)
		} else if ip, ok := between(f.ui, "(", ")"); ok {
			x.source(ip)
		}
	}
	if f.msg != "" {
		x.b.Str(event.Message, f.msg)
	}
	f.classify(x)
	return true
}

func fortiDataset(typ string) string {
	switch typ {
	case "traffic":
		return "fortinet.traffic"
	case "utm":
		return "fortinet.utm"
	case "event":
		return "fortinet.event"
	}
	return "fortinet.fortigate"
}

// pair sets the field of one pair, or keeps it for later.
func (f *fortiGate) pair(x *line, key, value string) {
	b := x.b
	switch key {
	case "date", "time", "eventtime", "tz", "timestamp":
	case "type":
		f.typ = value
	case "subtype":
		f.subtype = value
		b.Extra("fortinet.subtype", value)
	case "action":
		f.action = value
	case "status":
		f.status = value
		b.Extra("fortinet.status", value)
	case "level":
		f.level = value
		b.Str(event.LogLevel, value)
		if n := fortiSeverity(value); n >= 0 {
			b.Int(event.EventSeverity, n)
		}
	case "logdesc":
		f.logdesc = value
		b.Extra("fortinet.logdesc", value)
	case "msg":
		f.msg = value
	case "direction":
		f.direction = value
	case "devname":
		b.Str(event.ObserverName, value)
		x.relHost(value)
	case "devid":
		b.Str(event.ObserverSerialNumber, value)
	case "logid":
		b.Str(event.EventCode, value)
	case "vd":
		b.Extra("fortinet.vd", value)
	case "srcip":
		f.src = value
		x.source(value)
	case "remip":
		f.rem = value
	case "ui":
		f.ui = value
		b.Extra("fortinet.ui", value)
	case "srcport":
		x.sourcePort(value)
	case "srcintf":
		b.Str(event.ObserverIngressInterfaceName, value)
	case "srcmac":
		x.mac(event.SourceMAC, value)
	case "srccountry":
		fortiWord(x, event.SourceGeoCountryName, value)
	case "dstip", "locip":
		x.destination(value)
	case "dstport":
		x.destinationPort(value)
	case "dstintf":
		b.Str(event.ObserverEgressInterfaceName, value)
	case "dstmac":
		x.mac(event.DestinationMAC, value)
	case "dstcountry":
		fortiWord(x, event.DestinationGeoCountryName, value)
	case "transip":
		fortiIP(x, event.SourceNATIP, value)
	case "transport":
		fortiPort(x, event.SourceNATPort, value)
	case "tranip":
		fortiIP(x, event.DestinationNATIP, value)
	case "tranport":
		fortiPort(x, event.DestinationNATPort, value)
	case "proto":
		x.transport(value)
	case "service":
		b.Str(event.NetworkProtocol, lower(value))
	case "app":
		b.Str(event.NetworkApplication, lower(value))
	case "policyid":
		b.Str(event.RuleID, value)
	case "policyname":
		b.Str(event.RuleName, value)
	case "poluuid":
		b.Str(event.RuleUuid, value)
	case "sentbyte":
		x.num(event.SourceBytes, value)
	case "rcvdbyte":
		x.num(event.DestinationBytes, value)
	case "sentpkt":
		x.num(event.SourcePackets, value)
	case "rcvdpkt":
		x.num(event.DestinationPackets, value)
	case "duration":
		if n, ok := atoi(value); ok && n < 1<<33 {
			b.Int(event.EventDuration, n*1e9)
		}
	case "user", "unauthuser":
		if key == "user" || !b.Has(event.UserName) {
			x.user(value)
		}
	case "group":
		fortiWord(x, event.UserGroupName, value)
	case "reason":
		if value != "none" {
			b.Str(event.EventReason, value)
		}
	default:
		f.content(x, key, value)
	}
}

// content sets the fields of the utm logs, and of the rest what has no ECS name.
func (f *fortiGate) content(x *line, key, value string) {
	b := x.b
	switch key {
	case "hostname":
		x.urlDomain(value)
		if hostname(value) {
			b.Str(event.DestinationDomain, value)
		}
	case "url":
		x.requestTarget(value)
	case "httpmethod":
		x.method(value)
	case "agent":
		b.Str(event.UserAgentOriginal, value)
	case "referralurl":
		x.referrer(value)
	case "attack":
		b.Str(event.RuleName, value)
	case "attackid":
		b.Str(event.RuleID, value)
	case "catdesc":
		b.Str(event.RuleCategory, value)
	case "profile":
		b.Str(event.RuleRuleset, value)
	case "filename":
		b.Str(event.FileName, value)
	case "qname":
		b.Str(event.DNSQuestionName, value)
	case "qtype":
		b.Str(event.DNSQuestionType, value)
	case "tunneltype":
		f.tunnel = value
		b.Extra("fortinet.tunneltype", value)
	default:
		x.senderExtra("fortinet.", key, value)
	}
}

// fortiWord sets a field unless the device says that it has no value.
func fortiWord(x *line, id event.FieldID, value string) {
	if value != "N/A" && value != "Reserved" {
		x.b.Str(id, value)
	}
}

func fortiIP(x *line, id event.FieldID, value string) {
	if a, ok := address(value); ok && !a.IsUnspecified() {
		x.b.IP(id, a)
		x.relIP(a)
	}
}

func fortiPort(x *line, id event.FieldID, value string) {
	if p, ok := port(value); ok && p > 0 {
		x.b.Int(id, p)
	}
}

// fortiSeverity is the syslog number of a level, -1 for an unknown word.
func fortiSeverity(level string) int64 {
	for i, l := range [...]string{"emergency", "alert", "critical", "error", "warning", "notice", "information",
		"debug"} {
		if level == l {
			return int64(i)
		}
	}
	return -1
}

// classify says what happened.
func (f *fortiGate) classify(x *line) {
	b := x.b
	switch f.direction {
	case "incoming", "inbound":
		b.Str(event.NetworkDirection, "inbound")
	case "outgoing", "outbound":
		b.Str(event.NetworkDirection, "outbound")
	}
	x.str(event.EventAction, f.action)
	switch f.typ {
	case "traffic":
		f.traffic(x)
	case "utm":
		f.utm(x)
	default:
		f.event(x)
	}
}

// fortiDenied tells whether an action means that the device let nothing through.
func fortiDenied(action string) bool {
	switch lower(action) {
	case "deny", "denied", "block", "blocked", "drop", "dropped", "reject", "reset", "reset_client", "reset_server",
		"drop_session", "clear_session", "quarantine", "ip-conn", "dns", "violation", "blocked-ssl":
		return true
	}
	return false
}

func (f *fortiGate) traffic(x *line) {
	switch lower(f.action) {
	case "":
		x.verdictIs("", "info", "")
	case "start":
		x.b.Strs(event.EventCategory, "network")
		x.b.Strs(event.EventType, "connection", "start", "allowed")
		x.b.Str(event.EventOutcome, success)
	case "accept", "close", "timeout", "client-rst", "server-rst", "pass", "permit":
		x.b.Strs(event.EventCategory, "network")
		x.b.Strs(event.EventType, "connection", "end", "allowed")
		x.b.Str(event.EventOutcome, success)
	default:
		if fortiDenied(f.action) {
			x.verdictIs(f.action, "denied", failure)
		} else {
			x.verdictIs(f.action, "info", "")
		}
	}
}

func (f *fortiGate) utm(x *line) {
	category := "network"
	switch f.subtype {
	case "ips", "anomaly", "waf":
		category = "intrusion_detection"
	case "virus":
		category = "malware"
	case "webfilter":
		category = "web"
	case "emailfilter":
		category = "email"
	case "file-filter", "dlp":
		category = "file"
	}
	typ, outcome := "info", ""
	if fortiDenied(f.action) {
		typ, outcome = "denied", failure
	} else if a := lower(f.action); a == "pass" || a == "passthrough" || a == "permit" || a == "allow" {
		typ, outcome = "allowed", success
	}
	if category == "malware" || category == "email" || category == "file" {
		typ = "info" // ECS allows these no verdict; the outcome has it
	}
	x.classify(category, typ, f.action, outcome)
}

func (f *fortiGate) event(x *line) {
	action, desc := lower(f.action), lower(f.logdesc)
	outcome := fortiOutcome(f.status, desc, action)
	switch {
	case strings.HasPrefix(action, "ssl-login-fail"), strings.HasPrefix(action, "ssl-new-con-fail"):
		x.classify("authentication", "start", f.action, failure)
	case action == "login" || strings.Contains(desc, "login") || action == "authentication" ||
		strings.HasPrefix(action, "auth-logon"):
		x.classify("authentication", "start", f.action, outcome)
	case action == "logout" || strings.Contains(desc, "logout") || action == "auth-logout":
		x.classify("authentication", "end", f.action, outcome)
	case action == "tunnel-up":
		// An SSL VPN tunnel comes up when somebody has logged in.
		x.b.Strs(event.EventCategory, "session", "network")
		x.b.Strs(event.EventType, "start")
		x.b.Str(event.EventOutcome, success)
	case action == "tunnel-down":
		x.b.Strs(event.EventCategory, "session", "network")
		x.b.Strs(event.EventType, "end")
	case action == "add" || action == "edit" || action == "delete" || action == "move":
		if outcome == "" {
			outcome = success
		}
		typ := "change"
		if action == "add" {
			typ = "creation"
		} else if action == "delete" {
			typ = "deletion"
		}
		x.classify("configuration", typ, f.action, outcome)
	case strings.Contains(desc, "log") && (strings.Contains(desc, "clear") || strings.Contains(desc, "delete")):
		x.classify("configuration", "deletion", "log_cleared", success)
	case f.subtype == "vpn":
		x.classify("network", "info", f.action, outcome)
	default:
		x.classify("host", "info", f.action, outcome)
	}
}

// fortiOutcome reads the outcome from the status, else from the description.
func fortiOutcome(status, desc, action string) string {
	switch {
	case strings.HasPrefix(lower(status), "succ"):
		return success
	case strings.HasPrefix(lower(status), "fail"), strings.Contains(lower(status), "error"):
		return failure
	case strings.Contains(desc, "fail"), strings.Contains(action, "fail"):
		return failure
	case strings.Contains(desc, "success"):
		return success
	}
	return ""
}
