// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Command gen writes mappings.json of package elastic from the field tables of package event.
//
// Numbers and times are mapped as wide as events hold them (long, double, nanoseconds), so that a query means the same
// in every store. Run it with `go generate ./internal/store/elastic`.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "elastic/gen:", err)
		os.Exit(1)
	}
}

type object = map[string]any

func run() error {
	leaves := map[string]object{}
	root := object{}
	for _, file := range []string{"../../event/ecs.csv", "../../event/haidang.csv"} {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(data)) {
			p := strings.Split(strings.TrimSpace(line), ",")
			if len(p) < 2 || strings.HasPrefix(line, "#") {
				continue
			}
			name, kind := p[0], p[1]
			if kind == "object" || kind == "nested" {
				continue // what they hold has rows of its own
			}
			m, err := mapping(name, kind)
			if err != nil {
				return err
			}
			add(root, leaves, name, m)
		}
	}
	out, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile("mappings.json", append(out, '\n'), 0o644)
}

// add puts a field into the tree of objects; a field below a leaf is one of its multi-fields.
func add(root object, leaves map[string]object, name string, m object) {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		if parent := leaves[name[:i]]; parent != nil {
			if parent["type"] != "flattened" {
				child(parent, "fields")[name[i+1:]] = m
			}
			return
		}
	}
	at := root
	segments := strings.Split(name, ".")
	for _, s := range segments[:len(segments)-1] {
		at = child(child(at, s), "properties")
	}
	at[segments[len(segments)-1]] = m
	leaves[name] = m
}

func child(o object, key string) object {
	c, ok := o[key].(object)
	if !ok {
		c = object{}
		o[key] = c
	}
	return c
}

// The longest text that is certain to fit a term of 32,766 bytes; a flattened field's terms begin with the key.
const (
	longest     = 8191
	longestFlat = 4096
)

func mapping(name, kind string) (object, error) {
	switch {
	case name == "@timestamp":
		return object{"type": "date_nanos", "ignore_malformed": false}, nil
	case name == "haidang.text": // folded tokens: see kql.AppendText
		return object{"type": "text", "analyzer": "whitespace", "norms": false}, nil
	case name == "event.original": // searched through haidang.text
		return object{"type": "keyword", "index": false, "doc_values": false}, nil
	}
	switch kind {
	case "keyword", "constant_keyword":
		return object{"type": "keyword", "ignore_above": longest}, nil
	case "wildcard":
		return object{"type": "wildcard", "ignore_above": longest}, nil
	case "flattened":
		return object{"type": "flattened", "ignore_above": longestFlat}, nil
	case "match_only_text", "ip", "boolean", "geo_point":
		return object{"type": kind}, nil
	case "long", "integer":
		return object{"type": "long"}, nil
	case "float", "double", "scaled_float":
		return object{"type": "double"}, nil
	case "date":
		return object{"type": "date_nanos"}, nil
	}
	return nil, fmt.Errorf("%s has the type %s, which has no mapping yet", name, kind)
}
