// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

var (
	protocols   = []string{"udp", "tcp", "tls"}
	parsers     = []string{"tolerant", "strict"}
	clientAuths = []string{"required", "optional"}
	severities  = []string{"info", "low", "medium", "high", "critical"}
	disclosures = []string{"pointer", "summary", "full"}
	encodings   = []string{"utf-8", "windows-1258", "tcvn3", "vni", "utf-16"}
	levels      = []string{"info", "debug", "warn", "error"}
)

// checker fills in what depends on other options and gathers what is wrong.
type checker struct {
	lines
	errs []error
	used map[string]bool // names and addresses
}

// check verifies the whole.
func (c *Config) check(l lines) []error {
	k := &checker{lines: l, used: map[string]bool{}}
	k.zone("time_zone", c.TimeZone)
	k.oneOf("log", &c.Log, levels)
	k.http(c)
	if c.Store.Sync < time.Second || c.Store.Sync > 10*time.Minute {
		k.fail("store.sync", "store: sync: %v is not between 1s and 10m", c.Store.Sync)
	}
	c.Elasticsearch.check(k)
	for i := range c.Origins {
		o, at := &c.Origins[i], fmt.Sprintf("origins[%d]", i)
		if _, err := Network(o.Address); err != nil {
			k.fail(at+".address", "origins: address: %v", err)
		}
		if o.TimeZone != "" {
			k.zone(at+".time_zone", o.TimeZone)
		}
		k.oneOf(at+".encoding", &o.Encoding, encodings)
	}
	for i, r := range c.Relays {
		if _, err := Network(r); err != nil {
			k.fail(fmt.Sprintf("relays[%d]", i), "relays: %v", err)
		}
	}
	for i, x := range c.Collectors {
		k.collector(fmt.Sprintf("collectors[%d]", i), i, x)
	}
	for i, x := range c.Sinks {
		k.sink(fmt.Sprintf("sinks[%d]", i), i, x)
	}
	return k.errs
}

func (k *checker) fail(at, format string, args ...any) {
	k.errs = append(k.errs, k.lines.fail(at, format, args...))
}

// oneOf sets an empty option to the first of the allowed values.
func (k *checker) oneOf(at string, s *string, allowed []string) {
	if *s == "" {
		*s = allowed[0]
	}
	if !slices.Contains(allowed, *s) {
		k.fail(at, "%s: %q is not one of %s", at[strings.LastIndexByte(at, '.')+1:], *s, strings.Join(allowed, ", "))
	}
}

func (k *checker) zone(at, name string) {
	if _, err := time.LoadLocation(name); err != nil {
		k.fail(at, "time_zone: %q is no zone of the IANA database, such as Asia/Ho_Chi_Minh", name)
	}
}

func (k *checker) http(c *Config) {
	k.address("http.listen", &c.HTTP.Listen, "8514")
	k.alone("http.listen", "tcp", c.HTTP.Listen)
	if (c.HTTP.Certificate == "") != (c.HTTP.Key == "") {
		k.fail("http", "http: certificate and key go together")
	}
	if c.PublicURL == "" {
		scheme := "http"
		if c.HTTP.Certificate != "" {
			scheme = "https"
		}
		c.PublicURL = scheme + "://" + c.HTTP.Listen
	}
	if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" {
		k.fail("public_url", "public_url: %q is no address such as https://soc.tinh.example", c.PublicURL)
	}
	if p := c.Outbound.Proxy; p != "" {
		if u, err := url.Parse(p); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			k.fail("outbound.proxy", "outbound: proxy: it is no address such as http://10.0.0.8:3128")
		}
	}
}

