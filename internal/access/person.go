// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// AllUnits stands in Units for the whole province.
const AllUnits = "*"

// Person is someone who uses the system. Who is off keeps the entry, for the sake of the audit, and may do nothing.
type Person struct {
	ID      string    `json:"id"` // a-z, 0-9, '-', '_', '.'
	Name    string    `json:"name"`
	Roles   []Role    `json:"roles"`
	Units   []string  `json:"units"` // inventory unit ids, or AllUnits; none: sees nothing
	Email   string    `json:"email,omitempty"`
	Slack   string    `json:"slack,omitempty"` // Slack member id
	Off     bool      `json:"off,omitempty"`
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
}

// Scope returns what the person may see. below expands units to those under them (asset.Inventory.UnitsUnder); nil
// means that a unit is only itself.
func (p *Person) Scope(below func(units ...string) []string) Scope { return scopeOf(p.Units, below) }

func scopeOf(units []string, below func(units ...string) []string) Scope {
	switch {
	case slices.Contains(units, AllUnits):
		return Everything()
	case below != nil:
		return Units(append(slices.Clone(units), below(units...)...)...)
	}
	return Units(units...)
}

// check reports what is wrong with the entry and brings its texts into the form that is stored.
func (p *Person) check() error {
	p.Name, p.Email = norm.NFC.String(strings.TrimSpace(p.Name)), strings.TrimSpace(p.Email)
	var errs []error
	if !validID(p.ID) {
		errs = append(errs, fmt.Errorf("id %q: use a-z, 0-9, '-', '_' and '.', at most 64 characters", p.ID))
	}
	if p.Name == "" || len(p.Name) > 256 {
		errs = append(errs, errors.New("name: give one of at most 256 bytes"))
	}
	if p.Email != "" && (strings.Count(p.Email, "@") != 1 || strings.ContainsAny(p.Email, " \t\r\n<>,;") ||
		len(p.Email) > 254) {
		errs = append(errs, fmt.Errorf("e-mail %q: not an address", p.Email))
	}
	if strings.ContainsAny(p.Slack, " \t\r\n@") || len(p.Slack) > 64 {
		errs = append(errs, fmt.Errorf("slack %q: give the member id, such as U024BE7LH", p.Slack))
	}
	errs = append(errs, checkRoles(p.Roles), checkUnits(p.Units))
	return invalid(errs)
}

// invalid joins what is wrong with an entry, nil when nothing is.
func invalid(errs []error) error {
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func checkRoles(roles []Role) error {
	for _, r := range roles {
		if !r.Known() {
			return fmt.Errorf("role %q: use %v", r, Roles())
		}
	}
	return nil
}

func checkUnits(units []string) error {
	for _, u := range units {
		if u != AllUnits && !validID(u) {
			return fmt.Errorf("unit %q: give an id of the inventory, or %s for all", u, AllUnits)
		}
	}
	return nil
}

func validID(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}
