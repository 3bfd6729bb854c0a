// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"net/netip"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/decoders/syslog"
	"github.com/haidang-soc/haidang/internal/event"
)

// The outcomes of ECS.
const (
	success = "success"
	failure = "failure"
	unknown = "unknown"
)

// line is one message on its way through the content decoders. Its strings alias the raw bytes (or their NFC form) and
// must not be kept: the Builder copies what it is given.
type line struct {
	b    *event.Builder
	m    *Meta
	head syslog.Header
	msg  string // what follows the header
	app  string // process name as the header gives it, without a path
	bare bool   // the header was empty: msg is the whole line

	took string // name of the decoder that took the line
	why  string // and what made it

	ips              [4]netip.Addr
	users, hosts     [4]string
	nip, nuser, nhst int
	listed           int

	set      *Set   // counts the names that senders choose
	buf, key []byte // scratch for decoded text, and for names
}

// reset forgets the previous message but keeps the scratch memory. Field by field, since clearing the whole line costs
// more than decoding a short message; what the counters do not reach is never read.
func (x *line) reset() {
	if cap(x.buf) > 64<<10 {
		x.buf = nil
	}
	x.buf, x.key = x.buf[:0], x.key[:0]
	x.msg, x.app, x.took, x.why = "", "", "", ""
	x.bare = false
	x.nip, x.nuser, x.nhst, x.listed = 0, 0, 0, 0
}

// product names who speaks: event.module and event.dataset.
func (x *line) product(module, dataset string) {
	x.b.Str(event.EventModule, module)
	x.b.Str(event.EventDataset, dataset)
}

// classify sets one category, one type, the action and the outcome; an empty word sets nothing.
func (x *line) classify(category, typ, action, outcome string) {
	if category != "" {
		x.b.Strs(event.EventCategory, category)
	}
	if typ != "" {
		x.b.Strs(event.EventType, typ)
	}
	x.str(event.EventAction, action)
	x.str(event.EventOutcome, outcome)
}

// str sets a field unless v is empty.
func (x *line) str(id event.FieldID, v string) {
	if v != "" {
		x.b.Str(id, v)
	}
}

// num sets a whole number from its text; anything else is not a number and sets nothing.
func (x *line) num(id event.FieldID, v string) {
	if n, ok := atoi(v); ok {
		x.b.Int(id, n)
	}
}

// extra sets a vendor's field unless v is empty.
func (x *line) extra(key, v string) {
	if v != "" {
		x.b.Extra(key, v)
	}
}

// maxSenderNames bounds the names that senders may choose for haidang.extra and have registered, for the whole process:
// a hostile one must not fill the table of fields (8,192 names) that everybody shares.
const maxSenderNames = 4096

// senderExtra is extra for a key that the sender chose. Of one key said twice the first value stays. Once there is no
// room for names, key=value goes into the list haidang.extra.
func (x *line) senderExtra(prefix, key, value string) {
	if value == "" || key == "" {
		return
	}
	x.key = append(append(append(x.key[:0], "haidang.extra."...), prefix...), key...)
	id, ok := event.Lookup(view(x.key))
	if !ok && (x.set == nil || x.set.names.Load() < maxSenderNames) {
		if x.set != nil {
			x.set.names.Add(1)
		}
		id, ok = event.Intern(string(x.key))
	}
	switch {
	case !ok:
		x.list(event.HaidangExtra, string(x.key[len("haidang.extra."):])+"="+value)
	case !x.b.Has(id):
		x.b.Str(id, value)
	}
}

// maxListed bounds what one message may add to lists: each addition copies the list.
const maxListed = 64

// list adds a value to a list field; beyond maxListed values it stays in event.original only.
func (x *line) list(id event.FieldID, value string) {
	if x.listed++; x.listed <= maxListed {
		x.b.Append(id, value)
	}
}

// user sets user.name.
func (x *line) user(name string) {
	if name != "" {
		x.b.Str(event.UserName, name)
		x.relUser(name)
	}
}

