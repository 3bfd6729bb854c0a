// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
	"testing"
)

// named are the libraries the program is asked to be built on: each must be in the program, and run by its tests.
var named = []string{
	"github.com/influxdata/go-syslog",
	"github.com/google/gopacket",
	"github.com/elastic/go-elasticsearch",
	"github.com/hashicorp/go-memdb",
	"github.com/prometheus/client_golang",
	"github.com/slack-go/slack",
}

// TestNamedLibraries: a package that cmd/haidang reaches imports each of them outside its tests, and has tests.
func TestNamedLibraries(t *testing.T) {
	imports, tested := map[string][]string{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			tested[s.dir] = true
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), s.path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			imports[s.dir] = append(imports[s.dir], name)
		}
	}
	reached := map[string]bool{}
	var reach func(dir string)
	reach = func(dir string) {
		if reached[dir] {
			return
		}
		reached[dir] = true
		for _, name := range imports[dir] {
			if own, ok := strings.CutPrefix(name, module+"/"); ok {
				reach(own)
			}
		}
	}
	reach("cmd/haidang")
	for _, library := range named {
		var users []string
		for dir := range reached {
			for _, name := range imports[dir] {
				if name == library || strings.HasPrefix(name, library+"/") {
					users = append(users, dir)
				}
			}
		}
		switch i := indexTested(users, tested); {
		case len(users) == 0:
			t.Errorf("%s: no package that cmd/haidang reaches imports %s", library, path.Base(library))
		case i < 0:
			t.Errorf("%s: imported by %v, none of which has tests", library, users)
		}
	}
}

func indexTested(users []string, tested map[string]bool) int {
	for i, u := range users {
		if tested[u] {
			return i
		}
	}
	return -1
}
