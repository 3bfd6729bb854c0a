// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// op says what a field's value means, whatever number the exporter's dialect gives it.
type op uint8

const (
	ignore op = iota
	bytesDelta
	packetsDelta
	bytesTotal
	packetsTotal
	bytesOut
	packetsOut
	bytesInitiator
	bytesResponder
	packetsInitiator
	packetsResponder
	bytesReverse
	packetsReverse
	protocol
	tos
	tcpFlags
	srcPort
	dstPort
	srcIP
	dstIP
	nextHop
	srcMask
	dstMask
	inIf
	outIf
	scopeIf
	srcAS
	dstAS
	srcMAC
	dstMAC
	vlan
	direction
	icmpTypeCode
	icmpType
	icmpCode
	samplingInterval
	packetInterval
	packetSpace
	samplerID
	ifName
	natSrc
	natDst
	natSrcPort
	natDstPort
	endReason
	application
	user
	firstUptime
	lastUptime
	startSec
	endSec
	startMS
	endMS
	startNTP
	endNTP
	startDelta
	endDelta
	bootMS
	duration
	observedMS
	observedSec
)

// fieldOp maps an IANA IPFIX information element, which NetFlow v9 field types share below 128.
func fieldOp(id uint16) op {
	if int(id) < len(fieldOps) {
		return fieldOps[id]
	}
	return ignore
}

var fieldOps = [...]op{
	1: bytesDelta, 2: packetsDelta, 4: protocol, 5: tos, 6: tcpFlags, 7: srcPort, 8: srcIP, 9: srcMask, 10: inIf,
	11: dstPort, 12: dstIP, 13: dstMask, 14: outIf, 15: nextHop, 16: srcAS, 17: dstAS, 18: nextHop, 21: lastUptime,
	22: firstUptime, 23: bytesOut, 24: packetsOut, 27: srcIP, 28: dstIP, 29: srcMask, 30: dstMask, 32: icmpTypeCode,
	34: samplingInterval, 48: samplerID, 50: samplingInterval, 56: srcMAC, 57: dstMAC, 58: vlan, 61: direction,
	62: nextHop, 80: dstMAC, 82: ifName, 83: ifName, 85: bytesTotal, 86: packetsTotal, 96: application,
	136: endReason, 139: icmpTypeCode, 150: startSec, 151: endSec, 152: startMS, 153: endMS, 154: startNTP,
	155: endNTP, 156: startNTP, 157: endNTP, 158: startDelta, 159: endDelta, 160: bootMS, 161: duration,
	176: icmpType, 177: icmpCode, 178: icmpType, 179: icmpCode, 180: srcPort, 181: dstPort, 182: srcPort, 183: dstPort,
	225: natSrc, 226: natDst, 227: natSrcPort, 228: natDstPort, 231: bytesInitiator, 232: bytesResponder,
	243: vlan, 252: inIf, 253: outIf, 281: natSrc, 282: natDst, 298: packetsInitiator, 299: packetsResponder,
	302: samplerID, 305: packetInterval, 306: packetSpace, 322: observedSec, 323: observedMS, 371: user,
}

// reverseOp maps the fields of the other direction, RFC 5103.
func reverseOp(id uint16) op {
	switch id {
	case 1, 85:
		return bytesReverse
	case 2, 86:
		return packetsReverse
	}
	return ignore
}

// scopeOp maps the scopes of a NetFlow v9 options template, RFC 3954 section 6.1: only interfaces matter.
func scopeOp(id uint16) op {
	if id == 2 {
		return scopeIf
	}
	return ignore
}

// apply puts a value, of at least one byte, into the flow.
func (o op) apply(f *Flow, p []byte) {
	c := &f.counters
	switch o {
	case bytesDelta, packetsDelta:
		c.delta[o-bytesDelta], c.has = number(p), c.has|hasDelta
	case bytesTotal, packetsTotal:
		c.total[o-bytesTotal], c.has = number(p), c.has|hasTotal
	case bytesOut, packetsOut:
		c.out[o-bytesOut], c.has = number(p), c.has|hasOut
	case bytesInitiator:
		c.initiator[0], c.has = number(p), c.has|hasInitiator
	case packetsInitiator:
		c.initiator[1], c.has = number(p), c.has|hasInitiator
	case bytesResponder:
		c.responder[0], c.has = number(p), c.has|hasResponder
	case packetsResponder:
		c.responder[1], c.has = number(p), c.has|hasResponder
	case bytesReverse, packetsReverse:
		c.reverse[o-bytesReverse], c.has = number(p), c.has|hasReverse
	case protocol:
		f.Protocol, f.HasProtocol = uint8(number(p)), true
	case tos:
		f.TOS = uint8(number(p))
	case tcpFlags:
		f.TCPFlags = uint16(number(p))
	case srcPort:
		f.SrcPort |= uint16(number(p))
	case dstPort:
		f.DstPort |= uint16(number(p))
	case srcIP:
		address(&f.Src, p)
	case dstIP:
		address(&f.Dst, p)
	case nextHop:
		address(&f.NextHop, p)
	case natSrc:
		address(&f.NATSrc, p)
	case natDst:
		address(&f.NATDst, p)
	default:
		o.applyRest(f, p)
	}
}

func (o op) applyRest(f *Flow, p []byte) {
	switch o {
	case srcMask:
		f.SrcMask = uint8(number(p))
	case dstMask:
		f.DstMask = uint8(number(p))
	case inIf, scopeIf:
		f.InIf = uint32(number(p))
	case outIf:
		f.OutIf = uint32(number(p))
	case srcAS:
		f.SrcAS = uint32(number(p))
	case dstAS:
		f.DstAS = uint32(number(p))
	case srcMAC:
		copy(f.SrcMAC[:], p)
	case dstMAC:
		copy(f.DstMAC[:], p)
	case vlan:
		f.VLAN = uint16(number(p))
	case direction:
		f.Direction = int8(number(p) & 1)
	case icmpTypeCode:
		n := uint16(number(p))
		f.ICMPType, f.ICMPCode, f.HasICMP = uint8(n>>8), uint8(n), f.HasICMP || n != 0
	case icmpType:
		f.ICMPType, f.HasICMP = uint8(number(p)), true
	case icmpCode:
		f.ICMPCode = uint8(number(p))
	case samplingInterval:
		f.Sampling = uint32(number(p))
	case samplerID:
		f.sampler = number(p)
	case ifName:
		f.InName = text(p)
	case natSrcPort:
		f.NATSrcPort = uint16(number(p))
	case natDstPort:
		f.NATDstPort = uint16(number(p))
	case endReason:
		f.EndReason = uint8(number(p))
	case application:
		f.Application = text(p)
	case user:
		f.User = text(p)
	default:
		f.clock.apply(o, p)
	}
}

// address keeps the first address that says something: templates may carry an empty IPv6 pair beside an IPv4 one.
func address(dst *netip.Addr, p []byte) {
	var a netip.Addr
	switch len(p) {
	case 4:
		a = ip4(p)
	case 16:
		a = netip.AddrFrom16([16]byte(p)).Unmap()
	default:
		return
	}
	if !dst.IsValid() || dst.IsUnspecified() && !a.IsUnspecified() {
		*dst = a
	}
}

// text reads a name: up to its first zero byte, at most 128 bytes, whole characters.
func text(p []byte) string {
	s := string(p[:min(len(p), 128)])
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	s = strings.TrimSpace(s)
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
