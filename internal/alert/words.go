// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"encoding/hex"
	"fmt"
)

// ParseID reads the 32 hexadecimal digits that ID.String writes.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 2*len(id) {
		return id, fmt.Errorf("alert id %.40q: want %d hexadecimal digits", s, 2*len(id))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, fmt.Errorf("alert id %.40q: %w", s, err)
	}
	return id, nil
}

// UnmarshalText reads what MarshalText wrote.
func (id *ID) UnmarshalText(b []byte) error {
	got, err := ParseID(string(b))
	if err != nil {
		return err
	}
	*id = got
	return nil
}

// IsZero reports whether the id names no alert.
func (id ID) IsZero() bool { return id == ID{} }

// String returns the English word that scripts see: info, low, medium, high or critical.
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Low:
		return "low"
	case Medium:
		return "medium"
	case High:
		return "high"
	case Critical:
		return "critical"
	}
	return "unknown"
}

// Vietnamese returns the word that analysts read. It is never "nghiêm trọng", which is a legal term.
func (s Severity) Vietnamese() string {
	switch s {
	case Info:
		return "Thông tin"
	case Low:
		return "Thấp"
	case Medium:
		return "Trung bình"
	case High:
		return "Cao"
	case Critical:
		return "Rất cao"
	}
	return "Không rõ"
}

// ParseSeverity reads the words that Severity.String writes.
func ParseSeverity(word string) (Severity, error) {
	for s := Info; s <= Critical; s++ {
		if s.String() == word {
			return s, nil
		}
	}
	return 0, fmt.Errorf("severity %.40q: want info, low, medium, high or critical", word)
}

// Status is where an alert stands in its life.
type Status string

// The life of an alert: a new one is open, somebody looks at it, it is closed; a closed one may be reopened.
const (
	StatusOpen         Status = "open"
	StatusAcknowledged Status = "acknowledged"
	StatusClosed       Status = "closed"
)

// Vietnamese returns the word that analysts read.
func (s Status) Vietnamese() string {
	switch s {
	case StatusOpen:
		return "Mới"
	case StatusAcknowledged:
		return "Đã tiếp nhận"
	case StatusClosed:
		return "Đã đóng"
	}
	return string(s)
}

// Valid reports whether the word is one of the known statuses.
func (s Status) Valid() bool { return s == StatusOpen || s == StatusAcknowledged || s == StatusClosed }

// Disposition says what a closed alert turned out to be.
type Disposition string

// The dispositions. Duplicate names the alert it repeats.
const (
	TruePositive  Disposition = "true_positive"
	FalsePositive Disposition = "false_positive"
	Benign        Disposition = "benign" // it happened as detected, and it was allowed
	Duplicate     Disposition = "duplicate"
	Undetermined  Disposition = "undetermined"
)

// Vietnamese returns the words that analysts read.
func (d Disposition) Vietnamese() string {
	switch d {
	case TruePositive:
		return "Đúng"
	case FalsePositive:
		return "Báo nhầm"
	case Benign:
		return "Hợp lệ"
	case Duplicate:
		return "Trùng lặp"
	case Undetermined:
		return "Chưa xác định"
	}
	return string(d)
}

// Valid reports whether the word is one of the known dispositions.
func (d Disposition) Valid() bool {
	switch d {
	case TruePositive, FalsePositive, Benign, Duplicate, Undetermined:
		return true
	}
	return false
}
