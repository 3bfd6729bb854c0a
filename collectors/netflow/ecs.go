// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"net/netip"
	"strconv"

	"github.com/haidang-soc/haidang/collectors/netflow/flow"
	"github.com/haidang-soc/haidang/internal/event"
)

// put writes a flow into the open event as ECS. Counters are as exported; the sampling rate stands beside them.
func put(b *event.Builder, f *flow.Flow, received int64) {
	b.Str(event.EventKind, "event")
	b.Strs(event.EventCategory, "network")
	b.Strs(event.EventType, "connection")
	b.Str(event.EventAction, "network_flow")
	b.Str(event.EventModule, "netflow")
	b.Str(event.EventDataset, "netflow.flow")
	at := received
	if f.End > 0 {
		at = f.End
	}
	b.Time(event.Timestamp, at)
	b.Time(event.EventCreated, received)
	if f.Start > 0 {
		b.Time(event.EventStart, f.Start)
		b.Time(event.EventEnd, f.End)
		if d := f.End - f.Start; d >= 0 {
			b.Int(event.EventDuration, d)
		}
	}
	b.IP(event.ObserverIP, f.Exporter)
	b.Int(event.HaidangFlowDomain, int64(f.Domain))
	if f.Sampling > 1 {
		b.Int(event.HaidangFlowSampling, int64(f.Sampling))
	}
	putEnds(b, f)
	putNetwork(b, f)
	putObserver(b, f)
}

func putEnds(b *event.Builder, f *flow.Flow) {
	b.IP(event.SourceIP, f.Src)
	b.IP(event.DestinationIP, f.Dst)
	if f.Protocol == 6 || f.Protocol == 17 || f.Protocol == 132 || f.SrcPort != 0 || f.DstPort != 0 {
		b.Int(event.SourcePort, int64(f.SrcPort))
		b.Int(event.DestinationPort, int64(f.DstPort))
	}
	b.Int(event.SourceBytes, counter(f.Bytes))
	b.Int(event.SourcePackets, counter(f.Packets))
	if f.ReplyBytes|f.ReplyPackets != 0 {
		b.Int(event.DestinationBytes, counter(f.ReplyBytes))
		b.Int(event.DestinationPackets, counter(f.ReplyPackets))
	}
	b.IP(event.SourceNATIP, specified(f.NATSrc))
	b.IP(event.DestinationNATIP, specified(f.NATDst))
	positive(b, event.SourceNATPort, uint64(f.NATSrcPort))
	positive(b, event.DestinationNATPort, uint64(f.NATDstPort))
	positive(b, event.SourceAsNumber, uint64(f.SrcAS))
	positive(b, event.DestinationAsNumber, uint64(f.DstAS))
	mac(b, event.SourceMAC, f.SrcMAC)
	mac(b, event.DestinationMAC, f.DstMAC)
	b.Str(event.UserName, f.User)
}

func putNetwork(b *event.Builder, f *flow.Flow) {
	switch {
	case f.Src.Is4() || f.Dst.Is4():
		b.Str(event.NetworkType, "ipv4")
	case f.Src.IsValid():
		b.Str(event.NetworkType, "ipv6")
	}
	if f.HasProtocol {
		b.Str(event.NetworkIANANumber, strconv.Itoa(int(f.Protocol)))
		b.Str(event.NetworkTransport, event.Transport(f.Protocol))
	}
	b.Int(event.NetworkBytes, counter(f.Bytes+f.ReplyBytes))
	b.Int(event.NetworkPackets, counter(f.Packets+f.ReplyPackets))
	b.Str(event.NetworkApplication, f.Application)
	if f.VLAN != 0 {
		b.Str(event.NetworkVLANID, strconv.Itoa(int(f.VLAN)))
	}
	switch f.Direction {
	case 0:
		b.Str(event.NetworkDirection, "ingress")
	case 1:
		b.Str(event.NetworkDirection, "egress")
	}
	if f.HasICMP {
		b.Extra("icmp.type", strconv.Itoa(int(f.ICMPType)))
		b.Extra("icmp.code", strconv.Itoa(int(f.ICMPCode)))
	}
	if f.Protocol == 6 && f.TCPFlags != 0 {
		b.Extra("tcp.flags", flags(f.TCPFlags))
	}
	b.IP(event.HaidangFlowNextHop, specified(f.NextHop))
	b.Str(event.HaidangFlowEndReason, endReason(f.EndReason))
}

func putObserver(b *event.Builder, f *flow.Flow) {
	if f.InIf != 0 {
		b.Str(event.ObserverIngressInterfaceID, strconv.FormatUint(uint64(f.InIf), 10))
	}
	if f.OutIf != 0 {
		b.Str(event.ObserverEgressInterfaceID, strconv.FormatUint(uint64(f.OutIf), 10))
	}
	b.Str(event.ObserverIngressInterfaceName, f.InName)
	b.Str(event.ObserverEgressInterfaceName, f.OutName)
}

// counter fits an exporter's 64-bit count into a number; no true count is that large.
func counter(n uint64) int64 { return int64(min(n, 1<<63-1)) }

func positive(b *event.Builder, id event.FieldID, n uint64) {
	if n != 0 {
		b.Int(id, counter(n))
	}
}

func specified(a netip.Addr) netip.Addr {
	if a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}

// mac writes an address as ECS has it: upper case, with dashes (RFC 7042).
func mac(b *event.Builder, id event.FieldID, m [6]byte) {
	if m == [6]byte{} {
		return
	}
	const digits = "0123456789ABCDEF"
	var s [17]byte
	for i, x := range m {
		s[3*i], s[3*i+1] = digits[x>>4], digits[x&15]
		if i < 5 {
			s[3*i+2] = '-'
		}
	}
	b.Bytes(id, s[:])
}

// endReason names RFC 5102 flowEndReason.
func endReason(r uint8) string {
	switch r {
	case 1:
		return "idle timeout"
	case 2:
		return "active timeout"
	case 3:
		return "end of flow"
	case 4:
		return "forced end"
	case 5:
		return "lack of resources"
	}
	return ""
}

// flags writes TCP flags as letters, in the order of their bits.
func flags(f uint16) string {
	const letters = "FSRPAUEC"
	var s []byte
	for i := range letters {
		if f&(1<<i) != 0 {
			s = append(s, letters[i])
		}
	}
	return string(s)
}
