// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

func testAudit(x *line) string {
	s := x.msg[:min(len(x.msg), 160)]
	if i := strings.Index(s, "type="); i >= 0 && strings.Contains(s[i:], " msg=audit(") &&
		(i == 0 || strings.HasPrefix(s, "node=")) {
		return "the message holds type= and msg=audit( of the Linux audit system"
	}
	return ""
}

// decodeAudit takes one record of the Linux audit system, "type=T msg=audit(SECONDS:SERIAL): key=value ...", as auditd
// writes it or a plugin forwards it. The records of one event stay apart; they share event.sequence.
func decodeAudit(x *line) bool {
	_, s, ok := strings.Cut(x.msg, "type=")
	if !ok {
		return false
	}
	typ, s := word(s)
	stamp, s, ok := strings.Cut(strings.TrimPrefix(s, "msg=audit("), ")")
	if !ok || !upper(typ) {
		return false
	}
	seconds, serial, _ := strings.Cut(stamp, ":")
	whole, fraction, _ := strings.Cut(seconds, ".")
	n, ok1 := atoi(whole)
	ms, ok2 := atoi(fraction)
	if !ok1 || len(whole) > 11 || len(fraction) != 3 || !ok2 {
		return false
	}
	x.product("auditd", "auditd.log")
	x.at(time.Unix(n, ms*1e6))
	x.num(event.EventSequence, serial)
	x.b.Str(event.EventCode, typ)
	s = strings.TrimPrefix(s, ": ")
	a := audit{x: x, typ: typ}
	if i := strings.Index(s, "msg='"); i >= 0 {
		// What a program of user space says, in quotes and with its own pairs.
		a.pairs(s[:i])
		a.pairs(strings.TrimSuffix(strings.TrimRight(s[i+5:], " "), "'"))
	} else {
		a.pairs(s)
	}
	a.finish()
	return true
}

// audit is what one record tells while it is read.
type audit struct {
	x       *line
	typ     string
	outcome string
	args    []byte
}

func (a *audit) pairs(s string) {
	x := a.x
	for range maxPairs {
		key, value, tail, ok := nextPair(s)
		if !ok {
			return
		}
		s = tail
		value = strings.TrimSuffix(value, "'")
		if value == "" || value == "?" || value == "(null)" || value == "4294967295" {
			continue
		}
		switch key {
		case "pid":
			x.num(event.ProcessPID, value)
		case "uid":
			x.b.Str(event.UserID, value)
		case "euid":
			x.b.Str(event.UserEffectiveID, value)
		case "acct":
			x.user(a.text(value))
		case "exe":
			x.b.Str(event.ProcessExecutable, a.text(value))
		case "comm":
			x.b.Str(event.ProcessName, a.text(value))
		case "cwd":
			x.b.Str(event.ProcessWorkingDirectory, a.text(value))
		case "cmd":
			x.b.Str(event.ProcessCommandLine, a.text(value))
		case "proctitle":
			x.b.Str(event.ProcessTitle, a.text(value))
		case "name":
			if a.typ == "PATH" {
				x.b.Str(event.FilePath, a.text(value))
			} else {
				x.extra("audit.name", a.text(value))
			}
		case "addr":
			x.source(value)
		case "hostname":
			if hostname(value) {
				if _, ok := address(value); !ok {
					x.b.Str(event.SourceDomain, value)
				}
			}
		case "unit":
			x.b.Str(event.ServiceName, value)
		case "res", "success":
			a.outcome = auditOutcome(value)
		default:
			if a.typ == "EXECVE" && key[0] == 'a' && numeric(key[1:]) {
				arg := a.text(value)
				x.list(event.ProcessArgs, arg)
				if len(a.args) > 0 {
					a.args = append(a.args, ' ')
				}
				a.args = append(a.args, arg...)
				continue
			}
			x.senderExtra("audit.", key, value)
		}
	}
}

// text decodes a value that the kernel wrote in hexadecimal because it holds spaces or letters beyond ASCII; NUL, which
// parts arguments, becomes a space. It is valid until the next call.
func (a *audit) text(s string) string {
	if len(s) < 4 || len(s)%2 != 0 || s[0] == '/' {
		return s
	}
	letters := false
	for i := 0; i < len(s); i++ {
		if d := unhex(s[i]); d > 15 || s[i] >= 'a' {
			return s
		} else if d > 9 {
			letters = true
		}
	}
	if !letters && len(s) < 8 {
		return s // a number is more likely
	}
	buf := a.x.buf[:0]
	for i := 0; i < len(s); i += 2 {
		c := unhex(s[i])<<4 | unhex(s[i+1])
		if c == 0 {
			c = ' '
		}
		buf = append(buf, c)
	}
	a.x.buf = buf
	return view(a.x.clean(s))
}

func auditOutcome(s string) string {
	switch s {
	case "success", "yes", "1":
		return success
	case "failed", "no", "0":
		return failure
	}
	return ""
}

func (a *audit) finish() {
	if len(a.args) > 0 {
		a.x.b.Bytes(event.ProcessCommandLine, a.args)
	}
	category, typ := "process", "info"
	switch a.typ {
	case "USER_LOGIN", "USER_AUTH":
		category, typ = "authentication", "info" // sshd, su and sudo tell of the attempt themselves
	case "USER_ACCT", "CRED_ACQ", "CRED_REFR", "CRED_DISP", "USER_ERR":
		category = "authentication"
	case "USER_START", "LOGIN":
		category, typ = "session", "start"
	case "USER_END", "USER_LOGOUT":
		category, typ = "session", "end"
	case "ADD_USER", "ADD_GROUP":
		category, typ = "iam", "creation"
	case "DEL_USER", "DEL_GROUP":
		category, typ = "iam", "deletion"
	case "USER_MGMT", "USER_CHAUTHTOK", "GRP_MGMT", "ACCT_LOCK", "ACCT_UNLOCK":
		category, typ = "iam", "change"
	case "SERVICE_START", "EXECVE", "SYSCALL", "USER_CMD":
		typ = "start"
	case "SERVICE_STOP":
		typ = "end"
	case "PATH":
		category, typ = "file", "access"
	case "CONFIG_CHANGE", "DAEMON_CONFIG", "DAEMON_START", "DAEMON_END", "MAC_CONFIG_CHANGE":
		category, typ = "configuration", "change"
	case "AVC", "SECCOMP":
		category = "intrusion_detection"
	}
	a.x.classify(category, typ, lower(a.typ), a.outcome)
}
