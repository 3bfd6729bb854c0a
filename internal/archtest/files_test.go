// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// long are the files over 600 lines, each with its reason.
var long = map[string]string{
	"internal/event/ids_gen.go": "generated: one constant a field",
}

const header = "// SPDX-FileCopyrightText: 2026 The haidang authors\n// SPDX-License-Identifier: Apache-2.0\n"

func TestFiles(t *testing.T) {
	for _, s := range sources(t) {
		name := s.dir + "/" + s.name
		data, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		generated := strings.HasPrefix(text, "// Code generated ")
		if !strings.HasPrefix(text, header) && !generated {
			t.Errorf("%s: does not begin with the two SPDX lines", name)
		}
		if n := strings.Count(text, "\n"); n > 600 && long[name] == "" {
			t.Errorf("%s: %d lines: one concept a file, or list the reason here", name, n)
		}
		line := 0
		for l := range strings.Lines(text) {
			line++
			l = strings.TrimRight(l, "\n")
			if n := utf8.RuneCountInString(l); n > 120 && !s.test && !generated {
				t.Errorf("%s:%d: %d columns", name, line, n)
			}
		}
	}
}

func TestPackages(t *testing.T) {
	forbidden := []string{"util", "utils", "common", "types", "helper", "helpers", "model", "base", "core", "pkg"}
	comments := map[string]string{}
	for _, s := range sources(t) {
		if slices.Contains(forbidden, path.Base(s.dir)) {
			t.Errorf("%s: a name that says nothing", s.dir)
		}
		if s.test {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), s.path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		comments[s.dir] += f.Doc.Text()
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "init" && fn.Recv == nil {
				t.Errorf("%s/%s: has an init function", s.dir, s.name)
			}
			undocumented(t, s, d)
		}
	}
	for dir, c := range comments {
		if !strings.HasPrefix(c, "Package ") && !strings.HasPrefix(c, "Command ") || strings.Count(c, "\n") < 2 {
			t.Errorf("%s: no package comment of some lines: what it is, then the rule a reader would otherwise break", dir)
		}
	}
}

// undocumented reports exported functions and types without a comment.
func undocumented(t *testing.T, s source, d ast.Decl) {
	t.Helper()
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc.Text() == "" && exportedReceiver(d) {
			t.Errorf("%s/%s: %s has no comment", s.dir, s.name, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if x, ok := spec.(*ast.TypeSpec); ok && x.Name.IsExported() && d.Doc.Text() == "" && x.Doc.Text() == "" {
				t.Errorf("%s/%s: type %s has no comment", s.dir, s.name, x.Name)
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	x := d.Recv.List[0].Type
	if p, ok := x.(*ast.StarExpr); ok {
		x = p.X
	}
	if i, ok := x.(*ast.IndexExpr); ok {
		x = i.X
	}
	id, ok := x.(*ast.Ident)
	return ok && id.IsExported()
}

// TestModule: nothing of others is replaced, so that what is published is what is built.
func TestModule(t *testing.T) {
	data, err := os.ReadFile(path.Join(root(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "replace ") {
		t.Error("go.mod replaces a module")
	}
}
