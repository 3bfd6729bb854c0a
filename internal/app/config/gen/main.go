// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Command gen writes docs/configuration.md from the comments of package config.
//
// The comment of a field is what people read of an option: write it for them. Run it with
// `go generate ./internal/app/config`.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
)

const intro = `# haidang.yml

Written by internal/app/config/gen from the comments of its types; do not edit.

Unknown keys are refused with file, line and the nearest known key. Paths are relative to the folder of the file.
` + "`haidang check --config haidang.yml`" + ` reads everything as the server would. SIGHUP reads inventory, policy and
rules anew; what concerns sockets, sinks and limits needs a restart. A complete example is deploy/haidang.yml.
`

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "config/gen:", err)
		os.Exit(1)
	}
}

func run() error {
	f, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		return err
	}
	defaults := defaultsOf(f)
	var out bytes.Buffer
	out.WriteString(intro)
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, spec := range g.Specs {
			t := spec.(*ast.TypeSpec)
			s, ok := t.Type.(*ast.StructType)
			if !ok {
				continue
			}
			text := strings.TrimSpace(strings.Join(strings.Fields(g.Doc.Text()), " "))
			fmt.Fprintf(&out, "\n## %s\n\n%s\n\n| key | type | default | what |\n|---|---|---|---|\n", t.Name, text)
			rows(&out, s, t.Name.Name, defaults)
		}
	}
	return os.WriteFile("../../../docs/configuration.md", out.Bytes(), 0o644)
}

func rows(out *bytes.Buffer, s *ast.StructType, name string, defaults map[string]string) {
	doc := ""
	for _, f := range s.Fields.List {
		if f.Doc.Text() != "" {
			doc = strings.Join(strings.Fields(f.Doc.Text()), " ")
		}
		key := tag(f)
		if key == "" {
			if len(f.Names) == 0 {
				fmt.Fprintf(out, "| | | | and the keys of %s |\n", typeOf(f.Type))
			}
			continue
		}
		fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", key, typeOf(f.Type), defaults[name+"."+f.Names[0].Name],
			strings.ReplaceAll(doc, "|", "\\|"))
	}
}

func tag(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	_, rest, ok := strings.Cut(f.Tag.Value, `yaml:"`)
	if !ok {
		return ""
	}
	key, _, _ := strings.Cut(rest, `"`)
	key, _, _ = strings.Cut(key, ",")
	return key
}

func typeOf(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return typeOf(x.X)
	case *ast.ArrayType:
		return "list of " + typeOf(x.Elt)
	case *ast.SelectorExpr:
		return strings.ToLower(x.Sel.Name)
	case *ast.Ident:
		return x.Name
	}
	return "?"
}

// defaultsOf reads the literal that Default returns.
func defaultsOf(f *ast.File) map[string]string {
	found := map[string]string{}
	var walk func(owner string, lit *ast.CompositeLit)
	walk = func(owner string, lit *ast.CompositeLit) {
		for _, e := range lit.Elts {
			kv, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			key := owner + "." + kv.Key.(*ast.Ident).Name
			switch v := kv.Value.(type) {
			case *ast.BasicLit:
				found[key] = "`" + strings.Trim(v.Value, `"`) + "`"
			case *ast.Ident:
				found[key] = "`" + v.Name + "`"
			case *ast.BinaryExpr:
				if n, ok := v.X.(*ast.BasicLit); ok {
					found[key] = "`" + n.Value + "s`"
				}
			case *ast.CompositeLit:
				walk(v.Type.(*ast.Ident).Name, v)
			}
		}
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != "Default" {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			if lit, ok := n.(*ast.CompositeLit); ok {
				walk("Config", lit)
				return false
			}
			return true
		})
	}
	return found
}
