// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"encoding/hex"

	"github.com/haidang-soc/haidang/internal/event"
)

// ID names an alert: SHA-256(rule id, group-by values length-prefixed, id of the first event of the episode)[:16].
type ID [16]byte

// String returns the 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText and UnmarshalText carry the id as 32 hexadecimal digits.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// Severity orders alerts; the Vietnamese words are Thông tin, Thấp, Trung bình, Cao, Rất cao.
type Severity uint8

// The five severities, from lowest to highest.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

// Alert is one emission of the correlator: the state of an episode at update n. The correlator makes it, the log keeps
// it; what people do with it (status, assignee, comments) is not here but in the log's later entries.
type Alert struct {
	ID       ID       `json:"id"`
	Update   uint32   `json:"update"`   // 1 for the first emission; higher replaces lower
	Position Position `json:"position"` // of the record that caused this emission
	Final    bool     `json:"final,omitempty"`

	Rule  Rule    `json:"rule"`
	Group []KV    `json:"group,omitempty"` // group-by names and values
	Count uint64  `json:"count"`           // exact number of matching events so far
	Value float64 `json:"value,omitempty"` // of a correlation: what was compared with the threshold
	First int64   `json:"first"`           // event time of the first event, unix ns
	Last  int64   `json:"last"`            // event time of the last event, unix ns
	At    int64   `json:"at"`              // stream time of this emission, unix ns
	Since int64   `json:"since"`           // stream time of update 1: the detection time

	Severity Severity `json:"severity"`
	Level    uint8    `json:"level"` // highest system level touched at detection; 0 when none
	Systems  []System `json:"systems,omitempty"`
	Units    []string `json:"units,omitempty"` // units that own or operate them: what a scope is asked about
	Origins  []string `json:"origins,omitempty"`
	Policy   string   `json:"policy"`          // chính sách: the policy row that gave the severity
	Basis    []Clause `json:"basis,omitempty"` // căn cứ: the clauses that impose the duty to watch

	Evidence []Evidence `json:"evidence"` // the first 500 and last 500 events
	Query    string     `json:"query"`    // KQL that lists the rest
}

// Position is that of a spool record: shard and sequence.
type Position struct {
	Shard uint16 `json:"shard"`
	Seq   uint64 `json:"seq"`
}

// Rule is what the alert keeps of its rule.
type Rule struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"` // Vietnamese
	Description string   `json:"description,omitempty"`
	Level       string   `json:"level"`          // Sigma level
	Tags        []string `json:"tags,omitempty"` // ATT&CK and others
	Steps       []string `json:"steps,omitempty"`
}

// KV is one group-by field and its value.
type KV struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// System is an information system as it was at detection.
type System struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Level  uint8  `json:"level"`
	Status string `json:"status,omitempty"` // đề xuất, mức hiệu lực, chưa phân loại, or empty for a decided level
	Unit   string `json:"unit,omitempty"`   // owner
	Secret bool   `json:"secret,omitempty"` // information class is state secret: no sink sends it unless told to
}

// Clause is one link of the legal chain.
type Clause struct {
	Text      string `json:"text"`
	Certainty string `json:"certainty"`
}

// Evidence is one matching event, with the fields that matched.
type Evidence struct {
	Event    event.ID `json:"event"`
	Time     int64    `json:"time"` // event time, unix ns
	Fields   []KV     `json:"fields,omitempty"`
	Original string   `json:"original,omitempty"` // at most 1 KiB of event.original
}
