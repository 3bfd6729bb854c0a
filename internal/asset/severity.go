// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import "slices"

// Severity is how urgent an alert is, from Info to Critical. The numbers are those of alert.Severity.
type Severity uint8

// The five severities, from lowest to highest.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var (
	severityNames = [...]string{"info", "low", "medium", "high", "critical"}
	severityWords = [...]string{"Thông tin", "Thấp", "Trung bình", "Cao", "Rất cao"}
	sigmaLevels   = [...]string{"informational", "low", "medium", "high", "critical"}
)

// String returns the name used in files: info, low, medium, high, critical.
func (s Severity) String() string { return severityNames[min(s, Critical)] }

// Word returns what analysts read: Thông tin, Thấp, Trung bình, Cao, Rất cao.
func (s Severity) Word() string { return severityWords[min(s, Critical)] }

// ParseSeverity reads a name written by String.
func ParseSeverity(name string) (Severity, bool) {
	i := slices.Index(severityNames[:], name)
	return Severity(max(i, 0)), i >= 0
}

// up returns the severity the given number of steps higher, at most Critical.
func (s Severity) up(steps int) Severity { return Severity(min(int(s)+steps, int(Critical))) }
