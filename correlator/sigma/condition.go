// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"strings"
)

// NodeOp says what a Node of a condition is.
type NodeOp uint8

// The operations of a condition. In rising order of binding: or, and, not, "x of", parentheses.
const (
	NodeRef   NodeOp = iota + 1 // Name: a detection, or a rule in a correlation
	NodeOneOf                   // Name: a pattern, or "them"; any of the detections it names
	NodeAllOf                   // Name: a pattern, or "them"; all of the detections it names
	NodeNot                     // one node
	NodeAnd                     // two nodes or more
	NodeOr                      // two nodes or more
)

// Node is one node of a parsed condition.
type Node struct {
	Op    NodeOp
	Name  string
	Nodes []*Node
}

// Condition is one condition of a rule.
type Condition struct {
	Text string
	Root *Node
	Pos  Pos
}

// Limits of a condition: enough for every rule that people write, and a bound for what a hostile one may cost.
const (
	maxConditionBytes = 8 << 10
	maxConditionDepth = 64
)

// ParseCondition parses the text of a condition. Operators may be written in lower or upper case. A name may be quoted
// with ' or " (rule ids in the condition of a correlation). Errors are Refusals without a position.
func ParseCondition(text string) (*Node, error) {
	if len(text) > maxConditionBytes {
		return nil, Refusal{Reason: fmt.Sprintf("condition: longer than %d bytes", maxConditionBytes)}
	}
	tokens, err := conditionTokens(text)
	if err != nil {
		return nil, err
	}
	p := conditionParser{tokens: tokens}
	n, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.text != "" {
		return nil, Refusal{Reason: fmt.Sprintf("condition: %q where an operator or the end was expected", t.text)}
	}
	return n, nil
}

// String returns the condition with every group in parentheses.
func (n *Node) String() string {
	switch n.Op {
	case NodeRef:
		return quoteName(n.Name)
	case NodeOneOf:
		return "1 of " + n.Name
	case NodeAllOf:
		return "all of " + n.Name
	case NodeNot:
		return "not " + n.Nodes[0].group()
	}
	word := " and "
	if n.Op == NodeOr {
		word = " or "
	}
	parts := make([]string, len(n.Nodes))
	for i, c := range n.Nodes {
		parts[i] = c.group()
	}
	return strings.Join(parts, word)
}

func (n *Node) group() string {
	if n.Op == NodeAnd || n.Op == NodeOr {
		return "(" + n.String() + ")"
	}
	return n.String()
}

// Names appends the names and patterns that the condition refers to, in order, each once.
func (n *Node) Names(names []string) []string {
	if n.Name != "" {
		for _, have := range names {
			if have == n.Name {
				return names
			}
		}
		return append(names, n.Name)
	}
	for _, c := range n.Nodes {
		names = c.Names(names)
	}
	return names
}

// Select returns the detections that a NodeRef, NodeOneOf or NodeAllOf means. Names that start with "_" are only found
// by a pattern that starts with "_" as well.
func (r *Rule) Select(n *Node) []*Detection {
	var found []*Detection
	for i := range r.Detections {
		d := &r.Detections[i]
		if n.Op == NodeRef {
			if d.Name == n.Name {
				return append(found, d)
			}
			continue
		}
		hidden := strings.HasPrefix(d.Name, "_") && !strings.HasPrefix(n.Name, "_")
		if !hidden && (n.Name == "them" || matchName(n.Name, d.Name)) {
			found = append(found, d)
		}
	}
	return found
}

// matchName matches a name with a pattern in which * stands for any text.
func matchName(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	if !strings.HasPrefix(name, first) {
		return false
	}
	name = name[len(first):]
	for {
		piece, more, star := strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(name, piece)
		}
		at := strings.Index(name, piece)
		if at < 0 {
			return false
		}
		name, rest = name[at+len(piece):], more
	}
}

type conditionToken struct {
	text   string
	quoted bool
}

func (t conditionToken) is(word string) bool { return !t.quoted && equalFoldASCII(t.text, word) }

func isNameByte(c byte) bool {
	return c == '_' || c == '-' || c == '.' || c == '*' || c >= 0x80 ||
		'0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func plainName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return s != "" && !isOperatorWord(s)
}

func isOperatorWord(s string) bool {
	return equalFoldASCII(s, "and") || equalFoldASCII(s, "or") || equalFoldASCII(s, "not")
}

