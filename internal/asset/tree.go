// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"golang.org/x/text/unicode/norm"
)

// maxFile bounds an inventory, policy or profile file: 16 MiB is some 100,000 systems.
const maxFile = 16 << 20

// maxDepth bounds the nesting of a file; the formats need seven.
const maxDepth = 32

type kind uint8

const (
	kindNull kind = iota
	kindScalar
	kindMap
	kindList
)

func (k kind) String() string {
	return [...]string{"nothing", "a value", "a mapping (key: value)", "a list (- ...)"}[k]
}

// node is one YAML node with the line it stands on; text is NFC, so that names compare however they were typed.
type node struct {
	kind  kind
	line  int
	text  string
	keys  []*node // of a mapping, beside vals
	vals  []*node
	items []*node // of a list
}

// lineError is what every load error is: file, line, and a sentence that says the cure.
type lineError struct {
	file string
	line int
	text string
}

func (e *lineError) Error() string { return fmt.Sprintf("%s:%d: %s", e.file, e.line, e.text) }

// parseTree reads one YAML document. Anchors, aliases, tags and merge keys are refused: the formats need none and
// they are how a small file becomes a large one.
func parseTree(file string, data []byte) (root *node, err error) {
	if len(data) > maxFile {
		return nil, &lineError{file, 1, fmt.Sprintf("the file is larger than %d MiB; split it", maxFile>>20)}
	}
	defer func() {
		if p := recover(); p != nil { // the parser faces whatever an editor left behind
			root, err = nil, &lineError{file, 1, fmt.Sprintf("not readable as YAML (%v)", p)}
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if err := checkTokens(file, tokens); err != nil {
		return nil, err
	}
	f, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, yamlError(file, err)
	}
	b := &treeBuilder{file: file}
	var body ast.Node
	for _, doc := range f.Docs {
		if doc == nil || doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, &lineError{file, tokenLine(doc.Body), "a second document (---): one file holds one document"}
		}
		body = doc.Body
	}
	if body == nil {
		return &node{kind: kindNull, line: 1}, nil
	}
	root = b.node(body, 0)
	if b.err != nil {
		return nil, b.err
	}
	return root, nil
}

// checkTokens refuses, before the parser sees them, what it takes quadratic time for (deep nesting) and what the
// formats do not use.
func checkTokens(file string, tokens token.Tokens) error {
	flow, line, onLine := 0, 0, 0
	for _, t := range tokens {
		at := 1
		if t.Position != nil {
			at = t.Position.Line
		}
		if at != line {
			line, onLine = at, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			onLine++
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return &lineError{file, line, "anchors and aliases (&, *, <<) are not accepted: write the value out, or quote it"}
		case token.TagType, token.DirectiveType:
			return &lineError{file, line, "tags and directives (!..., %...) are not accepted: remove them, or quote the value"}
		}
		if flow > maxDepth || onLine > maxDepth {
			return &lineError{file, line, "nested too deeply"}
		}
	}
	return nil
}

func yamlError(file string, err error) error {
	line, text := 1, err.Error()
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		text = syntax.GetMessage()
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
	}
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	return &lineError{file, line, "not readable as YAML: " + text + "; check indentation and quotes near this line"}
}

type treeBuilder struct {
	file string
	err  error
}

func (b *treeBuilder) fail(n ast.Node, text string) *node {
	if b.err == nil {
		b.err = &lineError{b.file, tokenLine(n), text}
	}
	return &node{line: tokenLine(n)}
}

func tokenLine(n ast.Node) int {
	if n == nil {
		return 1
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 1
}

func (b *treeBuilder) node(n ast.Node, depth int) *node {
	if depth > maxDepth {
		return b.fail(n, "nested too deeply")
	}
	if b.err != nil {
		return &node{}
	}
	line := tokenLine(n)
	switch v := n.(type) {
	case nil:
		return &node{kind: kindNull, line: line}
	case *ast.NullNode:
		return &node{kind: kindNull, line: line}
	case *ast.MappingNode:
		out := &node{kind: kindMap, line: line}
		for _, e := range v.Values {
			b.entry(out, e, depth)
		}
		if len(out.keys) > 0 {
			out.line = out.keys[0].line
		}
		return out
	case *ast.MappingValueNode:
		out := &node{kind: kindMap, line: line}
		b.entry(out, v, depth)
		if len(out.keys) > 0 {
			out.line = out.keys[0].line
		}
		return out
	case *ast.SequenceNode:
		out := &node{kind: kindList, line: line}
		for _, e := range v.Values {
			out.items = append(out.items, b.node(e, depth+1))
		}
		return out
	case *ast.StringNode:
		return &node{kind: kindScalar, line: line, text: norm.NFC.String(v.Value)}
	case *ast.LiteralNode:
		return &node{kind: kindScalar, line: line, text: norm.NFC.String(v.Value.Value)}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return &node{kind: kindScalar, line: line, text: n.GetToken().Value}
	}
	return b.fail(n, "not a value, a list or a mapping")
}

func (b *treeBuilder) entry(out *node, e *ast.MappingValueNode, depth int) {
	key := b.node(e.Key, depth+1)
	if b.err == nil && key.kind != kindScalar {
		b.fail(e, "a key must be a plain word")
	}
	if b.err != nil {
		return
	}
	for _, k := range out.keys {
		if k.text == key.text {
			b.fail(e, fmt.Sprintf("key %q is given twice (first on line %d): remove one", key.text, k.line))
			return
		}
	}
	out.keys = append(out.keys, key)
	out.vals = append(out.vals, b.node(e.Value, depth+1))
}
