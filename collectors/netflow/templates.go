// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"encoding/binary"
	"errors"
	"hash/crc64"

	"github.com/haidang-soc/haidang/collectors/netflow/flow"
	"github.com/haidang-soc/haidang/collectors/socket"
)

// The file of templates: a magic, a checksum of what follows, the boot, epoch and unit that it speaks of, and the
// decoder's state.
const (
	stateMagic = "HDFLOW1\n"
	stateHead  = 40
)

// savedState is what the file says; state is a part of the file's bytes.
type savedState struct {
	at    position
	boot  uint64
	state []byte
}

func checksum(p []byte) uint64 { return crc64.Checksum(p, crc64.MakeTable(crc64.ECMA)) }

func encodeState(at position, d *flow.Decoder) []byte {
	be := binary.BigEndian
	boot, _ := socket.Boot() // 0 is no boot: what waits will not be taken
	p := make([]byte, stateHead, 4<<10)
	copy(p, stateMagic)
	be.PutUint64(p[16:], boot)
	be.PutUint64(p[24:], at.epoch)
	be.PutUint64(p[32:], at.unit)
	p = d.AppendState(p)
	be.PutUint64(p[8:], checksum(p[16:]))
	return p
}

func parseState(p []byte) (s savedState, err error) {
	be := binary.BigEndian
	if len(p) < stateHead || string(p[:8]) != stateMagic || be.Uint64(p[8:]) != checksum(p[16:]) {
		return s, errors.New("netflow: the file of templates is not whole")
	}
	s = savedState{at: position{be.Uint64(p[24:]), be.Uint64(p[32:])}, boot: be.Uint64(p[16:]), state: p[stateHead:]}
	return s, nil
}
