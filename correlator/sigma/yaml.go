// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a rule file: the YAML parser recurses, so depth and size are bounded before it sees the text.
const (
	maxFileBytes = 512 << 10
	maxDepth     = 32
	maxOpen      = 1000 // brackets open at once, counted without looking at quotes
)

// scalarKind is the YAML type of a scalar.
type scalarKind uint8

const (
	scalarText scalarKind = iota + 1
	scalarInt
	scalarFloat
	scalarBool
	scalarNull
)

// node is what this package keeps of YAML: maps in file order, lists, scalars, each with its place.
type node struct {
	pos    Pos
	fields []field // of a map
	items  []*node // of a list
	isMap  bool
	isList bool
	kind   scalarKind
	text   string  // of a scalar, as it means; numbers as written
	num    float64 // of a number
	whole  string  // of a whole number: its decimal digits
	truth  bool
}

type field struct {
	key   string
	pos   Pos
	value *node
}

// what names the node's kind for messages.
func (n *node) what() string {
	switch {
	case n.isMap:
		return "a map"
	case n.isList:
		return "a list"
	}
	switch n.kind {
	case scalarNull:
		return "null"
	case scalarInt, scalarFloat:
		return "a number"
	case scalarBool:
		return "a boolean"
	default:
		return "a text"
	}
}

func (n *node) isScalar() bool { return !n.isMap && !n.isList }

// get returns the value of a key, or nil.
func (n *node) get(key string) *node {
	for i := range n.fields {
		if n.fields[i].key == key {
			return n.fields[i].value
		}
	}
	return nil
}

// parseYAML reads all documents of a file; an empty one is nil.
func parseYAML(file string, data []byte) (docs []*node, err error) {
	if err := checkYAML(file, data); err != nil {
		return nil, err
	}
	defer func() {
		// The YAML library has panicked on hostile text before; a rule file must not end the process.
		if r := recover(); r != nil {
			docs, err = nil, Refusal{Pos: Pos{File: file}, Reason: fmt.Sprintf("yaml: the parser gave up: %v", r)}
		}
	}()
	parsed, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, yamlRefusal(file, err)
	}
	c := converter{file: file}
	for _, d := range parsed.Docs {
		n, err := c.node(d.Body, 0)
		if err != nil {
			return nil, err
		}
		if n != nil && n.kind == scalarNull {
			n = nil
		}
		docs = append(docs, n)
	}
	return docs, nil
}

// checkYAML bounds size and depth before the recursive parser runs.
func checkYAML(file string, data []byte) error {
	if len(data) > maxFileBytes {
		return Refusal{Pos: Pos{File: file}, Reason: fmt.Sprintf("yaml: file longer than %d bytes", maxFileBytes)}
	}
	open, line := 0, 0
	for text := range bytes.Lines(data) {
		line++
		depth := 0
		for i := 0; i < len(text); i++ {
			switch text[i] {
			case '[', '{':
				open++
			case ']', '}':
				open = max(0, open-1)
			}
		}
		for rest := bytes.TrimLeft(text, " "); len(rest) > 1 && (rest[0] == '-' || rest[0] == '?' || rest[0] == ':') &&
			(rest[1] == ' ' || rest[1] == '\t'); rest = bytes.TrimLeft(rest[1:], " \t") {
			depth++
		}
		if depth > maxDepth || open > maxOpen {
			return Refusal{Pos: Pos{File: file, Line: line}, Reason: fmt.Sprintf("yaml: nested more than %d deep", maxDepth)}
		}
	}
	return nil
}

func yamlRefusal(file string, err error) error {
	r := Refusal{Pos: Pos{File: file}, Reason: "yaml: " + err.Error()}
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		r.Reason = "yaml: " + syntax.GetMessage()
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			r.Line, r.Column = t.Position.Line, t.Position.Column
		}
	}
	return r
}

// converter turns the library's tree into ours.
type converter struct{ file string }

func (c converter) pos(t *token.Token) Pos {
	p := Pos{File: c.file}
	if t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	return p
}

func (c converter) node(n ast.Node, depth int) (*node, error) {
	if n == nil {
		return nil, nil
	}
	at := c.pos(n.GetToken())
	if depth > maxDepth {
		return nil, Refusal{Pos: at, Reason: fmt.Sprintf("yaml: nested more than %d deep", maxDepth)}
	}
	switch n := n.(type) {
	case *ast.CommentGroupNode:
		return nil, nil
	case *ast.MappingNode:
		return c.mapping(n.Values, at, depth)
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{n}, at, depth)
	case *ast.SequenceNode:
		list := &node{pos: at, isList: true}
		for _, v := range n.Values {
			item, err := c.node(v, depth+1)
			if err != nil {
				return nil, err
			}
			if item == nil {
				item = &node{pos: at, kind: scalarNull}
			}
			list.items = append(list.items, item)
		}
		return list, nil
	default:
		return c.scalar(n, at)
	}
}

func (c converter) scalar(n ast.Node, at Pos) (*node, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return &node{pos: at, kind: scalarText, text: n.Value}, nil
	case *ast.LiteralNode:
		return &node{pos: at, kind: scalarText, text: n.Value.Value}, nil
	case *ast.IntegerNode:
		s := &node{pos: at, kind: scalarInt, text: n.Token.Value}
		switch v := n.Value.(type) {
		case int64:
			s.num, s.whole = float64(v), strconv.FormatInt(v, 10)
		case uint64:
			s.num, s.whole = float64(v), strconv.FormatUint(v, 10)
		}
		return s, nil
	case *ast.FloatNode:
		return &node{pos: at, kind: scalarFloat, text: n.Token.Value, num: n.Value}, nil
	case *ast.BoolNode:
		return &node{pos: at, kind: scalarBool, text: n.Token.Value, truth: n.Value}, nil
	case *ast.NullNode:
		return &node{pos: at, kind: scalarNull, text: "null"}, nil
	default:
		return nil, Refusal{Pos: at, Reason: fmt.Sprintf("yaml: %s is not supported in a rule", n.Type())}
	}
}

func (c converter) mapping(values []*ast.MappingValueNode, at Pos, depth int) (*node, error) {
	m := &node{pos: at, isMap: true}
	if len(values) > 0 {
		m.pos = c.pos(values[0].Key.GetToken())
	}
	for _, v := range values {
		key, err := c.node(v.Key, depth+1)
		if err != nil {
			return nil, err
		}
		if key == nil || !key.isScalar() {
			return nil, Refusal{Pos: at, Reason: "yaml: a key must be a text"}
		}
		value, err := c.node(v.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if value == nil {
			value = &node{pos: key.pos, kind: scalarNull, text: "null"}
		}
		if m.get(key.text) != nil {
			return nil, Refusal{Pos: key.pos, Reason: fmt.Sprintf("yaml: %q is given twice", key.text)}
		}
		m.fields = append(m.fields, field{key: key.text, pos: key.pos, value: value})
	}
	return m, nil
}

// oneLine shortens a text for a message.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return s
}
