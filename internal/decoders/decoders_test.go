// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// received is the moment every test line arrives at.
var received = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

// decodeOne decodes a line and returns its event.
func decodeOne(t testing.TB, line string) event.Event {
	t.Helper()
	b := event.NewBuilder("test", 1)
	b.Begin(1, 0)
	New(Config{}).Decode(b, []byte(line), &Meta{Received: received})
	b.End()
	return b.Batch(0, 1).At(0)
}

func TestDecodeSSHD(t *testing.T) {
	e := decodeOne(t, "<38>Nov 24 09:09:58 cong-dvc sshd[812]: Failed password for invalid user x from 1.1.1.1 port 1"+
		" from 203.0.113.9 port 40022 ssh2")
	for id, want := range map[event.FieldID]string{
		event.UserName:     "x from 1.1.1.1 port 1",
		event.SourceIP:     "203.0.113.9",
		event.SourcePort:   "40022",
		event.EventAction:  "ssh_login",
		event.EventOutcome: "failure",
		event.HostName:     "cong-dvc",
		event.ProcessName:  "sshd",
	} {
		v, _ := e.Get(id)
		if got := v.String(); got != want {
			t.Errorf("%s = %q, want %q", id.Name(), got, want)
		}
	}
}
