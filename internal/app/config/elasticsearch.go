// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net/url"
)

// secrets reads the secrets that stand in files of their own.
func (e *Elasticsearch) secrets(l lines) error {
	if e == nil {
		return nil
	}
	if err := l.secret("elasticsearch.password", &e.Password, e.PasswordFile); err != nil {
		return err
	}
	return l.secret("elasticsearch.api_key", &e.APIKey, e.APIKeyFile)
}

func (e *Elasticsearch) check(k *checker) {
	if e == nil {
		return
	}
	const at = "elasticsearch"
	if len(e.URLs) == 0 {
		k.fail(at, "elasticsearch: urls is empty: name the nodes, such as https://es1.tinh.example:9200")
	}
	for i, u := range e.URLs {
		p, err := url.Parse(u)
		switch {
		case err != nil || p.Host == "" || p.Scheme != "https" && p.Scheme != "http":
			k.fail(fmt.Sprintf("%s.urls[%d]", at, i), "elasticsearch: urls: %q is no address such as "+
				"https://es1.tinh.example:9200", u)
		case p.User != nil:
			k.fail(fmt.Sprintf("%s.urls[%d]", at, i), "elasticsearch: urls: an address holds credentials: use username "+
				"and password_file")
		}
	}
	if e.APIKey != "" && e.Username != "" {
		k.fail(at+".api_key", "elasticsearch: api_key and username are both set: keep one")
	}
	if (e.Username == "") != (e.Password == "") {
		k.fail(at+".username", "elasticsearch: username and password (or password_file) go together")
	}
}

func (e *Elasticsearch) paths() []*string {
	if e == nil {
		return nil
	}
	return []*string{&e.CA, &e.PasswordFile, &e.APIKeyFile}
}