func quoteName(s string) string {
	if plainName(s) && !strings.Contains(s, "*") && s != "1" && !equalFoldASCII(s, "all") && !equalFoldASCII(s, "any") {
		return s
	}
	if strings.Contains(s, "'") {
		return "\"" + s + "\""
	}
	return "'" + s + "'"
}

func conditionTokens(text string) ([]conditionToken, error) {
	var tokens []conditionToken
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '(' || c == ')':
			tokens = append(tokens, conditionToken{text: text[i : i+1]})
			i++
		case c == '\'' || c == '"':
			end := strings.IndexByte(text[i+1:], c)
			if end < 1 {
				return nil, Refusal{Reason: "condition: a quoted name is empty or not closed"}
			}
			tokens = append(tokens, conditionToken{text: text[i+1 : i+1+end], quoted: true})
			i += end + 2
		case c == '|':
			return nil, Refusal{Reason: "condition: aggregations with | are obsolete; write a correlation document instead"}
		case isNameByte(c):
			start := i
			for i < len(text) && isNameByte(text[i]) {
				i++
			}
			tokens = append(tokens, conditionToken{text: text[start:i]})
		default:
			return nil, Refusal{Reason: fmt.Sprintf("condition: unexpected character %q", c)}
		}
	}
	return tokens, nil
}

type conditionParser struct {
	tokens []conditionToken
	at     int
}

func (p *conditionParser) peek() conditionToken {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return conditionToken{}
}

func (p *conditionParser) take(word string) bool {
	if p.at < len(p.tokens) && p.peek().is(word) {
		p.at++
		return true
	}
	return false
}

func (p *conditionParser) or(depth int) (*Node, error) {
	return p.chain(NodeOr, "or", func() (*Node, error) { return p.and(depth) })
}

func (p *conditionParser) and(depth int) (*Node, error) {
	return p.chain(NodeAnd, "and", func() (*Node, error) { return p.not(depth) })
}

func (p *conditionParser) chain(op NodeOp, word string, next func() (*Node, error)) (*Node, error) {
	first, err := next()
	if err != nil {
		return nil, err
	}
	nodes := []*Node{first}
	for p.take(word) {
		n, err := next()
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	if len(nodes) == 1 {
		return first, nil
	}
	return &Node{Op: op, Nodes: nodes}, nil
}

func (p *conditionParser) not(depth int) (*Node, error) {
	if depth > maxConditionDepth {
		return nil, Refusal{Reason: fmt.Sprintf("condition: nested more than %d deep", maxConditionDepth)}
	}
	if p.take("not") {
		n, err := p.not(depth + 1)
		if err != nil {
			return nil, err
		}
		return &Node{Op: NodeNot, Nodes: []*Node{n}}, nil
	}
	return p.operand(depth)
}

func (p *conditionParser) operand(depth int) (*Node, error) {
	t := p.peek()
	if t.text == "" {
		return nil, Refusal{Reason: "condition: ends where a name was expected"}
	}
	p.at++
	if t.is("(") {
		n, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.take(")") {
			return nil, Refusal{Reason: "condition: ( without )"}
		}
		return n, nil
	}
	if !t.quoted && (t.text == ")" || isOperatorWord(t.text)) {
		return nil, Refusal{Reason: fmt.Sprintf("condition: %q where a name was expected", t.text)}
	}
	if p.take("of") {
		return p.quantifier(t)
	}
	if !t.quoted && strings.Contains(t.text, "*") {
		return nil, Refusal{Reason: fmt.Sprintf("condition: the pattern %q needs \"1 of\" or \"all of\" before it", t.text)}
	}
	return &Node{Op: NodeRef, Name: t.text}, nil
}

func (p *conditionParser) quantifier(count conditionToken) (*Node, error) {
	n := &Node{Op: NodeOneOf}
	switch {
	case count.is("all"):
		n.Op = NodeAllOf
	case count.is("1"), count.is("any"):
	default:
		return nil, Refusal{Reason: fmt.Sprintf("condition: \"%s of\" is not supported, only 1, any and all", count.text)}
	}
	t := p.peek()
	if t.text == "" || !plainName(t.text) {
		return nil, Refusal{Reason: "condition: \"of\" needs a name, a pattern or \"them\" after it"}
	}
	p.at++
	n.Name = t.text
	if t.is("them") {
		n.Name = "them"
	}
	return n, nil
}
