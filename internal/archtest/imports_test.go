// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/haidang-soc/haidang"

// root is the repository's folder.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// allowed is the import table: what the non-test files of a package may import of this module. A row ending in /... is
// for the folder and all below it, where no row of its own is.
var allowed = map[string][]string{
	"cmd/haidang": {"internal/app/...", "internal/access", "internal/alert", "internal/asset", "internal/decoders",
		"internal/backup", "internal/event", "internal/ledger", "collectors/netflow", "internal/sinks",
		"correlator/...", "dashboards/...", "rules"},
	"collectors":                {"internal/event"},
	"collectors/collectorstest": {"collectors", "internal/event"},
	"collectors/syslog":         {"collectors", "collectors/socket", "internal/event"},
	"collectors/socket":         {"internal/event", "internal/safefile"},
	"collectors/netflow": {"collectors", "collectors/socket", "collectors/netflow/flow", "internal/event",
		"internal/safefile"},
	"collectors/netflow/flow": {},
	"correlator": {"correlator/sigma/...", "internal/alert", "internal/asset", "internal/event", "internal/safefile",
		"internal/spool"},
	"correlator/sigma":      {},
	"correlator/sigma/eval": {"correlator/sigma", "internal/event", "internal/event/fulltext"},
	"correlator/ruletest": {"correlator", "correlator/sigma/...", "internal/alert", "internal/asset", "internal/decoders",
		"internal/event", "internal/spool"},
	"dashboards/console/...": {"internal/access", "internal/alert", "internal/asset", "internal/event", "internal/ledger",
		"internal/sinks", "internal/store", "internal/backup",
		"internal/store/kql", "internal/spool", "correlator/sigma"},
	"internal/access":          {"internal/event"},
	"internal/alert":           {"internal/access", "internal/event", "internal/event/fulltext"},
	"internal/app":             {"..."},
	"internal/app/...":         {"..."},
	"internal/app/config":      {"internal/spelling"},
	"internal/archtest":        {},
	"internal/backup":          {"internal/safefile"},
	"internal/corpora":         {},
	"internal/asset":           {"internal/event", "internal/spelling"},
	"internal/decoders":        {"internal/decoders/...", "internal/event"},
	"internal/decoders/syslog": {"internal/decoders/text", "internal/event"},
	"internal/decoders/text":   {},
	"internal/event":           {},
	"internal/event/fulltext":  {},
	"internal/event/gen":       {},
	"internal/ledger": {"internal/asset", "internal/event", "internal/safefile", "internal/spool",
		"internal/store"},
	"internal/natstest":       {},
	"internal/safefile":       {},
	"internal/sinks":          {"internal/alert", "internal/safefile"},
	"internal/sinks/...":      {"internal/alert", "internal/sinks", "internal/sinks/outbound"},
	"internal/sinks/outbound": {"internal/sinks"},
	"internal/sinks/sinktest": {"internal/alert", "internal/event", "internal/sinks"},
	"internal/spelling":       {},
	"internal/spool":          {"internal/event", "internal/safefile"},
	"internal/spool/ingest":   {"internal/spool", "internal/event"},
	"internal/store":          {"internal/access", "internal/event", "internal/spool", "internal/store/kql"},
	"internal/store/kql":      {"internal/event", "internal/event/fulltext"},
	"internal/store/local": {"internal/access", "internal/event", "internal/event/fulltext", "internal/safefile",
		"internal/spool", "internal/store", "internal/store/kql"},
	"internal/store/elastic": {"internal/event", "internal/safefile", "internal/spool", "internal/store",
		"internal/store/kql"},
	"internal/store/storetest": {"internal/access", "internal/event", "internal/event/fulltext", "internal/spool",
		"internal/store", "internal/store/kql"},
	"deploy/sample": {},
	"rules":         {},
}

// source is one Go file.
type source struct {
	dir, name string // dir is relative to the root, with slashes
	path      string
	test      bool
}

func sources(tb testing.TB) (list []source) {
	tb.Helper()
	top := root(tb)
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") && p != top {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(p, ".go") {
			rel, _ := filepath.Rel(top, p)
			list = append(list, source{path.Dir(filepath.ToSlash(rel)), d.Name(), p, strings.HasSuffix(p, "_test.go")})
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

// row finds the package's row: its own, else the longest that ends in /... above it.
func row(pkg string) ([]string, bool) {
	if r, ok := allowed[pkg]; ok {
		return r, true
	}
	for dir := pkg; dir != "."; dir = path.Dir(dir) {
		if r, ok := allowed[dir+"/..."]; ok {
			return r, true
		}
	}
	return nil, false
}

func permitted(row []string, imported string) bool {
	return slices.ContainsFunc(row, func(r string) bool {
		base, tree := strings.CutSuffix(r, "...")
		return r == imported || tree && (strings.HasPrefix(imported+"/", base))
	})
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		seen[s.dir] = true
		r, ok := row(s.dir)
		if !ok {
			t.Errorf("%s: the package has no row in the import table", s.dir)
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), s.path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if name == "reflect" && !s.test {
				t.Errorf("%s/%s imports reflect", s.dir, s.name)
			}
			own, ok := strings.CutPrefix(name, module+"/")
			if ok && !s.test && own != s.dir && !permitted(r, own) {
				t.Errorf("%s/%s imports %s: its row does not say so", s.dir, s.name, own)
			}
		}
	}
	for pkg := range allowed {
		dir, tree := strings.CutSuffix(pkg, "/...")
		if !tree && !seen[dir] {
			t.Logf("the row %s has no package", pkg)
		}
	}
}