// name sets a name that was not given, and checks that it can be one and is the only one.
func (k *checker) name(at, what string, s *string, otherwise string) {
	if *s == "" {
		*s = otherwise
	}
	if strings.ContainsAny(*s, "/ \t\\") || len(*s) > 64 || *s == "." || *s == ".." {
		k.fail(at, "%s: the name %q: use at most 64 letters, digits, '-' and '_'", what, *s)
	}
	if k.used[what+" "+*s] {
		k.fail(at, "%s: the name %q is used twice: names must differ", what, *s)
	}
	k.used[what+" "+*s] = true
}

// alone refuses an address that another option listens on.
func (k *checker) alone(at, network, address string) {
	key := network + " " + address
	if port(address) != "0" && k.used[key] {
		k.fail(at, "listen: %s %s is listened on twice", network, address)
	}
	k.used[key] = true
}

func (k *checker) collector(at string, i int, x Collector) {
	switch {
	case (x.Syslog != nil) == (x.Netflow != nil):
		k.fail(at, "collectors: element %d: exactly one kind an element: syslog or netflow", i+1)
	case x.Syslog != nil:
		k.syslog(at+".syslog", x.Syslog)
	default:
		k.address(at+".netflow.listen", &x.Netflow.Listen, "2055")
		k.alone(at+".netflow.listen", "udp", x.Netflow.Listen)
		k.name(at+".netflow.name", "collectors", &x.Netflow.Name, "netflow"+port(x.Netflow.Listen))
	}
}

func (k *checker) syslog(at string, s *Syslog) {
	k.oneOf(at+".protocol", &s.Protocol, protocols)
	k.oneOf(at+".parser", &s.Parser, parsers)
	k.oneOf(at+".client_auth", &s.ClientAuth, clientAuths)
	k.address(at+".listen", &s.Listen, "514")
	network := "tcp"
	if s.Protocol == "udp" {
		network = "udp"
	}
	k.alone(at+".listen", network, s.Listen)
	k.name(at+".name", "collectors", &s.Name, s.Protocol+port(s.Listen))
	if s.Protocol == "tls" && (s.Certificate == "" || s.Key == "") {
		k.fail(at, "syslog: protocol tls needs certificate and key")
	}
	if s.Protocol != "tls" && (s.Certificate != "" || s.Key != "" || s.ClientCA != "") {
		k.fail(at, "syslog: certificate, key and client_ca are for protocol tls: %s would send in the clear", s.Protocol)
	}
}

func (k *checker) sink(at string, i int, x Sink) {
	switch {
	case (x.Webhook != nil) == (x.Slack != nil):
		k.fail(at, "sinks: element %d: exactly one kind an element: webhook or slack", i+1)
	case x.Webhook != nil:
		w := x.Webhook
		at += ".webhook"
		k.name(at+".name", "sinks", &w.Name, "webhook")
		if u, err := url.Parse(w.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			k.fail(at+".url", "webhook: url: it is no http or https address")
		}
		k.route(at, &w.Route)
	default:
		s := x.Slack
		at += ".slack"
		k.name(at+".name", "sinks", &s.Name, "slack")
		if s.Channel == "" || s.Token == "" {
			k.fail(at, "slack: channel and token (or token_file) are needed")
		}
		k.route(at, &s.Route)
	}
}

func (k *checker) route(at string, r *Route) {
	k.oneOf(at+".min_severity", &r.MinSeverity, severities)
	k.oneOf(at+".disclose", &r.Disclose, disclosures)
	if r.MinLevel < 0 || r.MinLevel > 5 {
		k.fail(at+".min_level", "min_level: %d is not between 0 and 5", r.MinLevel)
	}
}

// address completes an address that was not given and checks the form host:port.
func (k *checker) address(at string, s *string, otherwise string) {
	if *s == "" {
		*s = "127.0.0.1:" + otherwise
	}
	i := strings.LastIndexByte(*s, ':')
	if i < 0 || port(*s) == "" || strings.Trim(port(*s), "0123456789") != "" || len(port(*s)) > 5 {
		k.fail(at, "listen: %q is no address and port such as 10.0.0.5:%s or :%s", *s, otherwise, otherwise)
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
