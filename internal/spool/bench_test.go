// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
)

// BenchmarkWrite writes batches of 500 events from several writers at once; one operation is one event. The disk
// decides more than we do: sync of a record is in it.
func BenchmarkWrite(b *testing.B) {
	const size = 500
	for _, writers := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := testSpool(b, testServer(b, ServerConfig{}), Config{})
			todo := make(chan struct{}, b.N/size+1)
			for range b.N/size + 1 {
				todo <- struct{}{}
			}
			close(todo)
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					events := wide(fmt.Sprint("listener/", w), size)
					next := uint64(0)
					for range todo { // ranges differ and the events do not, so that building them is not measured
						if err := s.Write(context.Background(), events.Batch(next, next+size)); err != nil {
							b.Error(err)
							return
						}
						next += size
					}
				})
			}
			wg.Wait()
			st := s.Stats()
			b.ReportMetric(float64(st.Bytes)/float64(st.Events), "B/event")
			b.ReportMetric(float64(st.Batches)/float64(st.Records), "batches/record")
		})
	}
}

// BenchmarkRead reads records of one batch of 500 events each; one operation is one event.
func BenchmarkRead(b *testing.B) {
	const size, records = 500, 400
	s := testSpool(b, testServer(b, ServerConfig{NoSync: true}), Config{})
	events := wide("a", size)
	for i := range uint64(records) {
		write(b, s, events.Batch(i*size, i*size+size))
	}
	b.ResetTimer()
	for n := 0; n < b.N; {
		for r, err := range s.Read(context.Background(), Cursor{}) {
			if err != nil {
				b.Fatal(err)
			}
			n += r.Batches[0].Len()
			if r.At.Seq == records || n >= b.N {
				break
			}
		}
	}
}

// wide builds n events of some twenty fields.
func wide(source string, n uint64) *event.Builder {
	eb := event.NewBuilder(source, 1)
	for u := range n {
		eb.Begin(u, 0)
		eb.Time(event.Timestamp, int64(u))
		eb.Time(event.EventCreated, int64(u))
		eb.Str(event.EventOriginal, fmt.Sprintf("<38>Nov 24 02:10:%02d cong-dvc sshd[%d]: Failed password for invalid user "+
			"quantri from 203.0.113.%d port %d ssh2", u%60, 1000+u%5000, u%250, 1024+u%60000))
		for i, id := range []event.FieldID{event.HostName, event.UserName, event.EventAction, event.EventDataset,
			event.ProcessName, event.EventOutcome, event.EventKind, event.LogSyslogHostname, event.EventModule,
			event.HaidangSystemID, event.HaidangSite, event.HaidangListener, event.Message} {
			eb.Str(id, fmt.Sprintf("giá-trị-%d-%d", i, u%17))
		}
		eb.Int(event.SourcePort, int64(1024+u%60000))
		eb.Int(event.HaidangLevel, 3)
		eb.End()
	}
	return eb
}
