// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
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
	mu   sync.Mutex
	by   map[string]correlator.Setup
	last string
}

// switchTo is the payload of a control record.
type switchTo struct {
	Setup string `json:"setup"`
}

func newSetups(c *config.Config, inv *asset.Inventory, log *slog.Logger) (*setups, error) {
	s := &setups{by: map[string]correlator.Setup{}}
	_, refused, err := s.load(c, inv)
	for _, r := range refused {
		log.Warn("a rule was refused", "error", r)
	}
	return s, err
}

// load compiles the rules of the configuration and makes them, with the inventory, the newest setup.
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
	s.last = name
	return name, refused, nil
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
