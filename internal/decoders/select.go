// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// fallback is the decoder of what no other takes; byName the reason of those chosen by the process name.
const (
	fallback = "syslog"
	byName   = "name"
)

// decoder is one row of the table below. A decoder is chosen by the process name in the header, else by what the text
// holds: test returns why the text is its own, or "".
type decoder struct {
	name   string
	apps   []string
	test   func(x *line) string
	decode func(x *line) bool
}

// known is the decoders, in the order their tests are tried. The order matters where one text passes two tests: the
// more exact mark comes first, key=value and JSON, which any product may write, come last.
var known = [...]decoder{
	{name: "sshd", apps: []string{"sshd", "sshd-session", "sshd-auth"}, decode: decodeSSHD},
	{name: "sudo", apps: []string{"sudo"}, decode: decodeSudo},
	{name: "su", apps: []string{"su"}, decode: decodeSu},
	{name: "account", apps: []string{"useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "gpasswd",
		"passwd", "chpasswd", "chage", "newusers", "adduser"}, decode: decodeAccount},
	{name: "cron", apps: []string{"CRON", "cron", "crond", "crontab", "anacron"}, decode: decodeCron},
	{name: "systemd", apps: []string{"systemd"}, decode: decodeSystemd},
	{name: "logind", apps: []string{"systemd-logind", "elogind-daemon"}, decode: decodeLogind},
	{name: "kernel", apps: []string{"kernel"}, decode: decodeKernel},
	{name: "netfilter", test: testNetfilter, decode: decodeNetfilter},
	{name: "nginx.error", test: testNginxError, decode: decodeNginxError},
	{name: "apache.error", test: testApacheError, decode: decodeApacheError},
	{name: "web.access", test: testAccess, decode: decodeAccess},
	{name: "pam", test: testPAM, decode: decodePAM},
	{name: "cisco.asa", test: testASA, decode: decodeASA},
	{name: "cisco.ios", test: testIOS, decode: decodeIOS},
	{name: "filterlog", apps: []string{"filterlog"}, decode: decodeFilterlog},
	{name: "auditd", test: testAudit, decode: decodeAudit},
	{name: "cef", test: testCEF, decode: decodeCEF},
	{name: "fortigate", test: testFortiGate, decode: decodeFortiGate},
	{name: "json", test: testJSON, decode: decodeJSON},
	{name: "keyvalue", test: testKeyValue, decode: decodeKeyValue},
}

// content lets the decoders have the message: the one that the process name says, else the first whose test passes.
func (s *Set) content(x *line) {
	x.unfold()
	if d := s.byApp[x.app]; d != nil && x.app != "" {
		x.took, x.why = d.name, byName
		if d.decode(x) {
			return
		}
	}
	for i := range known {
		d := &known[i]
		if d.test == nil {
			continue
		}
		if why := d.test(x); why != "" {
			x.took, x.why = d.name, why
			if d.decode(x) {
				return
			}
		}
	}
	x.took, x.why = fallback, ""
	x.b.Str(event.EventDataset, "syslog")
}

// unfold takes the message out of "message repeated 3 times: [ TEXT]", into which rsyslog folds equal ones.
func (x *line) unfold() {
	rest, ok := strings.CutPrefix(x.msg, "message repeated ")
	if !ok {
		return
	}
	count, rest := word(rest)
	rest, ok = strings.CutPrefix(rest, "times: [ ")
	if !ok || !numeric(count) || !strings.HasSuffix(rest, "]") {
		return
	}
	x.extra("repeated", count)
	x.msg = rest[:len(rest)-1]
}
