// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package decoders turns one log message into the ECS fields of one event. Which product wrote a message is read from
// the message itself: the process name of its header, else a mark in its text. Users configure nothing here.
//
// The rule of the package: a decoder never loses and never believes. event.original keeps the bytes as sent, what a
// decoder does not know stays in message, and a field that a sender may write freely (a user name, a URL, a JSON
// member) cannot become haidang.*, observer.ip or a time of ours. A decoder that answers false has set nothing. A
// decoder that panics costs its own event only: Writer recovers and keeps the line as a pipeline_error.
package decoders

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haidang-soc/haidang/internal/decoders/syslog"
	"github.com/haidang-soc/haidang/internal/decoders/text"
	"github.com/haidang-soc/haidang/internal/event"
)

// Limits of one event, in bytes. The whole event stays below MaxEvent: the original, the message and the fields, of
// which the last two are read from the first MaxDecoded bytes only.
const (
	MaxEvent    = 256 << 10
	MaxOriginal = 128 << 10
	MaxDecoded  = 48 << 10
)

// maxSkew is how far ahead of its arrival a message may claim to be.
const maxSkew = 5 * time.Minute

// defaultZone is the zone of times that name none: Asia/Ho_Chi_Minh, which has had no summer time since 1975.
var defaultZone = time.FixedZone("+07", 7*60*60)

// Config is what a Set needs to know; its zero value works.
type Config struct {
	// Strict parses syslog headers with the RFC library alone (DESIGN section 10, parser: strict).
	Strict bool
	// Retention bounds the age that a message may claim; 0 means 730 days, the longest class there is.
	Retention time.Duration
}

// Meta is what is known about a message beside its bytes.
type Meta struct {
	Peer     netip.Addr     // who sent it; the zero Addr where that is not known
	Site     string         // haidang.site
	Listener string         // haidang.listener
	Format   string         // "syslog", or "" for a line whose format is not known; both are tried alike
	Received time.Time      // when it was read; the zero Time means now
	Zone     *time.Location // of times that name none; nil means Asia/Ho_Chi_Minh
	Encoding string         // see internal/decoders/text; "" means UTF-8
	Strict   bool           // parses the header as Config.Strict does

	zones *Zones // guesses the zone of senders; nil guesses none
	agent string // agent.id
}

// Set is the decoders of this program. It is safe for concurrent use; it neither blocks nor keeps what it is given.
type Set struct {
	cfg   Config
	byApp map[string]*decoder
	lines sync.Pool
	names atomic.Int64 // that senders have had registered
}

// New returns the Set.
func New(cfg Config) *Set {
	if cfg.Retention <= 0 {
		cfg.Retention = 730 * 24 * time.Hour
	}
	s := &Set{cfg: cfg, byApp: make(map[string]*decoder, 64)}
	s.lines.New = func() any { return new(line) }
	for i := range known {
		for _, app := range known[i].apps {
			s.byApp[app] = &known[i]
		}
	}
	return s
}

// Decode fills the event that is being built in b: event.original, the times, who speaks, and the fields of the
// decoder that takes the message. It does not begin or end the event. raw is not kept. A message that the syslog
// header parser refuses becomes event.kind pipeline_error. It panics only if a decoder has a bug: Writer recovers.
func (s *Set) Decode(b *event.Builder, raw []byte, m *Meta) {
	x := s.lines.Get().(*line)
	x.reset()
	x.b, x.m, x.set = b, m, s
	s.decode(x, raw)
	s.lines.Put(x)
}

// Explanation says which decoder took a message and why.
type Explanation struct {
	Decoder string // as in haidang.decoder
	Why     string // one sentence for people
	Header  string // the grammar of the header
}

// Explain decodes raw into an event that is thrown away and tells how.
func (s *Set) Explain(raw []byte, m *Meta) Explanation {
	b := event.NewBuilder("explain", 0)
	b.Begin(0, 0)
	return s.explain(b, raw, m)
}

// explain is Decode with the Explanation.
func (s *Set) explain(b *event.Builder, raw []byte, m *Meta) Explanation {
	x := new(line)
	x.b, x.m, x.set = b, m, s
	s.decode(x, raw)
	return Explanation{Decoder: x.took, Why: x.because(), Header: x.headerName()}
}

