// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// tokenPrefix begins every token, so that scanners of leaked secrets find it.
const tokenPrefix = "hdt_"

// Token is a bearer token as stored: its secret is not in it, only a hash. It belongs to a person and can do at most
// what that person can, or to a program (no Person), which can do what its own Roles and Sources say.
type Token struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`              // what it is for
	Person    string    `json:"person,omitempty"`  //
	Roles     []Role    `json:"roles,omitempty"`   // of a person's token: a part of the person's; none = all of them
	Units     []string  `json:"units,omitempty"`   // likewise
	Sources   []string  `json:"sources,omitempty"` // of /v1/spool: names, or prefixes that end in /*
	Hash      string    `json:"hash"`              // SHA-256 of the secret, hex
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
	Expires   time.Time `json:"expires,omitzero"`
	Revoked   time.Time `json:"revoked,omitzero"`
	RevokedBy string    `json:"revoked_by,omitempty"`
}

// check reports what is wrong with a token that is to be issued.
func (t *Token) check() error {
	var errs []error
	if t.Name == "" || len(t.Name) > 256 {
		errs = append(errs, errors.New("name: say in at most 256 bytes what the token is for"))
	}
	if t.Person != "" && !validID(t.Person) {
		errs = append(errs, fmt.Errorf("person %q: no person's id", t.Person))
	}
	if t.Person == "" && len(t.Roles) == 0 {
		errs = append(errs, errors.New("roles: a token without a person needs its own"))
	}
	if slices.Contains(t.Roles, Service) && len(t.Sources) == 0 {
		errs = append(errs, errors.New("sources: a service's token needs the names of what it delivers"))
	}
	for _, s := range t.Sources {
		name := strings.TrimSuffix(s, "/*")
		if name == "" || len(s) > 256 || strings.ContainsAny(name, "*\x00\r\n") {
			errs = append(errs, fmt.Errorf("source %q: give a name, or a prefix that ends in /*", s))
		}
	}
	return invalid(append(errs, checkRoles(t.Roles), checkUnits(t.Units)))
}

// newSecret returns a token as its owner keeps it, its id and the hash that is stored. 256 random bits need no slow
// hash.
func newSecret() (text, id, hash string) {
	var raw [38]byte
	rand.Read(raw[:]) // never fails
	id = hex.EncodeToString(raw[:6])
	secret := base64.RawURLEncoding.EncodeToString(raw[6:])
	return tokenPrefix + id + "_" + secret, id, hashOf(secret)
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// splitSecret takes a token apart.
func splitSecret(text string) (id, secret string, ok bool) {
	text, ok = strings.CutPrefix(text, tokenPrefix)
	if !ok || len(text) > 128 {
		return "", "", false
	}
	id, secret, ok = strings.Cut(text, "_")
	return id, secret, ok && validID(id) && secret != ""
}

// holds reports, in constant time, whether the secret is the token's.
func (t *Token) holds(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(t.Hash), []byte(hashOf(secret))) == 1
}
