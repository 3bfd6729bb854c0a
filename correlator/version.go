// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/haidang-soc/haidang/internal/alert"
)

// Version names the rule set by what its rules do: 16 hexadecimal digits, equal for sets that detect the same.
func (r *RuleSet) Version() string {
	h := sha256.New()
	for i := range r.detections {
		h.Write([]byte(r.detections[i].hash + "\n"))
	}
	for i := range r.correlations {
		h.Write([]byte(r.correlations[i].hash + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Len returns the number of rules, detections and correlations.
func (r *RuleSet) Len() int { return len(r.detections) + len(r.correlations) }

// Rules lists the rules of the set as alerts name them, detections before correlations. The rules that only feed a
// correlation are in it.
func (r *RuleSet) Rules() []alert.Rule {
	list := make([]alert.Rule, 0, r.Len())
	for i := range r.detections {
		list = append(list, r.detections[i].rule)
	}
	for i := range r.correlations {
		list = append(list, r.correlations[i].rule)
	}
	return list
}
