// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/decoders"
	"github.com/haidang-soc/haidang/internal/event"
)

// Options say how tests are run. The zero Options are fine.
type Options struct {
	FS        fs.FS  // where paths are looked up; nil: the operating system's files
	Inventory string // a file of the operating system in place of those the test files name
	Policy    string // a policy file in place of the built-in policy
	Filter    string // only tests whose name contains it
}

func (o Options) fs() fs.FS {
	if o.FS != nil {
		return o.FS
	}
	return osFS{}
}

// Report is what came of a run.
type Report struct {
	Files, Tests int
	Failures     []Failure
}

// Failure is one test that failed, or a file that could not be used.
type Failure struct {
	File string
	Line int
	Test string // "" when it is not about one test
	Text string
}

// Error returns file:line: test: text.
func (f Failure) Error() string {
	s := fmt.Sprintf("%s:%d: ", f.File, f.Line)
	if f.Test != "" {
		s += f.Test + ": "
	}
	return s + f.Text
}

// Run runs every test file among and below paths. The error is about reading them; tests that fail are in the report.
func Run(ctx context.Context, paths []string, o Options) (Report, error) {
	var rep Report
	fsys := o.fs()
	names, err := Find(fsys, paths...)
	if err != nil {
		return rep, err
	}
	var errs []error
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return rep, err
		}
		f, err := Load(fsys, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		c, err := f.Collection(fsys)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r, err := NewRunner(f, o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		got, n := r.Run(f, c)
		rep.Files++
		rep.Tests += n
		rep.Failures = append(rep.Failures, got...)
	}
	return rep, errors.Join(errs...)
}

// Collection reads the file's rules.
func (f *File) Collection(fsys fs.FS) (*sigma.Collection, error) {
	c := &sigma.Collection{}
	for _, name := range f.Rules {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("%s:1: rules: %w", f.Name, err)
		}
		c.Add(name, data)
	}
	c.Resolve()
	var errs []error
	for _, r := range c.Refusals {
		errs = append(errs, r)
	}
	return c, errors.Join(errs...)
}

// inventory loads the inventory that the tests run with.
func (f *File) inventory(fsys fs.FS, o Options) (*asset.Inventory, error) {
	cfg := asset.Config{Inventory: o.Inventory, Policy: o.Policy}
	if cfg.Inventory == "" && f.Inventory != "" {
		data, err := fs.ReadFile(fsys, f.Inventory)
		if err != nil {
			return nil, fmt.Errorf("%s:1: inventory: %w", f.Name, err)
		}
		tmp, err := os.MkdirTemp("", "haidang-ruletest-")
		if err != nil {
			return nil, fmt.Errorf("rule tests: %w", err)
		}
		defer os.RemoveAll(tmp)
		cfg.Inventory = filepath.Join(tmp, "inventory.yml")
		if err := os.WriteFile(cfg.Inventory, data, 0o600); err != nil {
			return nil, fmt.Errorf("rule tests: %w", err)
		}
	}
	inv, err := asset.Load(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s:1: inventory: %w", f.Name, err)
	}
	return inv, nil
}

// Runner runs tests with one inventory. One goroutine may use it at a time.
type Runner struct {
	Inventory *asset.Inventory
	Filter    string
	StopEarly bool // at the first failure

	// Seen and Told, where set, are shown every event and every emission.
	Seen func(t *Test, e event.Event)
	Told func(t *Test, a *alert.Alert)

	set *decoders.Set
}

// NewRunner loads the inventory that a file names.
func NewRunner(f *File, o Options) (*Runner, error) {
	inv, err := f.inventory(o.fs(), o)
	if err != nil {
		return nil, err
	}
	return &Runner{Inventory: inv, Filter: o.Filter, set: decoders.New(decoders.Config{})}, nil
}

// Run runs a file's tests with the given rules and returns what failed and how many ran.
func (r *Runner) Run(f *File, c *sigma.Collection) ([]Failure, int) {
	rules, refused := correlator.Compile(c)
	var list []Failure
	for _, x := range refused {
		list = append(list, Failure{File: x.File, Line: x.Line, Text: x.Reason})
	}
	n := 0
	for i := range f.Tests {
		t := &f.Tests[i]
		if !strings.Contains(t.Name, r.Filter) {
			continue
		}
		n++
		for _, text := range r.test(named(t, c), rules) {
			list = append(list, Failure{File: f.Name, Line: t.Line, Test: t.Name, Text: text})
		}
		if r.StopEarly && len(list) > 0 {
			break
		}
	}
	return list, n
}

// named returns the test with the ids of rules in the place of their names.
func named(t *Test, c *sigma.Collection) *Test {
	u := *t
	u.Alerts = slices.Clone(t.Alerts)
	for i := range u.Alerts {
		if d, ok := c.Find(u.Alerts[i].Rule); ok {
			u.Alerts[i].Rule = d.Meta().Key()
		}
	}
	return &u
}

// osFS is the operating system's files under their own names, which fs.FS would refuse when absolute.
type osFS struct{}

// Open implements fs.FS.
func (osFS) Open(name string) (fs.File, error) { return os.Open(filepath.FromSlash(name)) }
