// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package flow decodes NetFlow v5, NetFlow v9 (RFC 3954) and IPFIX (RFC 7011) export datagrams.
//
// Every size an exporter claims is checked against the bytes it sent before anything is done or allocated for it, and
// everything kept for exporters (templates, data that waits for its template, samplers, names) is bounded. Templates
// belong to exporter, observation domain and id: two exporters never share one. What cannot be decoded is counted by
// reason in Stats, never skipped in silence.
package flow

import (
	"errors"
	"fmt"
	"net/netip"
)

// Flow is one flow record. Fields that the exporter did not send are zero. It is reused for the next record: copy what
// must last.
type Flow struct {
	Exporter netip.Addr
	Domain   uint32 // observation domain, source id, or engine type and id of v5
	Version  uint16 // 5, 9 or 10
	Template uint16

	Src, Dst, NextHop        netip.Addr
	SrcPort, DstPort         uint16
	Protocol                 uint8 // IANA number
	HasProtocol              bool
	TCPFlags                 uint16
	TOS                      uint8
	ICMPType, ICMPCode       uint8
	HasICMP                  bool
	Bytes, Packets           uint64 // as exported: multiply by Sampling for an estimate
	ReplyBytes, ReplyPackets uint64 // of the other direction, where one record tells both
	Start, End               int64  // unix ns, 0 when unknown
	InIf, OutIf              uint32
	InName, OutName          string
	SrcAS, DstAS             uint32
	SrcMAC, DstMAC           [6]byte
	SrcMask, DstMask         uint8
	VLAN                     uint16
	Direction                int8   // 0 ingress, 1 egress, -1 unknown
	Sampling                 uint32 // one packet in Sampling was seen; 0 or 1 when all were
	NATSrc, NATDst           netip.Addr
	NATSrcPort, NATDstPort   uint16
	EndReason                uint8 // RFC 5102 flowEndReason, 0 unknown
	Application, User        string

	sampler  uint64
	counters counters
	clock    times
}

// counters keeps the several ways exporters count, until the record is complete.
type counters struct {
	delta, total, out, initiator, responder, reverse [2]uint64 // bytes, packets
	has                                              uint8
}

const (
	hasDelta uint8 = 1 << iota
	hasTotal
	hasOut
	hasInitiator
	hasResponder
	hasReverse
)

// settle chooses among the counters: what passed in, else running totals, else what the initiator sent, else what
// went out.
func (f *Flow) settle() {
	c := &f.counters
	switch {
	case c.has&hasDelta != 0:
		f.Bytes, f.Packets = c.delta[0], c.delta[1]
	case c.has&hasTotal != 0:
		f.Bytes, f.Packets = c.total[0], c.total[1]
	case c.has&hasInitiator != 0:
		f.Bytes, f.Packets = c.initiator[0], c.initiator[1]
	case c.has&hasOut != 0:
		f.Bytes, f.Packets = c.out[0], c.out[1]
	}
	switch {
	case c.has&hasResponder != 0:
		f.ReplyBytes, f.ReplyPackets = c.responder[0], c.responder[1]
	case c.has&hasReverse != 0:
		f.ReplyBytes, f.ReplyPackets = c.reverse[0], c.reverse[1]
	}
	if f.Protocol == 1 || f.Protocol == 58 {
		if !f.HasICMP && f.DstPort != 0 {
			f.ICMPType, f.ICMPCode, f.HasICMP = uint8(f.DstPort>>8), uint8(f.DstPort), true
		}
		f.SrcPort, f.DstPort = 0, 0
	}
}

// Reason says why bytes were not decoded; Stats counts by it.
type Reason uint8

// The reasons.
const (
	TooShort       Reason = iota // less than a header
	UnknownVersion               // neither 5, 9 nor 10
	Truncated                    // claims more records or sets than it holds
	BadTemplate                  // a template that cannot be: no bytes, too many fields
	NoTemplate                   // data whose template never came, or came too late
	TooMany                      // more exporters, domains or templates than are kept
	reasons
)

var reasonNames = [reasons]string{"too_short", "unknown_version", "truncated", "bad_template", "no_template",
	"too_many"}

// String returns the reason as the metric's label has it.
func (r Reason) String() string { return reasonNames[r] }

// Reasons yields every reason.
func Reasons(yield func(Reason) bool) {
	for r := range reasons {
		if !yield(r) {
			return
		}
	}
}

// Error says which exporter sent what cannot be decoded.
type Error struct {
	Exporter netip.Addr
	Reason   Reason
	Detail   string
}

// Error names exporter, reason and detail.
func (e *Error) Error() string {
	return fmt.Sprintf("flow: exporter %s: %s: %s", e.Exporter, e.Reason, e.Detail)
}

// Stats counts since the Decoder was made.
type Stats struct {
	Datagrams, Flows, Templates, Options uint64
	Waiting                              uint64 // sets that wait for their template now
	Failed                               [reasons]uint64
	Lost                                 uint64 // units the exporters' sequence numbers say are missing
	Late, Restarts                       uint64
}

var errShort = errors.New("short")

func u16(p []byte) uint16 { return uint16(p[0])<<8 | uint16(p[1]) }
func u32(p []byte) uint32 { return uint32(u16(p))<<16 | uint32(u16(p[2:])) }

// number reads a big-endian unsigned integer of 1 to 8 bytes: exporters may send fewer than the field's own size.
func number(p []byte) (n uint64) {
	for _, b := range p[:min(len(p), 8)] {
		n = n<<8 | uint64(b)
	}
	return n
}