// target sets user.target.name: the account that is acted upon.
func (x *line) target(name string) {
	if name != "" {
		x.b.Str(event.UserTargetName, name)
		x.relUser(name)
	}
}

// effective sets user.effective.name: whom the user acts as.
func (x *line) effective(name string) {
	if name != "" {
		x.b.Str(event.UserEffectiveName, name)
		x.relUser(name)
	}
}

// source sets the sending end from its text: an address, else a host name.
func (x *line) source(s string) bool {
	if a, ok := address(s); ok {
		x.sourceIP(a)
		return true
	}
	if hostname(s) {
		x.b.Str(event.SourceDomain, s)
		x.relHost(s)
	}
	return false
}

// destination sets the receiving end from its text: an address, else a host name.
func (x *line) destination(s string) bool {
	if a, ok := address(s); ok {
		x.destinationIP(a)
		return true
	}
	if hostname(s) {
		x.b.Str(event.DestinationDomain, s)
		x.relHost(s)
	}
	return false
}

func (x *line) sourceIP(a netip.Addr) {
	x.b.IP(event.SourceIP, a)
	x.relIP(a)
}

func (x *line) destinationIP(a netip.Addr) {
	x.b.IP(event.DestinationIP, a)
	x.relIP(a)
}

// sourcePort and destinationPort set a port from its text.
func (x *line) sourcePort(s string) {
	if p, ok := port(s); ok {
		x.b.Int(event.SourcePort, p)
	}
}

func (x *line) destinationPort(s string) {
	if p, ok := port(s); ok {
		x.b.Int(event.DestinationPort, p)
	}
}

// transport sets network.transport from a name or an IP protocol number, and network.iana_number from a number.
func (x *line) transport(s string) {
	if n, ok := atoi(s); ok {
		if n > 255 {
			return
		}
		x.b.Str(event.NetworkIANANumber, s)
		s = event.Transport(uint8(n))
	}
	if s != "" && len(s) < 24 {
		x.b.Str(event.NetworkTransport, lower(s))
	}
}

// at sets @timestamp from the content, where that is more exact than the header.
func (x *line) at(t time.Time) {
	x.b.Time(event.Timestamp, t.UnixNano())
}

// zone is the zone of times that name none.
func (x *line) zone() *time.Location {
	if x.m.Zone != nil {
		return x.m.Zone
	}
	return defaultZone
}

func (x *line) relIP(a netip.Addr) {
	for i := 0; i < x.nip; i++ {
		if x.ips[i] == a {
			return
		}
	}
	if x.nip < len(x.ips) {
		x.ips[x.nip] = a
		x.nip++
	}
}

func (x *line) relUser(s string) { x.nuser = addUnique(&x.users, x.nuser, s) }
func (x *line) relHost(s string) { x.nhst = addUnique(&x.hosts, x.nhst, s) }

func addUnique(list *[4]string, n int, s string) int {
	for i := 0; i < n; i++ {
		if list[i] == s {
			return n
		}
	}
	if n < len(list) {
		list[n] = s
		n++
	}
	return n
}

// finish writes what was gathered over the whole line.
func (x *line) finish() {
	if x.nip > 0 {
		x.b.IPs(event.RelatedIP, x.ips[:x.nip]...)
	}
	if x.nuser > 0 {
		x.b.Strs(event.RelatedUser, x.users[:x.nuser]...)
	}
	if x.nhst > 0 {
		x.b.Strs(event.RelatedHosts, x.hosts[:x.nhst]...)
	}
}

// hostname tells whether s may be the name of a host.
func hostname(s string) bool {
	if len(s) == 0 || len(s) > 253 || s == "-" || s == "?" {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c|0x20-'a' <= 25 || c-'0' <= 9 || c == '.' || c == '-' || c == '_' || c >= 0x80) {
			return false
		}
	}
	return strings.Trim(s, ".-") != ""
}

// setPort sets a port unless it is negative.
func (x *line) setPort(id event.FieldID, p int64) {
	if p >= 0 {
		x.b.Int(id, p)
	}
}
