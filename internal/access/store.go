// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package access knows who may do and see what: people, their roles and units, bearer tokens, and the audit of what was
// done. Two questions are always asked apart: Can (does a role allow the action) and Scope (which units' events and
// alerts may be seen), and no query reaches a store without the second. Nothing is allowed by default; a token's secret
// is stored nowhere; a revocation holds from the next request on.
package access

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrDenied is the answer to a request whose token is unknown, revoked, expired, or of a person who is off. It never
// says which: that is in the audit.
var ErrDenied = errors.New("access: denied")

// ErrNotFound is the answer to a question about a person or token that does not exist.
var ErrNotFound = errors.New("access: not found")

// ErrInvalid says that an entry cannot be as it was given; the error's text says why.
var ErrInvalid = errors.New("access: invalid")

// ErrExists says that there is a person of that id already.
var ErrExists = errors.New("access: exists already")

// maxRetries is how often a change is tried again when somebody else changed the entry meanwhile.
const maxRetries = 8

// Config is what a Store is made of.
type Config struct {
	KV    jetstream.KeyValue // people and tokens
	Audit *Audit             // every change and refusal is written here first; required
	Now   func() time.Time   // nil = time.Now
}

// Store keeps people and tokens. Every question goes to the bucket, so that a revocation holds from the next request
// on. Safe for concurrent use; methods block for a round trip to the bucket.
type Store struct {
	kv    jetstream.KeyValue
	audit *Audit
	now   func() time.Time

	denials denials
}

