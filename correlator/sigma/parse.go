// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"errors"
	"fmt"
	"slices"
)

// Document is one parsed YAML document: exactly one of the two is set.
type Document struct {
	Rule        *Rule
	Correlation *Correlation
}

// Meta returns what the document says about itself.
func (d Document) Meta() *Meta {
	if d.Rule != nil {
		return &d.Rule.Meta
	}
	return &d.Correlation.Meta
}

// Parse reads every document of a file. What it cannot accept is in the refusals, one for each document; the others
// are returned all the same. Text that is not YAML is one refusal. file is only used for positions. References between
// documents are not looked at: see Collection.
func Parse(file string, data []byte) ([]Document, []Refusal) {
	nodes, err := parseYAML(file, data)
	if err != nil {
		return nil, []Refusal{refusal(err, Pos{File: file}, "")}
	}
	var docs []Document
	var refused []Refusal
	for _, n := range nodes {
		if n == nil {
			continue
		}
		doc, err := parseDocument(n)
		if err != nil {
			refused = append(refused, refusal(err, n.pos, keyOf(n)))
			continue
		}
		docs = append(docs, doc)
	}
	return docs, refused
}

// refusal completes an error to a Refusal with the place and rule it lacks.
func refusal(err error, at Pos, rule string) Refusal {
	var r Refusal
	if !errors.As(err, &r) {
		r.Reason = err.Error()
	}
	if r.File == "" {
		r.Pos = at
	}
	if r.Rule == "" {
		r.Rule = rule
	}
	return r
}

// at gives an error the place of a node, unless it has one.
func (n *node) at(err error) error { return refusal(err, n.pos, "") }

// refuse returns a Refusal at the node.
func (n *node) refuse(format string, args ...any) error {
	return Refusal{Pos: n.pos, Reason: fmt.Sprintf(format, args...)}
}

func keyOf(n *node) string {
	for _, key := range [...]string{"id", "title"} {
		if v := n.get(key); v != nil && v.kind == scalarText {
			return oneLine(v.text)
		}
	}
	return ""
}

func parseDocument(n *node) (Document, error) {
	if !n.isMap {
		return Document{}, n.refuse("a rule must be a map, not %s", n.what())
	}
	for _, key := range [...]string{"filter", "action"} {
		if v := n.get(key); v != nil {
			return Document{}, v.refuse("documents with %q are not supported", key)
		}
	}
	detection, correlation := n.get("detection"), n.get("correlation")
	switch {
	case detection != nil && correlation != nil:
		return Document{}, correlation.refuse("detection and correlation in one document; separate them with ---")
	case detection != nil:
		r, err := parseRule(n, detection)
		return Document{Rule: r}, err
	case correlation != nil:
		c, err := parseCorrelation(n, correlation)
		return Document{Correlation: c}, err
	default:
		return Document{}, n.refuse("neither detection nor correlation: not a Sigma rule")
	}
}

func parseMeta(n *node) (m Meta, err error) {
	m.Pos = n.pos
	var date, modified, license string
	for _, f := range [...]struct {
		key string
		to  *string
	}{
		{"id", &m.ID}, {"name", &m.Name}, {"title", &m.Title}, {"description", &m.Description}, {"status", &m.Status},
		{"author", &m.Author}, {"date", &date}, {"modified", &modified}, {"license", &license},
	} {
		if *f.to, err = n.textOf(f.key); err != nil {
			return m, err
		}
	}
	m.Date, m.Modified = date, modified
	for _, f := range [...]struct {
		key string
		to  *[]string
	}{
		{"tags", &m.Tags}, {"references", &m.References}, {"falsepositives", &m.FalsePositives}, {"fields", &m.Fields},
	} {
		if *f.to, err = n.textsOf(f.key); err != nil {
			return m, err
		}
	}
	level, err := n.textOf("level")
	if err != nil {
		return m, err
	}
	var ok bool
	if m.Level, ok = ParseLevel(level); !ok {
		return m, n.get("level").refuse("level %q: want informational, low, medium, high or critical", oneLine(level))
	}
	if m.Title == "" {
		return m, n.refuse("title is missing")
	}
	states := []string{"", "stable", "test", "experimental", "deprecated", "unsupported"}
	if !slices.Contains(states, m.Status) {
		return m, n.get("status").refuse("status %q: want one of %v", oneLine(m.Status), states[1:])
	}
	taxonomy, err := n.textOf("taxonomy")
	if err != nil {
		return m, err
	}
	if taxonomy != "" && taxonomy != "sigma" && taxonomy != "ecs" {
		return m, n.get("taxonomy").refuse("taxonomy %q is not supported, only sigma and ecs", oneLine(taxonomy))
	}
	m.Haidang, err = parseHaidang(n.get("haidang"))
	return m, err
}

// textOf returns the text of a key, empty when it is missing; numbers are taken as written.
func (n *node) textOf(key string) (string, error) {
	v := n.get(key)
	switch {
	case v == nil || v.kind == scalarNull:
		return "", nil
	case !v.isScalar():
		return "", v.refuse("%s must be a text, not %s", key, v.what())
	default:
		return v.text, nil
	}
}

// textsOf returns a list of texts; a single text is a list of one.
func (n *node) textsOf(key string) ([]string, error) {
	v := n.get(key)
	if v == nil || v.kind == scalarNull {
		return nil, nil
	}
	list := v.items
	if v.isScalar() {
		list = []*node{v}
	} else if v.isMap {
		return nil, v.refuse("%s must be a list of texts, not %s", key, v.what())
	}
	var texts []string
	for _, item := range list {
		if !item.isScalar() {
			return nil, item.refuse("%s: an entry must be a text, not %s", key, item.what())
		}
		texts = append(texts, item.text)
	}
	return texts, nil
}

// flagOf returns a boolean, false when the key is missing.
func (n *node) flagOf(key string) (bool, error) {
	v := n.get(key)
	switch {
	case v == nil:
		return false, nil
	case v.kind != scalarBool:
		return false, v.refuse("%s must be true or false, not %s", key, v.what())
	default:
		return v.truth, nil
	}
}

// only refuses the first key of a map that is not among the known ones.
func (n *node) only(what string, known ...string) error {
	if !n.isMap {
		return n.refuse("%s must be a map, not %s", what, n.what())
	}
	for _, f := range n.fields {
		if !slices.Contains(known, f.key) {
			return Refusal{Pos: f.pos, Reason: fmt.Sprintf("%s: unknown key %q; known are %v", what, oneLine(f.key), known)}
		}
	}
	return nil
}
