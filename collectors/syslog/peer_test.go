// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"net"
	"os"
	"os/exec"
	"testing"

	header "github.com/haidang-soc/haidang/internal/decoders/syslog"
	"github.com/haidang-soc/haidang/internal/event"
)

// TestPeerLogger: util-linux's logger over every transport and format that it speaks.
func TestPeerLogger(t *testing.T) {
	logger, err := exec.LookPath("logger")
	if err != nil {
		if os.Getenv("PEERS") == "install" {
			t.Fatal("logger is missing: install bsdutils")
		}
		t.Skip("logger is missing: apt-get install bsdutils")
	}
	const text = "Đăng nhập thất bại từ 203.0.113.9"
	rfc5424 := []string{"--rfc5424", "--msgid", "ID47", "--sd-id", "ex@32473", "--sd-param", `k="v"`}
	for _, c := range []struct {
		name   string
		tcp    bool
		args   []string
		format header.Format
	}{
		{"udp, RFC 3164", false, []string{"-d", "--rfc3164"}, header.FormatBSD},
		{"udp, RFC 5424", false, append([]string{"-d"}, rfc5424...), header.FormatRFC5424},
		{"tcp by line, RFC 3164", true, []string{"-T", "--rfc3164"}, header.FormatBSD},
		{"tcp by line, RFC 5424", true, append([]string{"-T"}, rfc5424...), header.FormatRFC5424},
		{"tcp by octets, RFC 3164", true, []string{"-T", "--octet-count", "--rfc3164"}, header.FormatBSD},
		{"tcp by octets, RFC 5424", true, append([]string{"-T", "--octet-count"}, rfc5424...), header.FormatRFC5424},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := &memory{}
			l := start(t, Config{UDP: []string{"127.0.0.1:0"}, TCP: []string{"127.0.0.1:0"}}, out)
			i := 0
			if c.tcp {
				i = 1
			}
			_, port, err := net.SplitHostPort(l.Addrs()[i].String())
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"-n", "127.0.0.1", "-P", port, "-p", "authpriv.warning", "-t", "sshd", "--id=77"}, c.args...)
			if b, err := exec.Command(logger, append(args, text)...).CombinedOutput(); err != nil {
				t.Fatalf("logger: %v: %s", err, b)
			}
			out.wait(t, "the message", func() bool { return len(out.originals()) == 1 })
			raw, _ := out.events()
			if _, cut := raw[0].Get(event.HaidangTruncated); cut {
				t.Error("the message is marked as truncated")
			}
			h, err := header.Parse([]byte(out.originals()[0]), header.Options{})
			if err != nil || h.Format != c.format || h.Priority != 10<<3|4 || string(h.AppName) != "sshd" ||
				string(h.ProcID) != "77" || string(h.Message) != text || !h.TimeClaimed || h.Hostname == nil {
				t.Errorf("%q is read as %+v, %v", out.originals()[0], h, err)
			}
			if c.format != header.FormatRFC5424 {
				return
			}
			params := map[string]string{}
			header.EachParam(h.Structured, func(id, name, value []byte) bool {
				params[string(id)+"."+string(name)] = string(value)
				return true
			})
			if string(h.MsgID) != "ID47" || params["ex@32473.k"] != "v" || params["timeQuality.tzKnown"] != "1" {
				t.Errorf("msgid %q, structured data %v", h.MsgID, params)
			}
		})
	}
}
