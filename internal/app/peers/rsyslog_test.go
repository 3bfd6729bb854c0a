// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// dossiers is how many lines rsyslog sends.
const dossiers = 2000

// dossier is the text of line n: distinct, in Vietnamese, every third one decomposed, as some systems write it.
func dossier(n int) string {
	s := fmt.Sprintf("hồ sơ HS-%06d của công dân Nguyễn Thị Ánh đã được tiếp nhận tại Trung tâm phục vụ hành chính công",
		n)
	if n%3 == 0 {
		return norm.NFD.String(s)
	}
	return s
}

// TestPeerRsyslog wants every line that Debian's rsyslogd reads from a file and forwards to be found exactly once.
func TestPeerRsyslog(t *testing.T) {
	rsyslogd := need(t, "rsyslogd")
	t.Run("udp", func(t *testing.T) {
		forward(t, rsyslogd, `protocol: udp`, "", `protocol="udp" template="RSYSLOG_TraditionalForwardFormat"`)
	})
	t.Run("tcp-octet-counted", func(t *testing.T) {
		forward(t, rsyslogd, `protocol: tcp`, "",
			`protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"`)
	})
	t.Run("tls", func(t *testing.T) {
		if list, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_ossl.so"); len(list) == 0 {
			missing(t, "rsyslog's module lmnsd_ossl (package rsyslog-openssl) is missing")
		}
		pki := newPKI(t)
		forward(t, rsyslogd,
			fmt.Sprintf("protocol: tls, certificate: %q, key: %q, client_ca: %q", pki.path("server.pem"),
				pki.path("server.key"), pki.path("ca.pem")),
			fmt.Sprintf(`DefaultNetstreamDriverCAFile="%s" DefaultNetstreamDriverCertFile="%s"`+
				` DefaultNetstreamDriverKeyFile="%s"`, pki.path("ca.pem"), pki.path("client.pem"), pki.path("client.key")),
			`protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" StreamDriver="ossl"`+
				` StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="server"`)
	})
}

// forward lets rsyslogd read a file and forward it to a listener with the given options.
func forward(t *testing.T, rsyslogd, listener, global, action string) {
	s := serve(t, fmt.Sprintf("  - syslog: {name: main, listen: \"127.0.0.1:0\", %s}\n", listener), nil)
	port := s.port(t, "main")
	dir := t.TempDir()
	var lines strings.Builder
	for n := range dossiers {
		lines.WriteString(dossier(n) + "\n")
	}
	write(t, filepath.Join(dir, "hoso.log"), lines.String())
	write(t, filepath.Join(dir, "rsyslog.conf"), fmt.Sprintf(`
global(workDirectory="%[1]s" localHostname="mot-cua-01" %[3]s)
module(load="imfile" mode="polling" pollingInterval="1")
input(type="imfile" File="%[1]s/hoso.log" Tag="mot-cua[4711]:" Severity="info" Facility="local3")
action(type="omfwd" target="127.0.0.1" port="%[2]s" action.resumeRetryCount="-1" %[4]s)
`, dir, port, global, action))
	conf := filepath.Join(dir, "rsyslog.conf")
	run(t, rsyslogd, "-N1", "-f", conf)
	start(t, exec.Command(rsyslogd, "-n", "-f", conf, "-i", filepath.Join(dir, "pid")))

	const query = `process.name:"mot-cua"`
	eventually(t, "the last line in the index", func() bool { return len(s.search(t, query)) >= dossiers })
	number := regexp.MustCompile(`HS-(\d{6})`)
	seen := make([]int, dossiers)
	for _, d := range s.search(t, query) {
		m := number.FindStringSubmatch(d.text("message"))
		if m == nil {
			t.Fatalf("a message without number: %v", d)
		}
		n, _ := strconv.Atoi(m[1])
		if n >= dossiers {
			t.Fatalf("number %d was never sent", n)
		}
		seen[n]++
		if got, want := d.text("message"), norm.NFC.String(dossier(n)); got != want {
			t.Errorf("line %d: the message is %q, want %q", n, got, want)
		}
		if !strings.HasSuffix(d.text("event.original"), dossier(n)) {
			t.Errorf("line %d: event.original is %q", n, d.text("event.original"))
		}
		if d.text("host.name") != "mot-cua-01" || d.text("process.pid") != "4711" {
			t.Errorf("line %d: host %q, process %q", n, d.text("host.name"), d.text("process.pid"))
		}
		if t.Failed() {
			t.Fatalf("the event is %v", d)
		}
	}
	for n, times := range seen {
		if times != 1 {
			t.Errorf("line %d is in the index %d times", n, times)
		}
	}
	if got := len(s.search(t, `ho so tiep nhan`)); got != dossiers {
		t.Errorf("full text without diacritics finds %d", got)
	}
	if got := s.counts(t, "main")["accepted_total"]; got < dossiers || got > dossiers+10 { // and rsyslog's own few
		t.Errorf("%v messages were accepted", got)
	}
	s.lossless(t, "main")
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
