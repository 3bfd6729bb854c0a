// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/haidang-soc/haidang/correlator/sigma"
)

// kinds are what a test may be.
var kinds = []string{"firing", "silent", "near-miss", "late", "out-of-order"}

// Limits of a test file: what a test may ask of the machine that runs it.
const (
	maxRepeat  = 100_000
	maxAdvance = 7 * 24 * time.Hour
	maxDepth   = 32
)

// Start is the time of offset 0: 02:10 on a holiday.
var start = time.Date(2026, 9, 2, 2, 10, 0, 0, time.FixedZone("+07", 7*3600))

// File is one test file.
type File struct {
	Name      string   // path
	Rules     []string // rule files, resolved against the file's folder
	Inventory string   // inventory file, resolved as well; "" for none
	Tests     []Test
}

// Test is one story and the alerts it must raise.
type Test struct {
	Name    string
	Kind    string // firing, silent, near-miss, late, out-of-order
	Line    int    // in the file
	Input   []Input
	Advance time.Duration // how far the clock runs after the last input; 0: until all is decided
	Alerts  []Alert
}

// Input is one line or event, or a number of them.
type Input struct {
	At, Arrive time.Duration // since the start; Arrive is not before At unless the test says so
	From       netip.Addr    // the sender
	Site       string
	Repeat     int
	Every      time.Duration
	Text       string // a line, with {placeholders}
	Event      []byte // or an ECS document, with {placeholders}
}

// Alert is an alert as a test expects it; what is not given is not compared, but for Rule.
type Alert struct {
	Line     int
	Rule     string         // name or id
	At       *time.Duration // event time of the last event when it was raised
	Group    map[string]string
	Count    *uint64
	Severity string
	Level    *int
}

// fileDoc, testDoc, inputDoc and alertDoc are the YAML form.
type fileDoc struct {
	Rules     []string   `yaml:"rules"`
	Inventory string     `yaml:"inventory"`
	Tests     []ast.Node `yaml:"tests"`
}

type testDoc struct {
	Name    string     `yaml:"name"`
	Kind    string     `yaml:"kind"`
	Input   []ast.Node `yaml:"input"`
	Advance string     `yaml:"advance"`
	Alerts  []ast.Node `yaml:"alerts"`
}

type inputDoc struct {
	At     string `yaml:"at"`
	Arrive string `yaml:"arrive"`
	From   string `yaml:"from"`
	Repeat *int   `yaml:"repeat"`
	Every  string `yaml:"every"`
	Line   string `yaml:"line"`
	Event  any    `yaml:"event"`
}

type alertDoc struct {
	Rule     string         `yaml:"rule"`
	At       string         `yaml:"at"`
	Group    map[string]any `yaml:"group"`
	Count    *uint64        `yaml:"count"`
	Severity string         `yaml:"severity"`
	Level    *int           `yaml:"level"`
}

