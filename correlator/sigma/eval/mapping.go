// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/haidang-soc/haidang/correlator/sigma"
)

//go:embed fields.csv
var fieldsCSV string

//go:embed sources.csv
var sourcesCSV string

// Mapping says under which names events carry what rules call by Sigma names, and which log source an event is of. It
// is immutable.
type Mapping struct {
	names   map[string][]string
	flat    map[string][]string // Sigma names by the ECS field that stands first for them
	sources []source
}

// source is one row of the routing table: events whose field has the value are of these products, services and
// categories; a nil set is not known, an empty one is known to have none.
type source struct {
	field, value, code             string
	products, services, categories []string
}

// DefaultMapping returns the mapping that is part of the program: fields.csv and sources.csv of this package.
func DefaultMapping() (Mapping, error) {
	return ParseMapping(fieldsCSV, sourcesCSV)
}

// ParseMapping reads a mapping. fields: rows of a Sigma name and the names it stands for. sources: rows of field,
// value, event code (empty for any), products, services and categories separated by spaces, empty when not known, "-"
// when there is none. Lines that start with # are comments.
func ParseMapping(fields, sources string) (Mapping, error) {
	m := Mapping{names: map[string][]string{}, flat: map[string][]string{}}
	rows, err := readCSV(fields, -1)
	if err != nil {
		return m, fmt.Errorf("field mapping: %w", err)
	}
	for _, row := range rows {
		if len(row) < 2 || m.names[row[0]] != nil {
			return m, fmt.Errorf("field mapping: %q has no target or is listed twice", row[0])
		}
		m.names[row[0]] = row[1:]
		m.flat[row[1]] = append(m.flat[row[1]], row[0])
	}
	if rows, err = readCSV(sources, 6); err != nil {
		return m, fmt.Errorf("log source mapping: %w", err)
	}
	for _, row := range rows {
		m.sources = append(m.sources, source{field: row[0], value: strings.ToLower(row[1]), code: row[2],
			products: set(row[3]), services: set(row[4]), categories: set(row[5])})
	}
	return m, nil
}

func readCSV(text string, columns int) ([][]string, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment = '#'
	r.FieldsPerRecord = columns
	r.TrimLeadingSpace = true
	return r.ReadAll()
}

func set(cell string) []string {
	switch cell {
	case "":
		return nil
	case "-":
		return []string{}
	}
	return strings.Fields(cell)
}

// candidates returns every name under which an event may carry a field, each once: a Sigma name by its ECS fields, an
// ECS field by the flat names of Windows events as well.
func (m Mapping) candidates(name string) []string {
	var all []string
	add := func(n string) {
		for _, have := range all {
			if have == n {
				return
			}
		}
		all = append(all, n)
	}
	flat := func(n string) {
		add(n)
		if !strings.Contains(n, ".") {
			add("winlog.event_data." + n)
		}
	}
	for _, n := range m.names[name] {
		add(n)
	}
	flat(name)
	for _, n := range m.flat[name] {
		flat(n)
	}
	add("haidang.extra." + name)
	return all
}

// contradicts reports whether a rule's log source cannot be that of an event of the row. A category that no row names
// (known) is nobody's, so that it contradicts nothing; nor does "any".
func (s *source) contradicts(l sigma.LogSource, known map[string]bool) bool {
	return lacks(s.products, l.Product) || lacks(s.services, l.Service) ||
		known[l.Category] && lacks(s.categories, l.Category)
}

func lacks(known []string, want string) bool {
	if known == nil || want == "" {
		return false
	}
	for _, k := range known {
		if k == want {
			return false
		}
	}
	return true
}
