// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// The longest text that is certain to fit a term of 32,766 bytes; a flattened field's terms begin with the key.
const (
	longest     = 8191
	longestFlat = 4096
)

// mappings returns the properties of an index, from the field tables of package event. Numbers and times are as wide as
// events hold them (long, double, nanoseconds), so that a query means the same in every store.
func mappings() object {
	root, leaves, known := object{}, map[string]object{}, map[string]bool{}
	add := func(name, kind string) {
		if known[name] = true; kind == "object" || kind == "nested" {
			return // what they hold has rows of its own
		}
		m := mapping(name, kind)
		if i := strings.LastIndexByte(name, '.'); i > 0 && leaves[name[:i]] != nil {
			if parent := leaves[name[:i]]; parent["type"] != "flattened" {
				child(parent, "fields")[name[i+1:]] = m
			}
			return
		}
		at, segments := root, strings.Split(name, ".")
		for _, s := range segments[:len(segments)-1] {
			at = child(child(at, s), "properties")
		}
		at[segments[len(segments)-1]] = m
		leaves[name] = m
	}
	for name, kind := range event.Types {
		add(name, kind)
	}
	for id := range event.StaticFields { // names that left the tables; events have them still
		if name := id.Name(); !known[name] {
			add(name, map[event.Kind]string{event.Int: "long", event.Float: "double", event.Bool: "boolean",
				event.IP: "ip", event.Time: "date"}[id.Type()])
		}
	}
	return root
}

func child(o object, key string) object {
	c, ok := o[key].(object)
	if !ok {
		c = object{}
		o[key] = c
	}
	return c
}

func mapping(name, kind string) object {
	switch name {
	case "@timestamp":
		return object{"type": "date_nanos", "ignore_malformed": false}
	case "haidang.text": // folded tokens: see kql.AppendText
		return object{"type": "text", "analyzer": "whitespace", "norms": false}
	case "event.original": // searched through haidang.text
		return object{"type": "keyword", "index": false, "doc_values": false}
	}
	switch kind {
	case "wildcard":
		return object{"type": "wildcard", "ignore_above": longest}
	case "flattened":
		return object{"type": "flattened", "ignore_above": longestFlat}
	case "match_only_text", "ip", "boolean", "geo_point":
		return object{"type": kind}
	case "long", "integer":
		return object{"type": "long"}
	case "float", "double", "scaled_float":
		return object{"type": "double"}
	case "date":
		return object{"type": "date_nanos"}
	}
	return object{"type": "keyword", "ignore_above": longest}
}
