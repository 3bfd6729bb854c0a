// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/spelling"
)

// maxErrors is how many mistakes of one file are reported at once.
const maxErrors = 20

// reader turns a tree into values and collects every mistake with its line.
type reader struct {
	file string
	errs []error
	more int
}

// field is one known key of a mapping and what to do with its value.
type field struct {
	key  string
	read func(*node)
}

func (r *reader) fail(line int, format string, args ...any) {
	if len(r.errs) >= maxErrors {
		r.more++
		return
	}
	r.errs = append(r.errs, &lineError{r.file, line, fmt.Sprintf(format, args...)})
}

func (r *reader) err() error {
	if r.more > 0 {
		return errors.Join(append(slices.Clone(r.errs), fmt.Errorf("%s: and %d more mistakes", r.file, r.more))...)
	}
	return errors.Join(r.errs...)
}

// object reads a mapping whose keys are all known.
func (r *reader) object(n *node, fields ...field) {
	if n.kind == kindNull {
		return
	}
	if n.kind != kindMap {
		r.fail(n.line, "expected %v, found %v", kindMap, n.kind)
		return
	}
	for i, k := range n.keys {
		at := slices.IndexFunc(fields, func(f field) bool { return f.key == k.text })
		if at < 0 {
			r.fail(k.line, "unknown key %q%s", k.text, suggestion(k.text, fields))
			continue
		}
		fields[at].read(n.vals[i])
	}
}

// each calls read for the elements of a list.
func (r *reader) each(read func(*node)) func(*node) {
	return func(n *node) {
		switch n.kind {
		case kindNull:
		case kindList:
			for _, item := range n.items {
				read(item)
			}
		default:
			r.fail(n.line, "expected %v, found %v", kindList, n.kind)
		}
	}
}

// entries calls read for the keys of a mapping whose keys are data.
func (r *reader) entries(read func(key, val *node)) func(*node) {
	return func(n *node) {
		switch n.kind {
		case kindNull:
		case kindMap:
			for i, k := range n.keys {
				read(k, n.vals[i])
			}
		default:
			r.fail(n.line, "expected %v, found %v", kindMap, n.kind)
		}
	}
}

func (r *reader) scalar(n *node) (string, bool) {
	if n.kind != kindScalar {
		r.fail(n.line, "expected %v, found %v", kindScalar, n.kind)
		return "", false
	}
	return n.text, true
}

func (r *reader) text(dst *string) func(*node) {
	return func(n *node) {
		if n.kind == kindNull {
			return
		}
		if s, ok := r.scalar(n); ok {
			*dst = strings.TrimSpace(s)
		}
	}
}

// name reads an identifier: what events, rules and addresses of pages refer to.
func (r *reader) name(dst *string) func(*node) {
	return func(n *node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		if !validID(s) {
			r.fail(n.line, "%q is no identifier: use a-z, 0-9, '-', '_' and '.', at most 64 characters", s)
			return
		}
		*dst = s
	}
}

func validID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.", c) >= 0) {
			return false
		}
	}
	return true
}

// mark is a text and the line it was written on, for checks that need the whole file.
type mark struct {
	text string
	line int
}

func (r *reader) marks(dst *[]mark) func(*node) {
	return r.each(func(n *node) {
		if s, ok := r.scalar(n); ok {
			*dst = append(*dst, mark{strings.TrimSpace(s), n.line})
		}
	})
}

func (r *reader) markOf(dst *mark) func(*node) {
	return func(n *node) {
		if n.kind == kindNull {
			return
		}
		if s, ok := r.scalar(n); ok {
			*dst = mark{strings.TrimSpace(s), n.line}
		}
	}
}

func (r *reader) enum(dst *string, allowed ...string) func(*node) {
	return func(n *node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		if !slices.Contains(allowed, s) {
			r.fail(n.line, "%q is not one of %s", s, strings.Join(allowed, ", "))
			return
		}
		*dst = s
	}
}

func (r *reader) integer(dst *int, low, high int) func(*node) {
	return func(n *node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		v, err := strconv.Atoi(s)
		if err != nil || v < low || v > high {
			r.fail(n.line, "%q is not a whole number from %d to %d", s, low, high)
			return
		}
		*dst = v
	}
}

func (r *reader) level(dst *uint8) func(*node) {
	return func(n *node) {
		v := 0
		r.integer(&v, 1, 5)(n)
		*dst = uint8(v)
	}
}

// date reads a day, midnight UTC: 2026-11-24 or, as it stands on decisions, 24/11/2026.
func (r *reader) date(dst *time.Time) func(*node) {
	return func(n *node) {
		if n.kind == kindNull {
			return
		}
		s, ok := r.scalar(n)
		if !ok || s == "" {
			return
		}
		for _, layout := range []string{"2006-01-02", "02/01/2006", "2/1/2006"} {
			if t, err := time.Parse(layout, s); err == nil {
				*dst = t
				return
			}
		}
		r.fail(n.line, "%q is not a date: write 2026-11-24 or 24/11/2026", s)
	}
}

func (r *reader) duration(dst *time.Duration) func(*node) {
	return func(n *node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			r.fail(n.line, "%q is not a time span: write 90s, 15m or 2h", s)
			return
		}
		*dst = d
	}
}

// prefixAt is an address range and its line.
type prefixAt struct {
	netip.Prefix
	line int
}

func (r *reader) cidrs(dst *[]prefixAt) func(*node) {
	return r.each(func(n *node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		p, err := parseRange(s)
		if err != nil {
			r.fail(n.line, "%s", err)
			return
		}
		*dst = append(*dst, prefixAt{p, n.line})
	})
}

func (r *reader) addresses(dst *[]prefixAt) func(*node) {
	return r.each(func(n *node) {
		s, ok := r.scalar(n)
		if !ok {
			return
		}
		a, err := netip.ParseAddr(strings.TrimSpace(s))
		switch {
		case err != nil && strings.Contains(s, "/"):
			r.fail(n.line, "%q is a range: list it under cidrs", s)
		case err != nil || a.Zone() != "":
			r.fail(n.line, "%q is not an IP address", s)
		default:
			a = a.Unmap()
			*dst = append(*dst, prefixAt{netip.PrefixFrom(a, a.BitLen()), n.line})
		}
	})
}

func parseRange(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	p, err := netip.ParsePrefix(s)
	if err != nil {
		if a, aerr := netip.ParseAddr(s); aerr == nil && a.Zone() == "" {
			a = a.Unmap()
			return netip.PrefixFrom(a, a.BitLen()), nil
		}
		return netip.Prefix{}, fmt.Errorf("%q is not an address range such as 10.10.1.0/24", s)
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q: write the IPv4 range itself, without the prefix ::ffff", s)
	}
	if p.Masked() != p {
		return netip.Prefix{}, fmt.Errorf("%q has bits beyond its length: did you mean %q?", s, p.Masked())
	}
	return p, nil
}

func suggestion(key string, fields []field) string {
	best, bestCost := "", len(key)/2+2
	for _, f := range fields {
		if cost := spelling.Distance(strings.ToLower(key), f.key); cost < bestCost {
			best, bestCost = f.key, cost
		}
	}
	if best != "" {
		return fmt.Sprintf(" (did you mean %q?)", best)
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	return "; known here: " + strings.Join(known, ", ")
}
