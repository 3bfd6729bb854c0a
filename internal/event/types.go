// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	_ "embed"
	"strings"
)

//go:embed ecs.csv
var ecsFile string

//go:embed haidang.csv
var haidangFile string

// Types yields the name and the Elasticsearch type of every field of ecs.csv and haidang.csv, objects and multi-fields
// included: what an index is mapped by. A parent comes before what is in it.
func Types(yield func(name, kind string) bool) {
	for _, file := range []string{ecsFile, haidangFile} {
		for line := range strings.Lines(file) {
			name, rest, _ := strings.Cut(strings.TrimSpace(line), ",")
			kind, _, _ := strings.Cut(rest, ",")
			if name != "" && name[0] != '#' && !yield(name, kind) {
				return
			}
		}
	}
}
