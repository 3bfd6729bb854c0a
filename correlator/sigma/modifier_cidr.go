// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"net/netip"
	"strings"
)

// modifierCIDR matches the addresses of a network, IPv4 or IPv6. A single address is a network of one.
func modifierCIDR(b *itemBuilder) error {
	if err := b.become(AtomCIDR); err != nil {
		return err
	}
	for _, v := range b.values {
		if v.kind != scalarText {
			return v.refuse("needs a network such as 10.0.0.0/8, not %s", v.what())
		}
		text := v.text
		if !strings.Contains(text, "/") {
			if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
				text = netip.PrefixFrom(a, a.BitLen()).String()
			}
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return v.refuse("%q is not a network such as 10.0.0.0/8", oneLine(v.text))
		}
		if p != p.Masked() {
			return v.refuse("%s has bits set after its length; did you mean %s?", p, p.Masked())
		}
		v.atoms = []Atom{{Kind: AtomCIDR, Prefix: unmap(p)}}
	}
	return nil
}

// unmap writes a network of IPv4 addresses in IPv6 as one of IPv4, as addresses in events are.
func unmap(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}
