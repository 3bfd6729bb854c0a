// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// decodeFilterlog takes the packet log of pfSense and OPNsense: fields between commas, rule, sub-rule, anchor, tracker,
// interface, reason, action, direction, IP version, then those of the version and of the protocol.
func decodeFilterlog(x *line) bool {
	var f [32]string
	n := 0
	for rest, ok := x.msg, true; ok && n < len(f); n++ {
		f[n], rest, ok = strings.Cut(rest, ",")
	}
	if n < 9 {
		return false
	}
	// Offsets of protocol number, protocol name and source address by IP version.
	var number, name, src int
	switch f[8] {
	case "4":
		number, name, src = 15, 16, 18
	case "6":
		number, name, src = 13, 12, 15
	default:
		return false
	}
	if n < src+2 {
		return false
	}
	x.product("pfsense", "pfsense.filterlog")
	x.b.Str(event.ObserverType, "firewall")
	x.b.Str(event.ObserverProduct, "pfSense")
	x.str(event.RuleID, f[0])
	x.extra("pfsense.tracker", f[3])
	iface := event.ObserverIngressInterfaceName
	if f[7] == "out" {
		iface = event.ObserverEgressInterfaceName
		x.b.Str(event.NetworkDirection, "egress")
	} else {
		x.b.Str(event.NetworkDirection, "ingress")
	}
	x.str(iface, f[4])
	x.str(event.EventReason, f[5])
	x.b.Str(event.NetworkType, family(f[8] == "4"))
	if numeric(f[number]) {
		x.b.Str(event.NetworkIANANumber, f[number])
	}
	x.str(event.NetworkTransport, lower(f[name]))
	x.source(f[src])
	x.destination(f[src+1])
	if t := lower(f[name]); (t == "tcp" || t == "udp") && n >= src+4 {
		x.sourcePort(f[src+2])
		x.destinationPort(f[src+3])
	}
	x.num(event.NetworkBytes, f[src-1])
	x.verdict(f[6])
	return true
}
