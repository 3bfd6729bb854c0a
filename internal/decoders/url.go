// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/internal/event"
)

// requestTarget sets the URL of a request. url.path is the target as sent, the query included, for that is what web
// rules and log analysts have always matched on; haidang.url.path is the path alone and haidang.url.query the query
// alone, both decoded (once) and in NFC, so that one spelling matches every way of writing it.
func (x *line) requestTarget(s string) {
	if s == "" {
		return
	}
	x.b.Str(event.URLPath, s)
	path, query, hasQuery := strings.Cut(s, "?")
	if i := strings.Index(path, "://"); i > 0 && i < 12 && path[0] != '/' {
		// The absolute form, which proxies get: the path begins after the authority.
		x.b.Str(event.URLScheme, path[:i])
		rest := path[i+3:]
		path = "/"
		if j := strings.IndexByte(rest, '/'); j >= 0 {
			rest, path = rest[:j], rest[j:]
		}
		x.urlDomain(rest)
	}
	x.decoded(event.HaidangURLPath, path, false)
	if hasQuery {
		x.str(event.URLQuery, query)
		x.decoded(event.HaidangURLQuery, query, true)
	}
}

// urlDomain sets url.domain and url.port from "host[:port]".
func (x *line) urlDomain(host string) {
	if i := strings.LastIndexByte(host, ':'); i > 0 && strings.IndexByte(host, ']') < i {
		if p, ok := port(host[i+1:]); ok {
			x.b.Int(event.URLPort, p)
			host = host[:i]
		}
	}
	if host != "" && host != "-" {
		x.b.Str(event.URLDomain, host)
		if hostname(host) {
			x.relHost(host)
		}
	}
}

// decoded sets a field to s with its percent-encoding and \xNN undone, in NFC.
func (x *line) decoded(id event.FieldID, s string, plus bool) {
	x.buf = unescape(x.buf[:0], s, plus)
	x.b.Bytes(id, x.clean(s))
}

// clean returns x.buf as valid UTF-8 in NFC; was is the text before, already known to be valid.
func (x *line) clean(was string) []byte {
	if len(x.buf) == len(was) {
		return x.buf // nothing was decoded, and was is in NFC
	}
	if !utf8.Valid(x.buf) {
		x.buf = []byte(strings.ToValidUTF8(string(x.buf), "\uFFFD"))
	}
	if !norm.NFC.IsNormal(x.buf) {
		x.buf = norm.NFC.Bytes(x.buf)
	}
	return x.buf
}

// logText undoes the escapes of a web server's logger, \xNN and \" \\ \n \r \t, in a field that is not a URL. The
// result is valid until the next use of x.buf.
func (x *line) logText(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	x.buf = x.buf[:0]
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			x.buf = append(x.buf, s[i])
			continue
		}
		if c, ok := hexByte(s[i:], 'x'); ok {
			x.buf = append(x.buf, c)
			i += 3
			continue
		}
		i++
		switch s[i] {
		case 'n':
			x.buf = append(x.buf, '\n')
		case 'r':
			x.buf = append(x.buf, '\r')
		case 't':
			x.buf = append(x.buf, '\t')
		case '"', '\\':
			x.buf = append(x.buf, s[i])
		default:
			x.buf = append(x.buf, '\\', s[i])
		}
	}
	return view(x.clean(s))
}

// unescape appends s to dst with %NN and \xNN replaced by their bytes, and + by a space where plus is set.
func unescape(dst []byte, s string, plus bool) []byte {
	for {
		i := 0
		for i < len(s) && s[i] != '%' && s[i] != '\\' && (s[i] != '+' || !plus) {
			i++
		}
		dst = append(dst, s[:i]...)
		if i == len(s) {
			return dst
		}
		n := 1
		switch {
		case s[i] == '+':
			dst = append(dst, ' ')
		case s[i] == '%' && len(s)-i >= 3 && unhex(s[i+1])|unhex(s[i+2]) < 16:
			dst = append(dst, unhex(s[i+1])<<4|unhex(s[i+2]))
			n = 3
		default:
			c, ok := hexByte(s[i:], 'x')
			if n = 4; !ok {
				c, n = s[i], 1
			}
			dst = append(dst, c)
		}
		s = s[i+n:]
	}
}

// hexByte reads "\xNN".
func hexByte(s string, mark byte) (byte, bool) {
	if len(s) < 4 || s[0] != '\\' || s[1] != mark {
		return 0, false
	}
	hi, lo := unhex(s[2]), unhex(s[3])
	return hi<<4 | lo, hi|lo < 16
}

// unhex returns the value of a hexadecimal digit, 255 for any other byte.
func unhex(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case c|0x20-'a' <= 5:
		return c | 0x20 - 'a' + 10
	}
	return 255
}
