// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import "container/heap"

// The lanes. Flow records come a minute after what they tell of; correlations that look at lines only need not wait for
// them. What looks at both waits for both.
const (
	lineLane = iota
	flowLane
	mixedLane
	lanes
)

// lane is a watermark and what waits for it.
type lane struct {
	watermark int64 // unix ns; never falls
	pending   pendingHeap
}

// pendingEvent waits until the watermark has passed it.
type pendingEvent struct {
	f    *fact
	hits []hit // of correlations of one lane
}

type pendingHeap []pendingEvent

func (h pendingHeap) Len() int           { return len(h) }
func (h pendingHeap) Less(i, j int) bool { return h[i].f.before(h[j].f) }
func (h pendingHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *pendingHeap) Push(x any) { *h = append(*h, x.(pendingEvent)) }

// Pop implements heap.Interface.
func (h *pendingHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = pendingEvent{}
	*h = old[:len(old)-1]
	return x
}

// wait queues an event behind a lane's watermark, unless that has passed it already.
func (e *Engine) wait(l int, p pendingEvent) {
	lane := &e.lanes[l]
	if p.f.time < lane.watermark {
		e.stats.Late++
		return
	}
	heap.Push(&lane.pending, p)
	if len(lane.pending) > e.cfg.Limits.Pending {
		e.stats.Forced++
		lane.watermark = max(lane.watermark, lane.pending[0].f.time+1)
		e.drain()
	}
}

// drain hands the events before the watermarks to the windows, in the order of event time.
func (e *Engine) drain() {
	for {
		next := -1
		for l := range e.lanes {
			q := e.lanes[l].pending
			if len(q) == 0 || q[0].f.time >= e.lanes[l].watermark {
				continue
			}
			if next < 0 || q[0].f.before(e.lanes[next].pending[0].f) {
				next = l
			}
		}
		if next < 0 {
			return
		}
		e.correlate(heap.Pop(&e.lanes[next].pending).(pendingEvent))
	}
}

// advance moves the watermarks to the lowest event time that lines, and flows, may still bring.
func (e *Engine) advance(lines, flows int64) {
	e.lanes[lineLane].watermark = max(e.lanes[lineLane].watermark, lines)
	e.lanes[flowLane].watermark = max(e.lanes[flowLane].watermark, flows)
	e.lanes[mixedLane].watermark = max(e.lanes[mixedLane].watermark, min(lines, flows))
}
