// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

const flowYAML = `
data: data
http: {listen: "127.0.0.1:0"}
spool: {reserve: 1}
collectors:
  - netflow: {name: main, listen: "127.0.0.1:0"}
`

// TestKillFlows sends numbered flows of NetFlow v9, slowly, and kills the child five times: the index has each flow
// once. A template is sent a single time, and ten flows behind the first that needs it: what waits for it, and what
// comes after a kill, is decoded all the same.
func TestKillFlows(t *testing.T) {
	const each, late = 30, 10 // flows of a template, those before it
	s := &dripper{every: 15 * time.Millisecond, yaml: flowYAML, kind: "netflow", datagram: func(n uint64) []byte {
		be := binary.BigEndian
		id := uint16(256 + n/each)
		p := []byte{0, 9, 0, 1}
		for _, x := range []uint32{60_000, uint32(time.Now().Unix()), uint32(n), 1} {
			p = be.AppendUint32(p, x)
		}
		words := func(list ...uint16) {
			for _, w := range list {
				p = be.AppendUint16(p, w)
			}
		}
		if n%each == late {
			words(0, 24, id, 4, 8, 4, 12, 4, 1, 4, 2, 4)
		}
		words(id, 20, 10<<8, 1, 10<<8, 2, uint16(n>>16), uint16(n), 0, 7)
		return p
	}}
	s.due = func(sent uint64) uint64 {
		if sent%each <= late { // the last template did not come
			return sent - sent%each
		}
		return sent
	}
	s.throughKills(t, 5, func(e event.Event) (string, bool) {
		packets, _ := e.Get(event.SourcePackets)
		bytes, _ := e.Get(event.SourceBytes)
		return bytes.String(), packets.String() == "7"
	})
}
