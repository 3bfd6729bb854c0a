// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile is the size of a configuration file, in bytes, above which it is refused unread.
const maxFile = 4 << 20

// Load reads and checks a file. Every error says file and line where there is one, what is wrong and what to do.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: reading %s: %w", path, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("configuration: %s is larger than %d bytes", path, maxFile)
	}
	return Parse(path, data)
}

// Parse is Load of a file's bytes. Relative paths in it are made relative to path's folder; secrets in files of their
// own are read.
func Parse(path string, data []byte) (*Config, error) {
	c := Default()
	d := yaml.NewDecoder(bytes.NewReader(data), yaml.DisallowUnknownField(), yaml.CustomUnmarshaler(size))
	err := d.Decode(c)
	if errors.Is(err, io.EOF) {
		c = Default()
	} else if wrong := (*sizeError)(nil); errors.As(err, &wrong) {
		return nil, wrong.in(path, data)
	} else if err != nil {
		return nil, explain(path, err)
	}
	dir := filepath.Dir(path)
	for _, p := range c.paths() {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	l := lines{path: path}
	if l.file, err = parser.ParseBytes(data, 0); err != nil {
		return nil, explain(path, err)
	}
	if err := c.secrets(l); err != nil {
		return nil, err
	}
	return c, errors.Join(c.check(l)...)
}

// explain turns the YAML library's error into file:line: what, with the nearest known key.
func explain(path string, err error) error {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil || y.GetToken().Position == nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	line := y.GetToken().Position.Line
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		key := y.GetToken().Value
		hint := ""
		if k := nearest(key); k != "" {
			hint = fmt.Sprintf(" (did you mean %q?)", k)
		}
		return fmt.Errorf("%s:%d: unknown key %q%s", path, line, key, hint)
	}
	return fmt.Errorf("%s:%d: %s", path, line, y.GetMessage())
}

// StoreDir is the folder of the local index.
func (c *Config) StoreDir() string {
	if c.Store.Dir != "" {
		return c.Store.Dir
	}
	return filepath.Join(c.Data, "store")
}

// paths are the options that name files.
func (c *Config) paths() []*string {
	list := []*string{&c.Data, &c.Inventory, &c.Policy, &c.HTTP.Certificate, &c.HTTP.Key, &c.Outbound.CA,
		&c.Store.Dir}
	list = append(list, c.Elasticsearch.paths()...)
	for i := range c.Rules {
		list = append(list, &c.Rules[i])
	}
	for _, x := range c.Collectors {
		if s := x.Syslog; s != nil {
			list = append(list, &s.Certificate, &s.Key, &s.ClientCA)
		}
	}
	for _, x := range c.Sinks {
		if w := x.Webhook; w != nil {
			list = append(list, &w.SecretFile)
		}
		if s := x.Slack; s != nil {
			list = append(list, &s.TokenFile)
		}
	}
	return list
}

func (c *Config) secrets(l lines) error {
	if err := c.Elasticsearch.secrets(l); err != nil {
		return err
	}
	for i, x := range c.Sinks {
		var err error
		switch {
		case x.Webhook != nil:
			err = l.secret(fmt.Sprintf("sinks[%d].webhook.secret", i), &x.Webhook.Secret, x.Webhook.SecretFile)
		case x.Slack != nil:
			err = l.secret(fmt.Sprintf("sinks[%d].slack.token", i), &x.Slack.Token, x.Slack.TokenFile)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l lines) secret(at string, s *Secret, file string) error {
	if file == "" {
		return nil
	}
	key := at[strings.LastIndexByte(at, '.')+1:]
	if *s != "" {
		return l.fail(at+"_file", "%s and %s_file are both set: keep one", key, key)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return l.fail(at+"_file", "reading the secret: %v", err)
	}
	if *s = Secret(strings.TrimSpace(string(data))); *s == "" {
		return l.fail(at+"_file", "%s is empty: write the secret into it", file)
	}
	return nil
}

// lines finds the line that an option stands on, for errors found after parsing.
type lines struct {
	path string
	file *ast.File
}

// fail makes an error at the option: collectors[1].syslog.listen, or the nearest one around it that is in the file.
func (l lines) fail(option, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	for at := option; at != ""; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
		path, err := yaml.PathString("$." + at)
		if err != nil {
			continue
		}
		if n, err := path.FilterFile(l.file); err == nil && n != nil && n.GetToken() != nil {
			return fmt.Errorf("%s:%d: %s", l.path, n.GetToken().Position.Line, text)
		}
	}
	return fmt.Errorf("%s: %s", l.path, text)
}
