// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"fmt"
	"testing"
)

// TestPeerLogger wants what util-linux's logger sends, over each transport and in each format, to be found once, and
// as what it is.
func TestPeerLogger(t *testing.T) {
	logger := need(t, "logger")
	s := serve(t, "  - syslog: {name: udp, listen: \"127.0.0.1:0\", protocol: udp}\n"+
		"  - syslog: {name: tcp, listen: \"127.0.0.1:0\", protocol: tcp}\n", nil)
	new5424 := []string{"--rfc5424", "--msgid", "ID47", "--sd-id", "ex@32473", "--sd-param", `phong="Nội vụ"`}
	for i, c := range []struct {
		name, listener string
		args           []string
		msgid          string
	}{
		{"udp, RFC 3164", "udp", []string{"-d", "--rfc3164"}, ""},
		{"udp, RFC 5424", "udp", append([]string{"-d"}, new5424...), "ID47"},
		{"tcp by line, RFC 3164", "tcp", []string{"-T", "--rfc3164"}, ""},
		{"tcp by octets, RFC 5424", "tcp", append([]string{"-T", "--octet-count"}, new5424...), "ID47"},
	} {
		t.Run(c.name, func(t *testing.T) {
			user := fmt.Sprintf("canbo%d", i)
			args := append([]string{"-n", "127.0.0.1", "-P", s.port(t, c.listener), "-p", "authpriv.info", "-t", "sshd",
				"--id=815"}, c.args...)
			run(t, logger, append(args, "Failed password for "+user+" from 203.0.113.9 port 40022 ssh2")...)
			query := "user.name:" + user
			eventually(t, "the message in the index", func() bool { return len(s.search(t, query)) > 0 })
			list := s.search(t, query)
			if len(list) != 1 {
				t.Fatalf("it is in the index %d times", len(list))
			}
			d := list[0]
			for field, want := range map[string]string{"source.ip": "203.0.113.9", "event.outcome": "failure",
				"process.name": "sshd", "process.pid": "815", "log.syslog.msgid": c.msgid, "haidang.listener": c.listener} {
				if got := d.text(field); got != want {
					t.Errorf("%s is %q, want %q", field, got, want)
				}
			}
			if t.Failed() {
				t.Logf("%v", d)
			}
		})
	}
	s.lossless(t, "udp")
	s.lossless(t, "tcp")
}
