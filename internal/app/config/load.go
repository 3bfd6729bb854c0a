// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
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
	d := yaml.NewDecoder(bytes.NewReader(data), yaml.DisallowUnknownField())
	if err := d.Decode(c); errors.Is(err, io.EOF) {
		c = Default()
	} else if err != nil {
		return nil, explain(path, err)
	}
	dir := filepath.Dir(path)
	for _, p := range c.paths() {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	l := lines{path: path, data: string(data)}
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

// paths are the options that name files.
func (c *Config) paths() []*string {
	list := []*string{&c.Data, &c.Inventory, &c.Policy, &c.HTTP.Certificate, &c.HTTP.Key, &c.Outbound.CA}
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
	for _, x := range c.Sinks {
		var err error
		switch {
		case x.Webhook != nil:
			err = l.secret("secret", &x.Webhook.Secret, x.Webhook.SecretFile)
		case x.Slack != nil:
			err = l.secret("token", &x.Slack.Token, x.Slack.TokenFile)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lines finds the line that an option stands on, for errors found after parsing.
type lines struct{ path, data string }

// fail makes an error at the first line that holds the text.
func (l lines) fail(text, format string, args ...any) error {
	for i, line := range strings.Split(l.data, "\n") {
		if text != "" && strings.Contains(line, text) {
			return fmt.Errorf("%s:%d: %s", l.path, i+1, fmt.Sprintf(format, args...))
		}
	}
	return fmt.Errorf("%s: %s", l.path, fmt.Sprintf(format, args...))
}

func (l lines) secret(key string, s *Secret, file string) error {
	if file == "" {
		return nil
	}
	if *s != "" {
		return l.fail(key+"_file", "%s and %s_file are both set: keep one", key, key)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return l.fail(key+"_file", "reading the secret: %v", err)
	}
	*s = Secret(strings.TrimSpace(string(data)))
	return nil
}

var (
	protocols   = []string{"udp", "tcp", "tls"}
	parsers     = []string{"tolerant", "strict"}
	severities  = []string{"info", "low", "medium", "high", "critical"}
	disclosures = []string{"pointer", "summary", "full"}
	encodings   = []string{"utf-8", "windows-1258", "tcvn3", "vni", "utf-16"}
	levels      = []string{"debug", "info", "warn", "error"}
)

// check fills in what depends on other options and verifies the whole.
func (c *Config) check(l lines) (errs []error) {
	fail := func(text, format string, args ...any) { errs = append(errs, l.fail(text, format, args...)) }
	oneOf := func(key string, s *string, allowed []string) {
		if *s == "" {
			*s = allowed[0]
		}
		if !slices.Contains(allowed, *s) {
			fail(key+":", "%s: %q is not one of %s", key, *s, strings.Join(allowed, ", "))
		}
	}
	zone := func(name string) {
		if _, err := time.LoadLocation(name); err != nil {
			fail("time_zone:", "time_zone: %q is no zone of the IANA database, such as Asia/Ho_Chi_Minh", name)
		}
	}
	zone(c.TimeZone)
	if c.Log == "" {
		c.Log = "info"
	}
	oneOf("log", &c.Log, levels)
	if (c.HTTP.Certificate == "") != (c.HTTP.Key == "") {
		fail("http:", "http: certificate and key go together")
	}
	if c.PublicURL == "" {
		scheme := "http"
		if c.HTTP.Certificate != "" {
			scheme = "https"
		}
		c.PublicURL = scheme + "://" + c.HTTP.Listen
	}
	if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" {
		fail("public_url:", "public_url: %q is no address such as https://soc.tinh.example", c.PublicURL)
	}
	if c.Store.Sync < time.Second || c.Store.Sync > 10*time.Minute {
		fail("sync:", "store: sync: %v is not between 1s and 10m", c.Store.Sync)
	}
	for i := range c.Origins {
		o := &c.Origins[i]
		if _, err := Network(o.Address); err != nil {
			fail(o.Address, "origins: address: %v", err)
		}
		if o.TimeZone != "" {
			zone(o.TimeZone)
		}
		oneOf("encoding", &o.Encoding, encodings)
	}
	for _, r := range c.Relays {
		if _, err := Network(r); err != nil {
			fail(r, "relays: %v", err)
		}
	}
	names := map[string]bool{}
	name := func(what string, s *string, otherwise string) {
		if *s == "" {
			*s = otherwise
		}
		if strings.ContainsAny(*s, "/ \t\\") || len(*s) > 64 {
			fail(*s, "%s: the name %q: use at most 64 letters, digits, '-' and '_'", what, *s)
		}
		if names[what+*s] {
			fail(*s, "%s: the name %q is used twice: names must differ", what, *s)
		}
		names[what+*s] = true
	}
	for i, x := range c.Collectors {
		switch {
		case x.Syslog != nil && x.Netflow != nil || x.Syslog == nil && x.Netflow == nil:
			fail("collectors:", "collectors: element %d: exactly one kind an element: syslog or netflow", i+1)
		case x.Syslog != nil:
			s := x.Syslog
			oneOf("protocol", &s.Protocol, protocols)
			oneOf("parser", &s.Parser, parsers)
			l.address(fail, &s.Listen, "514")
			name("collectors", &s.Name, s.Protocol+port(s.Listen))
			if s.Protocol == "tls" && (s.Certificate == "" || s.Key == "") {
				fail(s.Listen, "syslog: protocol tls needs certificate and key")
			}
		default:
			l.address(fail, &x.Netflow.Listen, "2055")
			name("collectors", &x.Netflow.Name, "netflow"+port(x.Netflow.Listen))
		}
	}
	for i, x := range c.Sinks {
		var r *Route
		switch {
		case x.Webhook != nil && x.Slack == nil:
			w := x.Webhook
			r = &w.Route
			name("sinks", &w.Name, "webhook")
			if u, err := url.Parse(w.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
				fail("url:", "webhook: url: %q is no http or https address", w.URL)
			}
		case x.Slack != nil && x.Webhook == nil:
			s := x.Slack
			r = &s.Route
			name("sinks", &s.Name, "slack")
			if s.Channel == "" || s.Token == "" {
				fail("slack:", "slack: channel and token (or token_file) are needed")
			}
		default:
			fail("sinks:", "sinks: element %d: exactly one kind an element: webhook or slack", i+1)
			continue
		}
		oneOf("min_severity", &r.MinSeverity, severities)
		oneOf("disclose", &r.Disclose, disclosures)
		if r.MinLevel < 0 || r.MinLevel > 5 {
			fail("min_level:", "min_level: %d is not between 0 and 5", r.MinLevel)
		}
	}
	return errs
}

// address completes ":514" and checks the form host:port.
func (l lines) address(fail func(string, string, ...any), s *string, otherwise string) {
	if *s == "" {
		*s = "127.0.0.1:" + otherwise
	}
	i := strings.LastIndexByte(*s, ':')
	if i < 0 || port(*s) == "" || strings.Trim(port(*s), "0123456789") != "" {
		fail(*s, "listen: %q is no address and port such as 10.0.0.5:%s or :%s", *s, otherwise, otherwise)
	}
}

func port(listen string) string { return listen[strings.LastIndexByte(listen, ':')+1:] }

// Network reads an address or a CIDR network.
func Network(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no IP address and no CIDR network", s)
	}
	return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
}