// Find returns the test files among and below the given paths of a file system, in order.
func Find(fsys fs.FS, paths ...string) ([]string, error) {
	var names []string
	for _, p := range paths {
		err := fs.WalkDir(fsys, p, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if ext := path.Ext(name); (ext == ".yml" || ext == ".yaml") && !sigma.IsRuleFile(name) &&
				path.Base(name) != "inventory_test.yml" {
				names = append(names, name)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("rule tests: looking for *_test.yml: %w", err)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Load reads a test file. Every error names file and line.
func Load(fsys fs.FS, name string) (f *File, err error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("rule tests: %w", err)
	}
	defer func() {
		if p := recover(); p != nil { // the YAML library has panicked on broken text before
			f, err = nil, fmt.Errorf("%s:1: not readable as YAML: %v", name, p)
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if err := checkTokens(name, tokens); err != nil {
		return nil, err
	}
	tree, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, yamlError(name, err)
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s:1: a test file is one YAML document", name)
	}
	var doc fileDoc
	if err := decode(name, tree.Docs[0].Body, &doc); err != nil {
		return nil, err
	}
	f = &File{Name: name}
	dir := path.Dir(name)
	if doc.Rules == nil {
		doc.Rules = []string{strings.TrimSuffix(path.Base(name), "_test"+path.Ext(name)) + path.Ext(name)}
	}
	for _, r := range doc.Rules {
		f.Rules = append(f.Rules, path.Join(dir, r))
	}
	if doc.Inventory != "" {
		f.Inventory = path.Join(dir, doc.Inventory)
	}
	if len(doc.Tests) == 0 {
		return nil, fmt.Errorf("%s:1: no tests", name)
	}
	for _, n := range doc.Tests {
		t, err := loadTest(name, n)
		if err != nil {
			return nil, err
		}
		f.Tests = append(f.Tests, t)
	}
	return f, nil
}

func loadTest(file string, n ast.Node) (Test, error) {
	t := Test{Line: lineOf(n)}
	bad := func(line int, format string, args ...any) (Test, error) {
		return t, fmt.Errorf("%s:%d: "+format, append([]any{file, line}, args...)...)
	}
	var doc testDoc
	if err := decode(file, n, &doc); err != nil {
		return t, err
	}
	t.Name, t.Kind = doc.Name, doc.Kind
	switch {
	case t.Name == "":
		return bad(t.Line, "a test needs a name")
	case !slices.Contains(kinds, t.Kind):
		return bad(t.Line, "kind %q: use %s", t.Kind, strings.Join(kinds, ", "))
	case len(doc.Input) == 0:
		return bad(t.Line, "test %q: no input", t.Name)
	case doc.Alerts == nil:
		return bad(t.Line, "test %q: say which alerts there must be, or alerts: [] for none", t.Name)
	case t.Kind == "firing" && len(doc.Alerts) == 0:
		return bad(t.Line, "test %q: kind firing, but no alerts", t.Name)
	case (t.Kind == "silent" || t.Kind == "near-miss") && len(doc.Alerts) > 0:
		return bad(t.Line, "test %q: kind %s, but with alerts", t.Name, t.Kind)
	}
	var err error
	if t.Advance, err = span(doc.Advance, 0, maxAdvance); err != nil {
		return bad(t.Line, "advance: %v", err)
	}
	for _, n := range doc.Input {
		in, err := loadInput(file, n)
		if err != nil {
			return t, err
		}
		t.Input = append(t.Input, in)
	}
	for _, n := range doc.Alerts {
		a, err := loadAlert(file, n)
		if err != nil {
			return t, err
		}
		t.Alerts = append(t.Alerts, a)
	}
	return t, nil
}

func loadInput(file string, n ast.Node) (Input, error) {
	var doc inputDoc
	in := Input{Repeat: 1}
	if err := decode(file, n, &doc); err != nil {
		return in, err
	}
	err := func() (err error) {
		if in.At, err = span(doc.At, -maxAdvance, maxAdvance); err != nil {
			return fmt.Errorf("at: %w", err)
		}
		if in.Arrive = in.At; doc.Arrive != "" {
			if in.Arrive, err = span(doc.Arrive, 0, maxAdvance); err != nil {
				return fmt.Errorf("arrive: %w", err)
			}
		}
		if in.Arrive < 0 {
			return errors.New("at: before the start; say when it arrives")
		}
		if in.Every, err = span(doc.Every, 0, maxAdvance); err != nil {
			return fmt.Errorf("every: %w", err)
		}
		if doc.Repeat != nil {
			if in.Repeat = *doc.Repeat; in.Repeat < 1 || in.Repeat > maxRepeat {
				return fmt.Errorf("repeat: from 1 to %d", maxRepeat)
			}
		}
		if time.Duration(in.Repeat)*in.Every > maxAdvance {
			return fmt.Errorf("repeat and every: more than %v", maxAdvance)
		}
		addr := doc.From
		if site, rest, ok := strings.Cut(doc.From, " "); ok {
			in.Site, addr = site, rest
		}
		if addr != "" {
			if in.From, err = netip.ParseAddr(addr); err != nil {
				return fmt.Errorf("from: an address, or site and address: %w", err)
			}
		}
		in.Text = doc.Line
		if (doc.Line == "") == (doc.Event == nil) {
			return errors.New("give either line or event")
		}
		if doc.Event != nil {
			in.Event, err = document(doc.Event)
		}
		return err
	}()
	if err != nil {
		return in, fmt.Errorf("%s:%d: %w", file, lineOf(n), err)
	}
	return in, nil
}

// document writes the YAML form of an event as JSON.
func document(v any) ([]byte, error) {
	if _, ok := v.(map[string]any); !ok {
		return nil, errors.New("event: must be a map of ECS fields")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	return b.Bytes(), nil
}

func loadAlert(file string, n ast.Node) (Alert, error) {
	var doc alertDoc
	a := Alert{Line: lineOf(n)}
	if err := decode(file, n, &doc); err != nil {
		return a, err
	}
	if doc.Rule == "" {
		return a, fmt.Errorf("%s:%d: an alert needs its rule", file, a.Line)
	}
	a.Rule, a.Count, a.Severity, a.Level = doc.Rule, doc.Count, doc.Severity, doc.Level
	if doc.At != "" {
		at, err := span(doc.At, -maxAdvance, maxAdvance)
		if err != nil {
			return a, fmt.Errorf("%s:%d: at: %w", file, a.Line, err)
		}
		a.At = &at
	}
	if a.Severity != "" && !slices.Contains(severities[:], a.Severity) {
		return a, fmt.Errorf("%s:%d: severity %q: use %s", file, a.Line, a.Severity, strings.Join(severities[:], ", "))
	}
	if doc.Group != nil {
		a.Group = map[string]string{}
		for k, v := range doc.Group {
			a.Group[k] = fmt.Sprint(v)
		}
	}
	return a, nil
}

// span reads a length of time such as 90s, 1h30m or 2d; empty is 0.
func span(s string, low, high time.Duration) (time.Duration, error) {
	if s == "" || s == "0" {
		return 0, nil
	}
	var d time.Duration
	var err error
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
		if n > 10_000 || n < -10_000 {
			d = high + 1
		}
	} else {
		d, err = time.ParseDuration(s)
	}
	if err != nil || d < low || d > high {
		return 0, fmt.Errorf("%q is not a length of time from %v to %v, such as 90s or 1h30m", s, low, high)
	}
	return d, nil
}

// checkTokens refuses, before the recursive parser runs, what is nested deeply, and what would make it larger than it
// is.
func checkTokens(file string, tokens token.Tokens) error {
	open, line, onLine := 0, 1, 0
	for _, t := range tokens {
		if t.Position != nil && t.Position.Line != line {
			line, onLine = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		case token.SequenceEntryType, token.MappingKeyType:
			onLine++
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return fmt.Errorf("%s:%d: anchors and aliases are not accepted: write the value out", file, line)
		}
		if open > maxDepth || onLine > maxDepth {
			return fmt.Errorf("%s:%d: nested too deeply", file, line)
		}
	}
	return nil
}

func lineOf(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key // the start of a block map is its first colon
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return n.GetToken().Position.Line
}

// decode reads a node; a key that is not known is an error.
func decode(file string, n ast.Node, v any) error {
	if n == nil {
		return fmt.Errorf("%s:1: an empty element in a list", file)
	}
	if err := yaml.NodeToValue(n, v, yaml.Strict()); err != nil {
		return yamlError(file, err)
	}
	return nil
}

var yamlPlace = regexp.MustCompile(`^\[(\d+):\d+\] ([^\n]*)`)

func yamlError(file string, err error) error {
	if m := yamlPlace.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("%s:%s: %s", file, m[1], m[2])
	}
	return fmt.Errorf("%s:1: %w", file, err)
}
