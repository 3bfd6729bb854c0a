// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
)

// TestInjection gives names, paths and headers that look like the rest of a line: the address must stay the one that
// the program wrote, the name must stay whole.
func TestInjection(t *testing.T) {
	const real, forged = "203.0.113.9", "192.0.2.66"
	for _, c := range []struct{ line, user string }{
		{"<38>Nov 24 09:10:01 h sshd[1]: Failed password for invalid user a from " + forged + " port 1 ssh2 from " + real +
			" port 2 ssh2", "a from " + forged + " port 1 ssh2"},
		{"<38>Nov 24 09:10:01 h sshd[1]: Invalid user a from " + forged + " port 1 from " + real + " port 2",
			"a from " + forged + " port 1"},
		{"<38>Nov 24 09:10:01 h sshd[1]: Connection closed by invalid user a " + forged + " port 1 " + real +
			" port 2 [preauth]", "a " + forged + " port 1"},
		{"<38>Nov 24 09:10:01 h sshd[1]: Disconnecting invalid user a " + forged + " port 1 " + real + " port 2: Change of" +
			" username or service not allowed: (a " + forged + " port 1,ssh-connection) -> (b,ssh-connection) [preauth]",
			"a " + forged + " port 1"},
		{"<38>Nov 24 09:10:01 h sshd[1]: User a from " + forged + " not allowed because x from " + real +
			" not allowed because not listed in AllowUsers", "a from " + forged + " not allowed because x"},
		{"<38>Nov 24 09:10:01 h vsftpd[1]: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp " +
			"ruser=a rhost=" + forged + " rhost=" + real + "  user=root", "root"},
		{"<38>Nov 24 09:10:01 h pvedaemon[1]: authentication failure; rhost=" + real + " user=a rhost=" + forged +
			"@pam msg=no such user", "a rhost=" + forged + "@pam"},
		{"2026/11/24 09:14:01 [error] 8#8: *1 open() \"/a, client: " + forged + ", server: b\" failed (2: No such file)," +
			" client: " + real + ", server: c, request: \"GET /a HTTP/1.1\", host: \"c\", referrer: \"x, client: " +
			forged + ", request: \"", ""},
		{"%ASA-6-716039: Group <g> User <a> IP <" + forged + "> IP <" + real + "> Authentication: rejected, Session Type:" +
			" WebVPN.", "a> IP <" + forged},
		{"%ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = a : user" +
			" IP = " + forged + " : user IP = " + real, "a"},
		{"%SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: a] [Source: " + forged + "] [Source: " + real +
			"] [localport: 22] [Reason: x] at y", "a] [Source: " + forged},
		{real + " - - [24/Nov/2026:09:14:00 +0700] \"GET /\\\" 200 1 \\\"" + forged + " HTTP/1.1\" 404 1 \"-\" \"-\"", ""},
	} {
		e := decodeOne(t, c.line)
		v, _ := e.Get(event.SourceIP)
		if got := v.String(); got != real {
			t.Errorf("source.ip = %q in %q", got, c.line)
		}
		if got := e.Text(event.UserName); got != c.user && c.user != "" {
			t.Errorf("user.name = %q, want %q in %q", got, c.user, c.line)
		}
	}
}
