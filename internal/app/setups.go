// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/rules"
)

// setups are the rule sets, policies and inventories that this process has loaded, by name. A control record in the
// stream names one; the correlator switches where it stands. A record of an earlier process names a setup that is gone:
// then the one in use stays, which is that of the newest files.
type setups struct {
	mu    sync.Mutex
	by    map[string]correlator.Setup
	order []string // of loading; the oldest are forgotten
	last  string   // in use, or told to the correlator
}

// kept is how many setups are known: not more reloads are between the stream's end and the correlator's place.
const kept = 16

// switchTo is the payload of a control record.
type switchTo struct {
	Setup string `json:"setup"`
}

func newSetups(c *config.Config, inv *asset.Inventory) (*setups, []sigma.Refusal, error) {
	s := &setups{by: map[string]correlator.Setup{}}
	name, refused, err := s.load(c, inv)
	s.use(name)
	return s, refused, err
}

// load compiles the rules of the configuration and keeps them, with the inventory, as a setup that may be used.
func (s *setups) load(c *config.Config, inv *asset.Inventory) (name string, refused []sigma.Refusal, err error) {
	set, refused, err := LoadRules(c.BuiltinRules, c.Rules...)
	if err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256([]byte(set.Version() + "\x00" + inv.Version()))
	name = hex.EncodeToString(sum[:8])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[name] = correlator.Setup{Rules: set, Policy: inv.Policy(), Inventory: inv}
	s.order = append(slices.DeleteFunc(s.order, func(n string) bool { return n == name }), name)
	for i := 0; len(s.order) > kept; {
		if s.order[i] == s.last {
			i++
			continue
		}
		delete(s.by, s.order[i])
		s.order = slices.Delete(s.order, i, i+1)
	}
	return name, refused, nil
}

// use makes a loaded setup the current one.
func (s *setups) use(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = name
}

func (s *setups) current() correlator.Setup {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by[s.last]
}

// follow finds what a control record of the stream names.
func (s *setups) follow(control any) (correlator.Setup, error) {
	var to switchTo
	switch c := control.(type) {
	case json.RawMessage:
		if err := json.Unmarshal(c, &to); err != nil {
			return correlator.Setup{}, fmt.Errorf("control record: %w", err)
		}
	case switchTo:
		to = c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	setup, ok := s.by[to.Setup]
	if !ok {
		return correlator.Setup{}, fmt.Errorf("control record: the setup %q is of an earlier process", to.Setup)
	}
	return setup, nil
}

// LoadRules reads Sigma rules: those built in where builtin is true, and those of the paths. Rules that cannot be run
// are returned as refusals beside the set of the others; an error means that a path cannot be read.
func LoadRules(builtin bool, paths ...string) (*correlator.RuleSet, []sigma.Refusal, error) {
	all := &sigma.Collection{}
	if builtin {
		c, err := sigma.LoadFS(rules.FS, ".")
		if err != nil {
			return nil, nil, fmt.Errorf("built-in rules: %w", err)
		}
		all = c
	}
	for _, p := range paths {
		if err := all.AddPath(p); err != nil {
			return nil, nil, err
		}
	}
	all.Resolve()
	set, refused := correlator.Compile(all)
	return set, append(all.Refusals, refused...), nil
}
