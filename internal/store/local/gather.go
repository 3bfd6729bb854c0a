// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"strings"

	"github.com/VictoriaMetrics/VictoriaLogs/lib/logstorage"
)

// Rows wait until those of one data set fill a block of the library: it copies full blocks when it merges parts, and
// unpacks, sorts and packs again those that are not. A flush, for Sync or for a query, hands over what there is.
const (
	fullBlock  = 2 << 20  // bytes as the library estimates rows
	maxWaiting = 48 << 20 // bytes of all data sets together
	maxSpare   = 16       // empty buffers kept
)

// pending are the rows of a data set that the library has not got yet.
type pending struct {
	rows  *logstorage.LogRows
	bytes int
}

// gather adds a row of a class to those that wait. The stream is the data set: its rows have the same columns, so they
// compress and filter well side by side. s.mu is held.
func (s *Store) gather(c *class, t int64, fields []logstorage.Field) {
	set, stream := "", 0
	if len(fields) > 0 && fields[0].Name == "event.dataset" {
		set, stream = fields[0].Value, 1
	}
	p := c.rows[set]
	if p == nil {
		p = s.newPending()
		c.rows[strings.Clone(set)] = p
	}
	p.rows.MustAdd(logstorage.TenantID{}, t, fields, stream)
	size := logstorage.EstimatedJSONRowLen(fields)
	p.bytes += size
	s.waiting += size
	if p.bytes >= fullBlock {
		delete(c.rows, set)
		s.hand(c, p)
	}
	for s.waiting >= maxWaiting {
		s.handLargest()
	}
}

// hand gives the rows to the library.
func (s *Store) hand(c *class, p *pending) {
	c.st.MustAddRows(p.rows)
	s.waiting -= p.bytes
	p.rows.ResetKeepSettings()
	p.bytes = 0
	if len(s.spare) < maxSpare {
		s.spare = append(s.spare, p)
	}
}

func (s *Store) newPending() *pending {
	if n := len(s.spare); n > 0 {
		p := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return p
	}
	return &pending{rows: logstorage.GetLogRows(nil, nil, nil, nil, "")}
}

func (s *Store) handLargest() {
	var from *class
	name, most := "", 0
	for _, c := range s.classes {
		for set, p := range c.rows {
			if p.bytes > most {
				from, name, most = c, set, p.bytes
			}
		}
	}
	p := from.rows[name]
	delete(from.rows, name)
	s.hand(from, p)
}
