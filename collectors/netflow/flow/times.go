// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

// times gathers the ways exporters tell when a flow began and ended; unix ns except where said.
type times struct {
	start, end                  int64
	firstUp, lastUp             uint32 // ms since the exporter started
	startDelta, endDelta        uint32 // µs before export
	hasUp, hasDelta             bool
	boot                        int64
	duration                    int64 // ns
	packetInterval, packetSpace uint64
}

// ntpEpoch is 1 January 1900 in seconds before 1970.
const ntpEpoch = 2_208_988_800

func ntp(p []byte) int64 {
	if len(p) != 8 {
		return 0
	}
	return (int64(u32(p))-ntpEpoch)*1e9 + int64(uint64(u32(p[4:]))*1e9>>32)
}

// seconds and milliseconds refuse what does not fit nanoseconds.
func seconds(p []byte) int64 { return scaled(p, 1e9) }
func millis(p []byte) int64  { return scaled(p, 1e6) }

func scaled(p []byte, unit uint64) int64 {
	n := number(p)
	if n > (1<<63-1)/unit {
		return 0
	}
	return int64(n * unit)
}

func (t *times) apply(o op, p []byte) {
	switch o {
	case firstUptime:
		t.firstUp, t.hasUp = uint32(number(p)), true
	case lastUptime:
		t.lastUp, t.hasUp = uint32(number(p)), true
	case startSec:
		t.start = seconds(p)
	case endSec:
		t.end = seconds(p)
	case startMS:
		t.start = millis(p)
	case endMS:
		t.end = millis(p)
	case observedSec:
		t.start, t.end = seconds(p), seconds(p)
	case observedMS:
		t.start, t.end = millis(p), millis(p)
	case startNTP:
		t.start = ntp(p)
	case endNTP:
		t.end = ntp(p)
	case startDelta:
		t.startDelta, t.hasDelta = uint32(number(p)), true
	case endDelta:
		t.endDelta, t.hasDelta = uint32(number(p)), true
	case bootMS:
		t.boot = millis(p)
	case duration:
		t.duration = millis(p)
	case packetInterval:
		t.packetInterval = number(p)
	case packetSpace:
		t.packetSpace = number(p)
	}
}

// settle gives the flow its Start and End.
func (t *times) settle(f *Flow, h *head, boot int64) {
	if t.boot != 0 {
		boot = t.boot
	}
	switch {
	case t.start != 0 || t.end != 0:
		f.Start, f.End = t.start, t.end
	case t.hasDelta:
		f.Start, f.End = h.export-int64(t.startDelta)*1e3, h.export-int64(t.endDelta)*1e3
	case t.hasUp && h.version == 9:
		f.Start, f.End = h.uptimeAt(t.firstUp), h.uptimeAt(t.lastUp)
	case t.hasUp && boot != 0:
		f.Start, f.End = boot+int64(t.firstUp)*1e6, boot+int64(t.lastUp)*1e6
	}
	if f.End == 0 && f.Start != 0 {
		f.End = f.Start + t.duration
	}
	if f.Start == 0 && f.End != 0 {
		f.Start = f.End - t.duration
	}
}
