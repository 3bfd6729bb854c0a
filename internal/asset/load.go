// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
)

// Source is where an inventory comes from. Load reads the whole of it and returns a value that never changes; on error
// the caller keeps the one it has. Load may block on a disk or a network, ends with ctx, and is safe for concurrent
// use.
type Source interface {
	Load(ctx context.Context) (*Inventory, error)
}

// Config names the files of a File source.
type Config struct {
	// Inventory is the inventory file; empty means that nothing is known: no system, no site.
	Inventory string
	// Policy is the policy file; empty means the built-in policy.
	Policy string
	// Profiles is a folder of profiles (*.yml) in place of the built-in ones.
	Profiles string
	// Relays are the hosts that pass on what others say (the configuration's relays): behind one, the name that a sender
	// gives itself goes before the relay's address.
	Relays []netip.Prefix
}

// File is the Source of an inventory kept in files.
type File struct{ Config Config }

// Load reads the files.
func (f File) Load(ctx context.Context) (*Inventory, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("asset: loading the inventory: %w", err)
	}
	return Load(f.Config)
}

// Load reads inventory, policy and profiles. An error lists every mistake, each with file, line and cure.
func Load(c Config) (*Inventory, error) {
	sum := sha256.New()
	read := func(name string) ([]byte, error) {
		if name == "" {
			return nil, nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("asset: %w", err)
		}
		return data, nil
	}
	inventory, err := read(c.Inventory)
	if err != nil {
		return nil, err
	}
	policyData, err := read(c.Policy)
	if err != nil {
		return nil, err
	}
	var dir fs.FS
	where := "profiles (built in)"
	if dir, err = fs.Sub(builtinProfiles, "profiles"); c.Profiles != "" {
		dir, where = os.DirFS(c.Profiles), c.Profiles
	} else if err != nil {
		return nil, fmt.Errorf("asset: profiles: %w", err)
	}
	laws, err := loadProfiles(dir, where)
	if err != nil {
		return nil, err
	}
	policy := DefaultPolicy()
	var errPolicy error
	if c.Policy != "" {
		policy, errPolicy = parsePolicy(c.Policy, policyData, policy)
	}
	d, err := readInventory(c.Inventory, inventory)
	if err = errors.Join(err, errPolicy); err != nil {
		return nil, err
	}
	inv, err := d.build(policy, laws)
	if err != nil {
		return nil, err
	}
	var relays []prefixAt
	for _, p := range c.Relays {
		if p = p.Masked(); p.IsValid() {
			relays = append(relays, prefixAt{Prefix: p})
		}
	}
	inv.relays = newRanges(relays)
	for _, part := range [][]byte{inventory, policyData, defaultPolicy, laws.sum} {
		h := sha256.Sum256(part)
		sum.Write(h[:])
	}
	inv.version = hex.EncodeToString(sum.Sum(nil)[:8])
	return inv, nil
}

// Holder holds the inventory in use. The zero Holder is not usable: NewHolder.
type Holder struct {
	source Source
	mu     sync.Mutex // one reload at a time
	now    atomic.Pointer[Inventory]
}

// NewHolder loads the first inventory; without one there is no Holder.
func NewHolder(ctx context.Context, source Source) (*Holder, error) {
	h := &Holder{source: source}
	if _, err := h.Reload(ctx); err != nil {
		return nil, err
	}
	return h, nil
}

// Get returns the inventory in use. It never blocks, and two calls for one event may give two versions: call it once.
func (h *Holder) Get() *Inventory { return h.now.Load() }

// Store puts an inventory in use that was loaded elsewhere.
func (h *Holder) Store(inv *Inventory) { h.now.Store(inv) }

// Reload loads the inventory anew and puts it in use; on error the old one stays. It reports whether the content
// changed. Safe for concurrent use.
func (h *Holder) Reload(ctx context.Context) (changed bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	inv, err := h.source.Load(ctx)
	if err != nil {
		return false, err
	}
	old := h.now.Swap(inv)
	return old == nil || old.version != inv.version, nil
}
