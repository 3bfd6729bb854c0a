// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestElasticsearch(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("a2V5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	parse := func(text string) (*Config, error) {
		return Parse(filepath.Join(dir, "haidang.yml"), []byte("elasticsearch:\n  "+strings.ReplaceAll(text, "; ", "\n  ")))
	}
	c, err := parse(`urls: ["https://es1.tinh.example:9200", "http://127.0.0.1:9200"]; api_key_file: key; ca: ca.pem`)
	if err != nil {
		t.Fatal(err)
	}
	e := c.Elasticsearch
	if len(e.URLs) != 2 || e.APIKey != "a2V5" || e.CA != filepath.Join(dir, "ca.pem") {
		t.Errorf("%+v", e)
	}
	if strings.Contains(fmt.Sprintf("%+v", e), "a2V5") {
		t.Errorf("a secret is printed: %+v", e)
	}
	for text, want := range map[string]string{
		"urls: []":                                                   "urls is empty",
		"urls: [es1]":                                                `:2: elasticsearch: urls: "es1" is no address`,
		`urls: ["https://u:p@es1"]`:                                  "holds credentials",
		"urls: [http://a]; username: u":                              "go together",
		"urls: [http://a]; password: p":                              "go together",
		"urls: [http://a]; password_file: none":                      ":3: reading the secret",
		"urls: [http://a]; api_key: k; api_key_file: key":            "both set",
		"urls: [http://a]; api_key: k; username: u; password: p":     "api_key and username",
		"urls: [http://a]; api_keys: k":                              `did you mean "api_key"`,
		"urls: [http://a]; username: u; password: x; sniffing: true": "unknown key",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
