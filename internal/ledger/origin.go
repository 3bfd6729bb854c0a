// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

const (
	maxDecoders = 8 // that an origin is counted by
	// A rhythm is judged after so many pauses over so long; an origin is silent when it says nothing for so many times
	// its longest usual pause, and at least for silentLeast.
	rhythmPauses = 100
	rhythmSpan   = time.Hour
	silentTimes  = 4
	silentLeast  = 15 * time.Minute
	// forget is over which the longest usual pause fades, in seconds: about half of it a day.
	forget = 125_000
)

// know keeps how the origin is reached.
func (o *origin) know(e event.Event) {
	if o.Addr == "" {
		if v, ok := e.Get(event.ObserverIP); ok {
			o.Addr = v.At(0).String()
		}
	}
	if o.Site == "" {
		o.Site = strings.Clone(e.Text(event.HaidangSite))
	}
	if o.Host == "" {
		o.Host = strings.Clone(e.Text(event.HostName))
	}
}

// heard notes an event by its arrival and its own time, unix ns.
func (o *origin) heard(at, claimed int64) {
	if o.LastSeen != 0 && at > o.LastSeen {
		gap := float64(at-o.LastSeen) / 1e9
		o.Usual = max(gap, o.Usual-o.Usual*min(gap/forget, 1))
		o.Pauses++
	}
	if at > o.LastSeen {
		o.LastSeen = at
		o.Silent = false
	}
	if claimed != 0 {
		off := float64(claimed-at) / 1e9
		if o.Accepted <= 1 {
			o.Skew = off
		} else {
			o.Skew += (off - o.Skew) / 32
		}
	}
}

// decoder counts what the origin's lines were decoded by.
func (o *origin) decoder(name string, e event.Event) {
	if name == "" {
		name = e.Text(event.EventDataset)
	}
	if name == "" {
		return
	}
	if !o.Decoders.has(name) {
		name = strings.Clone(name)
	}
	o.Decoders.add(name, 1)
}

// silence returns how long the origin has been silent against its own rhythm, 0 when it is not. began is when this
// process began to read, now the stream's time.
func (o *origin) silence(began, now int64) time.Duration {
	from := max(o.LastSeen, began)
	if o.Pauses < rhythmPauses || o.LastSeen-o.First < int64(rhythmSpan) {
		return 0
	}
	quiet := time.Duration(now - from)
	if quiet < silentLeast || quiet.Seconds() < silentTimes*o.Usual {
		return 0
	}
	return quiet
}

// products are what the decoders' names say of a sender, for people.
var products = map[string]string{
	"sshd": "máy chủ Linux", "sudo": "máy chủ Linux", "pam": "máy chủ Linux", "systemd": "máy chủ Linux",
	"kernel": "máy chủ Linux", "cron": "máy chủ Linux", "account": "máy chủ Linux", "audit": "máy chủ Linux (auditd)",
	"asa": "tường lửa Cisco ASA", "ios": "thiết bị mạng Cisco IOS", "fortigate": "tường lửa FortiGate",
	"filterlog": "tường lửa pfSense/OPNsense", "access": "máy chủ web (nginx, Apache)", "weberror": "máy chủ web",
	"cef": "thiết bị gửi CEF", "netflow.flow": "thiết bị gửi NetFlow/IPFIX",
}

// looksLike guesses the product from the decoder that took most of the lines.
func (o *origin) looksLike() string {
	best, n := "", uint64(0)
	for _, t := range o.Decoders {
		if t.count > n || t.count == n && t.name < best {
			best, n = t.name, t.count
		}
	}
	switch {
	case best == "":
		return "chưa rõ"
	case products[best] != "":
		return products[best] + " (" + best + ")"
	}
	return best
}
