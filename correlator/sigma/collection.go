// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Collection is a set of documents that may refer to each other.
type Collection struct {
	Rules        []*Rule
	Correlations []*Correlation // a correlation comes after those it refers to
	Refusals     []Refusal      // in the order they were found
	docs         []Document
	files        map[string]bool // read already
}

// Load reads rule files, and every .yml and .yaml file below directories, in lexical order. Rule tests (*_test.yml) are
// skipped. The error is about reading; what cannot be parsed is in Refusals.
func Load(paths ...string) (*Collection, error) {
	c := &Collection{}
	for _, p := range paths {
		if err := c.AddPath(p); err != nil {
			return nil, err
		}
	}
	c.Resolve()
	return c, nil
}

// AddPath is Add for a file, or for every rule file below a directory; a file that was added before is skipped. Call
// Resolve after the last.
func (c *Collection) AddPath(p string) error {
	err := filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name != p && !IsRuleFile(name) {
			return err
		}
		if c.files[filepath.Clean(name)] {
			return nil
		}
		data, err := os.ReadFile(name)
		if err == nil {
			c.Add(name, data)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("rules: reading %s: %w", p, err)
	}
	return nil
}

// LoadFS is Load for everything below root in a file system.
func LoadFS(fsys fs.FS, root string) (*Collection, error) {
	c := &Collection{}
	err := fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !IsRuleFile(path.Base(name)) {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		if err == nil {
			c.Add(name, data)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rules: reading %s: %w", root, err)
	}
	c.Resolve()
	return c, nil
}

// IsRuleFile reports whether Load takes a file of that name out of a directory.
func IsRuleFile(name string) bool {
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	return (ext == ".yml" || ext == ".yaml") && !strings.HasSuffix(stem, "_test")
}

// Add parses a file into the collection. Call Resolve after the last.
func (c *Collection) Add(file string, data []byte) {
	if c.files == nil {
		c.files = map[string]bool{}
	}
	c.files[filepath.Clean(file)] = true
	docs, refused := Parse(file, data)
	c.docs = append(c.docs, docs...)
	c.Refusals = append(c.Refusals, refused...)
}

// Resolve fills Rules and Correlations from what was added: a second document with an id or a name that is taken is
// refused, and so is a correlation that refers to nothing, to itself in a circle, or to what was refused.
func (c *Collection) Resolve() {
	c.Rules, c.Correlations = nil, nil
	byRef := map[string]Document{}
	var kept []Document
	for _, d := range c.docs {
		m := d.Meta()
		if taken, ok := firstTaken(byRef, m); ok {
			c.refuse(m, m.Pos, fmt.Sprintf("id or name is already used by %s", taken.Meta().Pos))
			continue
		}
		for _, ref := range refsOf(m) {
			byRef[ref] = d
		}
		kept = append(kept, d)
		if d.Rule != nil {
			c.Rules = append(c.Rules, d.Rule)
		}
	}
	c.docs = kept
	r := resolver{c: c, byRef: byRef, state: map[*Correlation]resolution{}}
	for _, d := range kept {
		if d.Correlation != nil {
			r.resolve(d.Correlation)
		}
	}
	c.docs = slices.DeleteFunc(kept, func(d Document) bool {
		return d.Correlation != nil && r.state[d.Correlation] == refused
	})
}

// Find returns the document that a reference (id or name) means.
func (c *Collection) Find(ref string) (Document, bool) {
	for _, d := range c.docs {
		if d.Meta().Is(ref) {
			return d, true
		}
	}
	return Document{}, false
}

func (c *Collection) refuse(m *Meta, at Pos, reason string) {
	c.Refusals = append(c.Refusals, Refusal{Pos: at, Rule: oneLine(m.Key()), Reason: reason})
}

// refsOf returns the keys under which a document is found.
func refsOf(m *Meta) []string {
	var refs []string
	if m.ID != "" {
		refs = append(refs, "id:"+strings.ToLower(m.ID))
	}
	if m.Name != "" {
		refs = append(refs, "name:"+m.Name)
	}
	return refs
}

func firstTaken(byRef map[string]Document, m *Meta) (Document, bool) {
	for _, ref := range refsOf(m) {
		if d, ok := byRef[ref]; ok {
			return d, true
		}
	}
	return Document{}, false
}

type resolution uint8

const (
	resolving resolution = iota + 1
	resolved
	refused
)

type resolver struct {
	c     *Collection
	byRef map[string]Document
	state map[*Correlation]resolution
}

func (r *resolver) find(ref string) (Document, bool) {
	if d, ok := r.byRef["id:"+strings.ToLower(ref)]; ok {
		return d, true
	}
	d, ok := r.byRef["name:"+ref]
	return d, ok
}

func (r *resolver) resolve(c *Correlation) resolution {
	if s := r.state[c]; s != 0 {
		return s
	}
	r.state[c] = resolving
	for _, ref := range c.Rules {
		reason := ""
		switch d, ok := r.find(ref); {
		case !ok:
			reason = fmt.Sprintf("correlation: no rule has the id or name %q", oneLine(ref))
		case d.Correlation == nil:
		case d.Correlation == c || r.resolve(d.Correlation) == resolving:
			reason = fmt.Sprintf("correlation: it refers to itself through %q", oneLine(ref))
		case r.state[d.Correlation] == refused:
			reason = fmt.Sprintf("correlation: %q was refused", oneLine(ref))
		}
		if reason != "" {
			r.c.refuse(&c.Meta, c.rulesPos, reason)
			r.state[c] = refused
			return refused
		}
	}
	r.state[c] = resolved
	r.c.Correlations = append(r.c.Correlations, c)
	return resolved
}