func (s *Set) decode(x *line, raw []byte) {
	b, m := x.b, x.m
	received := m.Received
	if received.IsZero() {
		received = time.Now()
	}
	s.envelope(x, raw, received)
	if len(raw) > MaxDecoded {
		raw = raw[:MaxDecoded]
		b.Bool(event.HaidangTruncated, true)
	}
	out, bad, err := text.Recode(m.Encoding, raw)
	if err == nil && m.Encoding != "" && m.Encoding != text.UTF8 {
		b.Str(event.HaidangEncoding, m.Encoding)
	}
	if bad > 0 {
		b.Extra("invalid_bytes", strconv.Itoa(bad))
	}
	if why := bareLine(view(out)); why != "" {
		x.bare = true
		x.head = syslog.Header{Priority: -1, Time: received.UnixNano(), Message: bytes.TrimRight(out, "\r\n\x00")}
		x.rezone(received)
	} else {
		x.head, err = syslog.Parse(out, syslog.Options{Received: received, Zone: m.Zone, Strict: s.cfg.Strict || m.Strict})
		if err != nil {
			b.Time(event.Timestamp, received.UnixNano())
			Unusable(b, err)
			x.took, x.why = "none", "the syslog header is unusable: "+err.Error()
			return
		}
		if zone := x.rezone(received); zone != nil {
			x.head, _ = syslog.Parse(out, syslog.Options{Received: received, Zone: zone, Strict: s.cfg.Strict || m.Strict})
		}
		x.bare = x.head.Format == syslog.FormatNone || x.head.Format == syslog.FormatKeyValue
	}
	b.Str(event.EventKind, "event")
	x.msg = view(x.head.Message)
	s.header(x)
	s.content(x)
	x.finish()
	b.Str(event.HaidangDecoder, x.took)
	s.clamp(b, received)
	if b.EventSize() > MaxEvent {
		s.shrink(x, received)
	}
}

// envelope sets what does not depend on the content.
func (s *Set) envelope(x *line, raw []byte, received time.Time) {
	b, m := x.b, x.m
	if len(raw) > MaxOriginal {
		raw = raw[:MaxOriginal]
		b.Bool(event.HaidangTruncated, true)
	}
	b.Bytes(event.EventOriginal, raw)
	if !b.Has(event.EventCreated) {
		b.Time(event.EventCreated, received.UnixNano())
	}
	if m.Peer.IsValid() && !b.Has(event.ObserverIP) {
		b.IPs(event.ObserverIP, m.Peer)
	}
	if m.Site != "" {
		b.Str(event.HaidangSite, m.Site)
	}
	if m.Listener != "" {
		b.Str(event.HaidangListener, m.Listener)
	}
}

// header sets the fields of the syslog header.
func (s *Set) header(x *line) {
	h := &x.head
	h.Fields(x.b)
	if host := view(h.Hostname); host != "" {
		x.relHost(host)
	}
	x.app = base(view(h.AppName))
}

// clamp keeps @timestamp within what the stores keep, and the claim beside it.
func (s *Set) clamp(b *event.Builder, received time.Time) {
	v, _ := b.Get(event.Timestamp)
	claimed, now := v.Time(), received.UnixNano()
	if claimed > now+int64(maxSkew) || claimed < now-int64(s.cfg.Retention) {
		b.Time(event.HaidangTimeClaimed, claimed)
		b.Time(event.Timestamp, now)
	}
}

// shrink builds an event that has grown beyond MaxEvent once more, without what its decoder said.
func (s *Set) shrink(x *line, received time.Time) {
	b := x.b
	at, _ := b.Get(event.Timestamp)
	created, _ := b.Get(event.EventCreated)
	observer, _ := b.Get(event.ObserverIP)
	ip := observer.At(0).IP()
	id := b.ID()
	original := []byte(b.Text(event.EventOriginal)) // a copy: Begin frees its memory
	b.Begin(0, 0)
	b.SetID(id)
	b.Time(event.EventCreated, created.Time())
	b.IPs(event.ObserverIP, ip)
	s.envelope(x, original, received)
	b.Str(event.EventKind, "event")
	b.Bool(event.HaidangTruncated, true)
	if len(x.msg) > MaxDecoded {
		x.msg = x.msg[:MaxDecoded]
	}
	s.header(x)
	b.Time(event.Timestamp, at.Time())
	b.Str(event.EventDataset, "syslog")
	b.Str(event.HaidangDecoder, x.took)
}

// Unusable marks the event that is being built as a pipeline_error with the given reason. What the event has stays.
func Unusable(b *event.Builder, err error) {
	b.Str(event.EventKind, "pipeline_error")
	b.Str(event.EventDataset, "haidang.pipeline")
	b.Str(event.ErrorMessage, err.Error())
}

// because returns the sentence of Explanation.Why.
func (x *line) because() string {
	switch {
	case x.took == fallback:
		return "no decoder knows the process name or the content; the message is kept whole"
	case x.why == byName:
		return fmt.Sprintf("the process name is %q", x.app)
	}
	return x.why
}

// headerName names the grammar of the header.
func (x *line) headerName() string {
	switch x.head.Format {
	case syslog.FormatRFC5424:
		return "RFC 5424"
	case syslog.FormatBSD:
		return "BSD (RFC 3164 and its dialects)"
	case syslog.FormatCisco:
		return "Cisco"
	case syslog.FormatKeyValue:
		return "key=value"
	}
	return "none"
}
