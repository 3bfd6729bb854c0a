// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
)

// fieldsOf is the flat document of a line, without the event's id.
func fieldsOf(t *testing.T, line string) map[string]any {
	t.Helper()
	h, err := Parse([]byte(line), Options{Received: received})
	if err != nil {
		t.Fatal(err)
	}
	b := event.NewBuilder("test", 1)
	b.Begin(0, 0)
	h.Fields(b)
	b.End()
	doc := map[string]any{}
	if err := json.Unmarshal(event.AppendJSON(nil, b.Batch(0, 1).At(0), true), &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "event.id")
	return doc
}

func TestFields(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		expected := map[string]any{}
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		got := fieldsOf(t, line)
		for name, v := range expected {
			if fmt.Sprint(got[name]) != fmt.Sprint(v) {
				t.Errorf("%q: %s is %v, want %v", line, name, got[name], v)
			}
		}
		for name, v := range got {
			if _, ok := expected[name]; !ok {
				t.Errorf("%q: %s is %v, want none", line, name, v)
			}
		}
	}
	f("<86>Nov 24 10:00:00 web1 /usr/sbin/sshd[4321]: Đăng nhập thất bại", `{
		"@timestamp": "2026-11-24T03:00:00.000Z", "message": "Đăng nhập thất bại", "host.name": "web1",
		"log.syslog.hostname": "web1", "log.syslog.appname": "/usr/sbin/sshd", "log.syslog.procid": "4321",
		"log.syslog.priority": 86, "log.syslog.facility.code": 10, "log.syslog.facility.name": "authpriv",
		"log.syslog.severity.code": 6, "log.syslog.severity.name": "informational",
		"process.name": "sshd", "process.executable": "/usr/sbin/sshd", "process.pid": 4321}`)
	f(`<13>1 2026-11-24T03:00:00Z web1 app main ID7 [meta sequenceId="7"][ex@1 k="a\"b"] x`, `{
		"@timestamp": "2026-11-24T03:00:00.000Z", "message": "x", "host.name": "web1",
		"log.syslog.hostname": "web1", "log.syslog.appname": "app", "log.syslog.procid": "main",
		"log.syslog.msgid": "ID7", "log.syslog.version": "1", "process.name": "app",
		"log.syslog.priority": 13, "log.syslog.facility.code": 1, "log.syslog.facility.name": "user",
		"log.syslog.severity.code": 5, "log.syslog.severity.name": "notice",
		"log.syslog.structured_data.meta.sequenceId": "7",
		"haidang.extra": ["log.syslog.structured_data.ex@1.k=a\"b"]}`)
	f("%SYS-3-CPUHOG: no priority", `{"@timestamp": "2026-11-24T03:00:05.000Z", "message": "%SYS-3-CPUHOG: no priority",
		"log.syslog.severity.code": 3, "log.syslog.severity.name": "error"}`)
	f("7: *Mar  1 00:00:00: %SYS-3-CPUHOG: x", `{"@timestamp": "2026-11-24T03:00:05.000Z", "message": "%SYS-3-CPUHOG: x",
		"haidang.time_claimed": "2026-02-28T17:00:00.000Z",
		"log.syslog.severity.code": 3, "log.syslog.severity.name": "error"}`)
}

// TestFieldsAreBounded: a sender cannot make fields without end.
func TestFieldsAreBounded(t *testing.T) {
	var sd strings.Builder
	sd.WriteString("<13>1 - - - - - [x@1")
	for i := range 1000 {
		fmt.Fprintf(&sd, ` p%d="v"`, i)
	}
	sd.WriteString("] text")
	doc := fieldsOf(t, sd.String())
	if n := len(doc["haidang.extra"].([]any)); n != maxParams {
		t.Errorf("%d parameters became extras, want %d", n, maxParams)
	}
	for name := range doc {
		if strings.Contains(name, "x@1") {
			t.Errorf("a sender's name became the field %s", name)
		}
	}
}
