// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

func testCEF(x *line) string {
	if i := strings.Index(x.msg[:min(len(x.msg), 64)], "CEF:"); i >= 0 && strings.Count(x.msg[i:], "|") >= 7 {
		return "the message holds CEF: and its seven bars"
	}
	return ""
}

// decodeCEF takes ArcSight's Common Event Format: "CEF:V|VENDOR|PRODUCT|VERSION|ID|NAME|SEVERITY|key=value ...", where
// a value goes on to the last space before the next key.
func decodeCEF(x *line) bool {
	_, rest, ok := strings.Cut(x.msg, "CEF:")
	if !ok {
		return false
	}
	var head [7]string
	for i := range head {
		end := -1
		for j := 0; j < len(rest); j++ {
			if rest[j] == '\\' {
				j++
			} else if rest[j] == '|' {
				end = j
				break
			}
		}
		if end < 0 {
			return false
		}
		head[i], rest = rest[:end], rest[end+1:]
	}
	x.product("cef", "cef")
	x.str(event.ObserverVendor, cefText(head[1]))
	x.str(event.ObserverProduct, cefText(head[2]))
	x.str(event.ObserverVersion, cefText(head[3]))
	x.str(event.EventCode, cefText(head[4]))
	x.str(event.RuleName, cefText(head[5]))
	if n, ok := atoi(head[6]); ok {
		x.b.Int(event.EventSeverity, n)
	} else {
		x.str(event.LogLevel, lower(head[6]))
	}
	for range maxPairs {
		key, value, tail, ok := cefPair(rest)
		if !ok {
			break
		}
		rest = tail
		switch key {
		case "request":
			x.requestTarget(cefText(value))
		case "requestMethod":
			x.method(value)
		case "requestClientApplication":
			x.str(event.UserAgentOriginal, cefText(value))
		case "dhost":
			x.urlDomain(value)
		case "shost":
			x.source(value)
		case "dvchost":
			x.str(event.ObserverName, value)
		case "in":
			x.num(event.DestinationBytes, value)
		case "out":
			x.num(event.SourceBytes, value)
		case "fname":
			x.str(event.FileName, cefText(value))
		case "cn1", "cn2", "cn3", "cs1", "cs2", "cs3", "cs4", "cs5", "cs6":
			x.extra("cef."+key, cefText(value))
		default:
			if alias(lower(key)) != 0 {
				x.named(key, cefText(value))
			} else {
				x.senderExtra("cef.", key, cefText(value))
			}
		}
	}
	x.infer()
	return true
}

// cefPair reads the next pair: the value ends before the space in front of the next "key=".
func cefPair(s string) (key, value, rest string, ok bool) {
	s = strings.TrimLeft(s, " ")
	key, s, ok = strings.Cut(s, "=")
	if !ok || key == "" || len(key) > 64 || strings.IndexByte(key, ' ') >= 0 {
		return "", "", "", false
	}
	for i, space := 0, -1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ' ':
			space = i
		case '=':
			if space >= 0 {
				return key, s[:space], s[space+1:], true
			}
		}
	}
	return key, s, "", true
}

// cefText undoes the escapes \| \= \\ \n.
func cefText(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return strings.TrimRight(s, " ")
	}
	return strings.NewReplacer(`\|`, "|", `\=`, "=", `\\`, `\`, `\n`, "\n", `\r`, "\r").Replace(s)
}
