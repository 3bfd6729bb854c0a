// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/safefile"
)

// Adoption says which system an address belongs to from now on.
type Adoption struct {
	Address   netip.Addr
	Site      string // where the address was seen; empty: whatever the site
	System    string
	Component string // its name; empty makes one of the address
}

// Adopt adds the address to the inventory file as a component of its own, and leaves every other byte as it is. The
// file is replaced at once, after asset.Load has accepted it; on an error it is as it was.
func Adopt(c asset.Config, a Adoption) error {
	if c.Inventory == "" {
		return errors.New("ledger: adopting: the configuration names no inventory file; set the key inventory")
	}
	path, err := filepath.EvalSymlinks(c.Inventory)
	if err != nil {
		return fmt.Errorf("ledger: adopting: %w", err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("ledger: adopting: %w", err)
	}
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("ledger: adopting: %w", err)
	}
	if _, err := asset.Load(c); err != nil { // as it is, or it is no file to add to
		return fmt.Errorf("ledger: adopting: mend the inventory first: %w", err)
	}
	text, err := insert(old, a)
	if err != nil {
		return fmt.Errorf("ledger: adopting: %s: %w", c.Inventory, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".inventory-*.yml")
	if err != nil {
		return fmt.Errorf("ledger: adopting: %w", err)
	}
	tmp := f.Name()
	defer os.Remove(tmp) // gone already when it took the file's place
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(st.Mode().Perm())
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("ledger: adopting: %w", err)
	}
	trial := c
	trial.Inventory = tmp
	inv, err := asset.Load(trial)
	if err != nil {
		return fmt.Errorf("ledger: adopting: the inventory would not load: %s",
			strings.ReplaceAll(err.Error(), tmp, c.Inventory))
	}
	if m := inv.Lookup(a.Site, a.Address); m.System == nil || m.System.ID != a.System {
		return fmt.Errorf("ledger: adopting: %s would not belong to %s all the same: another entry goes before it",
			a.Address, a.System)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
		return errors.Join(fmt.Errorf("ledger: adopting: %s was changed meanwhile: try again", c.Inventory), err)
	}
	if err := safefile.Rename(tmp, path); err != nil {
		return fmt.Errorf("ledger: adopting: %w", err)
	}
	return nil
}

// insert puts the component's line behind the last one of the system.
func insert(old []byte, a Adoption) (text []byte, err error) {
	defer func() {
		if p := recover(); p != nil { // of the YAML library
			err = fmt.Errorf("it cannot be read: %v", p)
		}
	}()
	file, err := parser.ParseBytes(bytes.ReplaceAll(old, []byte("\r\n"), []byte("\n")), 0) // it miscounts lines else
	if err != nil {
		return nil, err
	}
	if len(file.Docs) == 0 {
		return nil, errors.New("it is empty")
	}
	system, err := findSystem(file.Docs[0].Body, a.System)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(string(old), "\n")
	id := system[0].Key.GetToken().Position
	item := fmt.Sprintf("{name: %s, addresses: [%s]%s}", quoted(a.name()), quoted(a.Address.String()), a.site())
	components := field(system, "components")
	after, line := 0, ""
	if components == nil { // as the last key of the system
		after = blockEnd(lines, id.Line, id.Column-1, false)
		key := strings.Repeat(" ", id.Column-1)
		line = key + "components:\n" + key + "  - " + item
	} else {
		at := components.Key.GetToken().Position
		list, ok := components.Value.(*ast.SequenceNode)
		if !ok || list.IsFlowStyle || len(list.Values) == 0 {
			return nil, fmt.Errorf("line %d: the components of %s stand in [ ]: write one a line, with - before it", at.Line,
				a.System)
		}
		after = blockEnd(lines, at.Line, at.Column, true)
		line = strings.Repeat(" ", list.Start.Position.Column-1) + "- " + item
	}
	end := "\n"
	if strings.HasSuffix(lines[after-1], "\r\n") {
		end = "\r\n"
		line = strings.ReplaceAll(line, "\n", end)
	}
	if !strings.HasSuffix(lines[after-1], "\n") {
		lines[after-1] += end
	}
	return []byte(strings.Join(lines[:after], "") + line + end + strings.Join(lines[after:], "")), nil
}

func (a *Adoption) name() string {
	if a.Component != "" {
		return a.Component
	}
	return "nguon-" + strings.NewReplacer(".", "-", ":", "-").Replace(a.Address.String())
}

func (a *Adoption) site() string {
	if a.Site == "" {
		return ""
	}
	return ", site: " + quoted(a.Site)
}

// quoted writes a text as YAML reads it back: plain where nothing in it means anything.
func quoted(s string) string {
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r == '-' || r == '.' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z')
	}) < 0 && s[0] >= 'a' && s[0] <= 'z'
	switch {
	case plain && s != "true" && s != "false" && s != "null" && s != "yes" && s != "no" && s != "on" && s != "off":
		return s
	case strings.Count(s, ".") == 3 && strings.Trim(s, "0123456789.") == "": // an IPv4 address is no number
		return s
	}
	return fmt.Sprintf("%q", s)
}

// blockEnd returns the number of the last line, from 1, of the block that begins at a line: those that are indented by
// at least so much. A list may stand as deep as its key.
func blockEnd(lines []string, from, indent int, list bool) int {
	last := from
	for i := from; i < len(lines); i++ {
		text := strings.TrimLeft(lines[i], " ")
		rest := strings.TrimRight(text, "\r\n\t ")
		if rest == "" || rest[0] == '#' {
			continue
		}
		depth := len(lines[i]) - len(text)
		if depth < indent && !(list && depth == indent-1 && (rest == "-" || strings.HasPrefix(rest, "- "))) {
			break
		}
		last = i + 1
	}
	return last
}

// findSystem returns the keys of a system.
func findSystem(root ast.Node, id string) ([]*ast.MappingValueNode, error) {
	systems := field(entries(root), "systems")
	if systems == nil {
		return nil, errors.New("it has no systems")
	}
	list, ok := systems.Value.(*ast.SequenceNode)
	if !ok {
		return nil, errors.New("systems is no list")
	}
	for _, n := range list.Values {
		keys := entries(n)
		x := field(keys, "id")
		if x == nil {
			continue
		}
		if s, ok := x.Value.(*ast.StringNode); !ok || s.Value != id {
			continue
		}
		if m, ok := n.(*ast.MappingNode); ok && m.IsFlowStyle {
			return nil, fmt.Errorf("line %d: system %s stands in { }: write one key a line",
				x.Key.GetToken().Position.Line, id)
		}
		return keys, nil
	}
	return nil, fmt.Errorf("no system has the id %q", id)
}

func entries(n ast.Node) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	}
	return nil
}

func field(keys []*ast.MappingValueNode, name string) *ast.MappingValueNode {
	for _, k := range keys {
		if t := k.Key.GetToken(); t != nil && t.Value == name {
			return k
		}
	}
	return nil
}