// New returns a Store over a bucket that exists.
func New(c Config) (*Store, error) {
	if c.KV == nil || c.Audit == nil {
		return nil, errors.New("access: a store needs a bucket and an audit")
	}
	s := &Store{kv: c.KV, audit: c.Audit, now: c.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Audit returns the audit log.
func (s *Store) Audit() *Audit { return s.audit }

// AddPerson adds a person who does not exist yet.
func (s *Store) AddPerson(ctx context.Context, actor string, p Person) error {
	if err := p.check(); err != nil {
		return fmt.Errorf("access: adding person %q: %w", p.ID, err)
	}
	p.Created = s.now().UTC()
	p.Changed = p.Created
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("access: adding person %q: %w", p.ID, err)
	}
	return s.change(actor, "person.add", p.ID, describe(p), func() error {
		_, err := s.kv.Create(ctx, "person."+p.ID, data)
		if errors.Is(err, jetstream.ErrKeyExists) {
			return fmt.Errorf("access: adding person %q: %w; change that one", p.ID, ErrExists)
		}
		return wrap(err, "adding person", p.ID)
	})
}

// ChangePerson lets change alter a person's entry; id and creation stay. change may run several times.
func (s *Store) ChangePerson(ctx context.Context, actor, id string, change func(*Person) error) error {
	return s.change(actor, "person.change", id, "", func() error {
		return update(ctx, s.kv, "person."+id, func(p *Person) error {
			created := p.Created
			if err := change(p); err != nil {
				return err
			}
			p.ID, p.Created, p.Changed = id, created, s.now().UTC()
			return p.check()
		})
	})
}

// Person returns a person by id.
func (s *Store) Person(ctx context.Context, id string) (Person, error) {
	if !validID(id) {
		return Person{}, fmt.Errorf("access: person %q: %w", id, ErrNotFound)
	}
	p, _, err := read[Person](ctx, s.kv, "person."+id)
	return p, err
}

// People returns everybody, ordered by id.
func (s *Store) People(ctx context.Context) ([]Person, error) {
	list, err := all[Person](ctx, s.kv, "person.")
	slices.SortFunc(list, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	return list, err
}

// BySlack returns the person with a Slack member id who is not off.
func (s *Store) BySlack(ctx context.Context, member string) (Person, error) {
	list, err := s.People(ctx)
	if err != nil {
		return Person{}, err
	}
	for _, p := range list {
		if member != "" && p.Slack == member && !p.Off {
			return p, nil
		}
	}
	return Person{}, fmt.Errorf("access: Slack member %q: %w", member, ErrNotFound)
}

// Issue stores a token and returns its text, which is shown once and kept nowhere.
func (s *Store) Issue(ctx context.Context, actor string, t Token) (text string, stored Token, err error) {
	if err := t.check(); err != nil {
		return "", Token{}, fmt.Errorf("access: issuing a token: %w", err)
	}
	if t.Person != "" {
		p, err := s.Person(ctx, t.Person)
		if err != nil {
			return "", Token{}, err
		}
		for _, r := range t.Roles {
			if !slices.Contains(p.Roles, r) {
				return "", Token{}, fmt.Errorf("access: issuing a token: %w: %s has no role %q", ErrInvalid, p.ID, r)
			}
		}
	}
	text, t.ID, t.Hash = newSecret()
	t.Created, t.CreatedBy, t.Revoked, t.RevokedBy = s.now().UTC(), actor, time.Time{}, ""
	data, err := json.Marshal(t)
	if err != nil {
		return "", Token{}, fmt.Errorf("access: issuing a token: %w", err)
	}
	err = s.change(actor, "token.issue", t.ID, fmt.Sprintf("name=%q person=%s roles=%v units=%v sources=%v", t.Name,
		t.Person, t.Roles, t.Units, t.Sources), func() error {
		_, err := s.kv.Create(ctx, "token."+t.ID, data)
		return wrap(err, "issuing token", t.ID)
	})
	if err != nil {
		return "", Token{}, err
	}
	return text, t, nil
}

// Revoke ends a token from the next request on. Revoking twice changes nothing.
func (s *Store) Revoke(ctx context.Context, actor, id string) error {
	return s.change(actor, "token.revoke", id, "", func() error {
		return update(ctx, s.kv, "token."+id, func(t *Token) error {
			if t.Revoked.IsZero() {
				t.Revoked, t.RevokedBy = s.now().UTC(), actor
			}
			return nil
		})
	})
}

// Tokens returns all tokens, revoked ones too, oldest first.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	list, err := all[Token](ctx, s.kv, "token.")
	slices.SortFunc(list, func(a, b Token) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return list, err
}

// Authenticate finds who shows a token. Every reason to refuse is ErrDenied; another error means that the bucket did
// not answer, and nobody is let in. remote, the caller's address, is for the audit.
func (s *Store) Authenticate(ctx context.Context, text, remote string) (Principal, error) {
	id, secret, ok := splitSecret(text)
	if !ok {
		return s.deny(id, "no token", remote)
	}
	t, _, err := read[Token](ctx, s.kv, "token."+id)
	switch {
	case errors.Is(err, ErrNotFound):
		return s.deny(id, "unknown", remote)
	case err != nil:
		return Principal{}, err
	case !t.holds(secret):
		return s.deny(id, "wrong secret", remote)
	case !t.Revoked.IsZero():
		return s.deny(id, "revoked", remote)
	case !t.Expires.IsZero() && !s.now().Before(t.Expires):
		return s.deny(id, "expired", remote)
	}
	who := Principal{Actor: "token:" + id, Token: id, Roles: t.Roles, Units: t.Units, Sources: t.Sources}
	if t.Person == "" {
		return who, nil
	}
	p, err := s.Person(ctx, t.Person)
	switch {
	case errors.Is(err, ErrNotFound):
		return s.deny(id, "person is gone", remote)
	case err != nil:
		return Principal{}, err
	case p.Off:
		return s.deny(id, "person is off", remote)
	}
	who.Actor, who.Person = p.ID, p.ID
	who.Roles = within(t.Roles, p.Roles)
	who.Units = withinUnits(t.Units, p.Units)
	return who, nil
}

// within returns what a token keeps of its person's roles: all when it names none.
func within(asked, has []Role) []Role {
	if len(asked) == 0 {
		return has
	}
	return slices.DeleteFunc(slices.Clone(asked), func(r Role) bool { return !slices.Contains(has, r) })
}

func withinUnits(asked, has []string) []string {
	if len(asked) == 0 || slices.Contains(asked, AllUnits) {
		return has
	}
	if slices.Contains(has, AllUnits) {
		return asked
	}
	return slices.DeleteFunc(slices.Clone(asked), func(u string) bool { return !slices.Contains(has, u) })
}

// change does something and writes it to the audit, refused or done. What cannot be written down is not done: the
// intention is on disk before, the failure after.
func (s *Store) change(actor, action, target, detail string, do func() error) error {
	e := Entry{At: s.now(), Actor: actor, Action: action, Target: target, Detail: detail, OK: true}
	if err := s.audit.Append(e); err != nil {
		return err
	}
	err := do()
	if err == nil {
		return nil
	}
	e.OK, e.At, e.Detail = false, s.now(), err.Error()
	return errors.Join(err, s.audit.Append(e))
}

func describe(p Person) string {
	return fmt.Sprintf("name=%q roles=%v units=%v email=%s", p.Name, p.Roles, p.Units, p.Email)
}

func wrap(err error, doing, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("access: %s %q: %w", doing, what, err)
}

func read[T any](ctx context.Context, kv jetstream.KeyValue, key string) (v T, revision uint64, err error) {
	e, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrKeyDeleted) ||
		errors.Is(err, jetstream.ErrInvalidKey) {
		return v, 0, fmt.Errorf("access: %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return v, 0, fmt.Errorf("access: reading %s: %w", key, err)
	}
	if err := json.Unmarshal(e.Value(), &v); err != nil {
		return v, 0, fmt.Errorf("access: reading %s: %w", key, err)
	}
	return v, e.Revision(), nil
}

func update[T any](ctx context.Context, kv jetstream.KeyValue, key string, change func(*T) error) error {
	for range maxRetries {
		v, revision, err := read[T](ctx, kv, key)
		if err != nil {
			return err
		}
		if err := change(&v); err != nil {
			return fmt.Errorf("access: changing %s: %w", key, err)
		}
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("access: changing %s: %w", key, err)
		}
		if _, err = kv.Update(ctx, key, data, revision); err == nil {
			return nil
		}
		if !errors.Is(err, jetstream.ErrKeyExists) {
			return fmt.Errorf("access: changing %s: %w", key, err)
		}
	}
	return fmt.Errorf("access: changing %s: others keep changing it; try again", key)
}

func all[T any](ctx context.Context, kv jetstream.KeyValue, prefix string) ([]T, error) {
	keys, err := kv.ListKeysFiltered(ctx, prefix+">")
	if err != nil {
		return nil, fmt.Errorf("access: listing %s: %w", prefix, err)
	}
	var names []string
	for k := range keys.Keys() {
		if strings.HasPrefix(k, prefix) {
			names = append(names, k)
		}
	}
	var out []T
	for _, k := range names {
		v, _, err := read[T](ctx, kv, k)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
