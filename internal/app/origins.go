// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/haidang-soc/haidang/internal/app/config"
)

// origins know the time zone and encoding of senders.
type origins struct {
	zone *time.Location
	rows []originRow // longest prefix first
}

type originRow struct {
	network  netip.Prefix
	zone     *time.Location
	encoding string
	stated   bool // the zone stands in the configuration
}

func newOrigins(c *config.Config) *origins {
	o := &origins{zone: location(c.TimeZone)}
	for _, x := range c.Origins {
		p, err := config.Network(x.Address)
		if err != nil {
			continue // the configuration was checked
		}
		zone := o.zone
		if x.TimeZone != "" {
			zone = location(x.TimeZone)
		}
		o.rows = append(o.rows, originRow{p, zone, x.Encoding, x.TimeZone != ""})
	}
	slices.SortStableFunc(o.rows, func(a, b originRow) int { return cmp.Compare(b.network.Bits(), a.network.Bits()) })
	return o
}

// location returns a zone whose name the configuration's check has accepted.
func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

func (o *origins) of(_ string, peer netip.Addr) (*time.Location, string) {
	for i := range o.rows {
		if o.rows[i].network.Contains(peer) {
			return o.rows[i].zone, o.rows[i].encoding
		}
	}
	return o.zone, ""
}

// fixed tells whether the configuration states the zone of a sender.
func (o *origins) fixed(peer netip.Addr) bool {
	for i := range o.rows {
		if o.rows[i].network.Contains(peer) {
			return o.rows[i].stated
		}
	}
	return false
}

// relayNetworks are the addresses of hosts that pass on what others say.
func relayNetworks(c *config.Config) (list []netip.Prefix) {
	for _, r := range c.Relays {
		if p, err := config.Network(r); err == nil { // else the configuration's check has refused it
			list = append(list, p)
		}
	}
	return list
}

// strict tells which listeners take RFC 5424 and RFC 3164 only.
func strict(c *config.Config) func(listener string) bool {
	var names []string
	for _, x := range c.Collectors {
		if x.Syslog != nil && x.Syslog.Parser == "strict" {
			names = append(names, x.Syslog.Name)
		}
	}
	return func(listener string) bool { return slices.Contains(names, listener) }
}

// Relays tells which addresses, as text, pass on what others say.
func Relays(c *config.Config) func(ip string) bool {
	known := relays(c)
	return func(ip string) bool {
		a, err := netip.ParseAddr(ip)
		return err == nil && known != nil && known(a)
	}
}

// relays tells which addresses pass on what others say; nil when there are none.
func relays(c *config.Config) func(netip.Addr) bool {
	list := relayNetworks(c)
	if len(list) == 0 {
		return nil
	}
	return func(a netip.Addr) bool {
		return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
	}
}
