// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package story

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Flow is one flow that a router of the story exports.
type Flow struct {
	Src, Dst         netip.Addr
	SrcPort, DstPort uint16
	Protocol         uint8
	Bytes, Packets   uint64
	Start, End       time.Time
}

// Exporter writes NetFlow v9 (RFC 3954) as a router does: its template first, then again every 20 datagrams.
type Exporter struct {
	Boot     time.Time
	Domain   uint32
	sequence uint32
}

// MaxFlows is how many flows one datagram holds.
const MaxFlows = 25

// template: addresses, ports, protocol, 64-bit counters, first and last switched.
var template = [...][2]uint16{{8, 4}, {12, 4}, {7, 2}, {11, 2}, {4, 1}, {1, 8}, {2, 8}, {22, 4}, {21, 4}}

const templateID = 260

// Datagram returns an export datagram of at most MaxFlows flows, sent at now.
func (x *Exporter) Datagram(now time.Time, flows []Flow) []byte {
	be := binary.BigEndian
	count := len(flows)
	p := be.AppendUint16(nil, 9)
	p = be.AppendUint16(p, 0)
	p = be.AppendUint32(p, uint32(now.Sub(x.Boot).Milliseconds()))
	p = be.AppendUint32(p, uint32(now.Unix()))
	p = be.AppendUint32(p, x.sequence)
	p = be.AppendUint32(p, x.Domain)
	if x.sequence%20 == 0 {
		count++
		p = be.AppendUint16(p, 0)
		p = be.AppendUint16(p, uint16(8+4*len(template)))
		p = be.AppendUint16(p, templateID)
		p = be.AppendUint16(p, uint16(len(template)))
		for _, f := range template {
			p = be.AppendUint16(p, f[0])
			p = be.AppendUint16(p, f[1])
		}
	}
	x.sequence++
	be.PutUint16(p[2:], uint16(count))
	if len(flows) == 0 {
		return p
	}
	start := len(p)
	p = be.AppendUint16(p, templateID)
	p = be.AppendUint16(p, 0)
	for _, f := range flows {
		src, dst := f.Src.As4(), f.Dst.As4()
		p = append(p, src[:]...)
		p = append(p, dst[:]...)
		p = be.AppendUint16(p, f.SrcPort)
		p = be.AppendUint16(p, f.DstPort)
		p = append(p, f.Protocol)
		p = be.AppendUint64(p, f.Bytes)
		p = be.AppendUint64(p, f.Packets)
		p = be.AppendUint32(p, uint32(f.Start.Sub(x.Boot).Milliseconds()))
		p = be.AppendUint32(p, uint32(f.End.Sub(x.Boot).Milliseconds()))
	}
	for (len(p)-start)%4 != 0 {
		p = append(p, 0)
	}
	be.PutUint16(p[start+2:], uint16(len(p)-start))
	return p
}
