// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads haidang.yml.
//
// Unknown keys are refused with file, line and the nearest known key: a misspelt option that is quietly ignored is an
// alert that quietly does not fire. Every option has a default that Default states; a secret may stand in the file or
// in one of its own (the key with _file added), never in both. Paths are relative to the folder of haidang.yml.
package config

import (
	"time"
)

//go:generate go run ./gen

// Config is the whole of haidang.yml.
type Config struct {
	// Data is the folder that holds everything haidang keeps.
	Data string `yaml:"data"`
	// Inventory is the file that lists information systems, units, zones and sites.
	Inventory string `yaml:"inventory"`
	// Policy is the file of the province's own severity table and thresholds; empty means the built-in one.
	Policy string `yaml:"policy"`
	// Rules are folders or files of Sigma rules beside the built-in ones.
	Rules []string `yaml:"rules"`
	// BuiltinRules is false to run without the rules that come with the program.
	BuiltinRules bool `yaml:"builtin_rules"`
	// TimeZone is that of senders who do not say theirs, unless their clocks tell another.
	TimeZone string `yaml:"time_zone"`
	// Collectors are what brings events in.
	Collectors []Collector `yaml:"collectors"`
	// HTTP is where the console, the API and /v1/spool listen.
	HTTP HTTP `yaml:"http"`
	// PublicURL is how people reach the console: the start of the link in every message.
	PublicURL string `yaml:"public_url"`
	// Spool bounds the durable stream.
	Spool Spool `yaml:"spool"`
	// Store bounds the local index.
	Store Store `yaml:"store"`
	// Elasticsearch is where events and alerts are indexed beside the local index; off when it is missing.
	Elasticsearch *Elasticsearch `yaml:"elasticsearch"`
	// Sinks are where alerts go.
	Sinks []Sink `yaml:"sinks"`
	// Outbound is how the program reaches other networks.
	Outbound Outbound `yaml:"outbound"`
	// Origins set time zone and encoding of single senders.
	Origins []Origin `yaml:"origins"`
	// Relays are the addresses or CIDR networks of hosts that pass on what others say: behind them senders are told apart
	// by host name, and get a minute to arrive.
	Relays []string `yaml:"relays"`
	// Log is how much is logged: debug, info, warn or error.
	Log string `yaml:"log"`
}

// HTTP is a listener of the console and the API.
type HTTP struct {
	// Listen is the address; only this machine reaches it unless told otherwise.
	Listen string `yaml:"listen"`
	// Certificate and Key are PEM files; with them the listener speaks TLS only.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Spool bounds the durable stream that events pass through.
type Spool struct {
	// MaxBytes is how much the stream may take, in bytes or as 40GiB; 0 means three quarters of what is free at start.
	MaxBytes int64 `yaml:"max_bytes"`
	// Reserve is the free space, in bytes, below which nothing is taken any more; 0 means the larger of 1 GiB and 5 %.
	Reserve int64 `yaml:"reserve"`
}

// Store bounds the local index.
type Store struct {
	// Dir is the folder of the index, where it is to have a file system of its own; empty means store under data. To
	// move an index, stop the server and move the folder.
	Dir string `yaml:"dir"`
	// Reserve is the free space, in bytes, below which indexing stops until there is more, while the spool has room; 0
	// means 1 GiB. Half of it is for what was taken already, so it must be more than what is indexed between two syncs.
	Reserve int64 `yaml:"reserve"`
	// Memory is what the index may use for caches, in bytes; 0 means a quarter of the machine's memory.
	Memory int64 `yaml:"memory"`
	// Sync is how often what was indexed is made safe.
	Sync time.Duration `yaml:"sync"`
}

// Elasticsearch is a cluster, 8.0 or later. Events stay in the spool until it has acknowledged them.
type Elasticsearch struct {
	// URLs are the nodes, such as https://es1.tinh.example:9200.
	URLs []string `yaml:"urls"`
	// Username is for basic authentication.
	Username string `yaml:"username"`
	// Password goes with Username; PasswordFile is a file that holds it.
	Password     Secret `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
	// APIKey is an API key as Elasticsearch encodes it, instead of Username; APIKeyFile is a file that holds it.
	APIKey     Secret `yaml:"api_key"`
	APIKeyFile string `yaml:"api_key_file"`
	// CA is a PEM file of the only certificate authorities to trust; empty means the system's.
	CA string `yaml:"ca"`
}

// Origin is a sender that needs to be told apart: by address or network.
type Origin struct {
	// Address is an IP address or a CIDR network.
	Address string `yaml:"address"`
	// TimeZone is the zone of its clock; stated here it is not guessed.
	TimeZone string `yaml:"time_zone"`
	// Encoding is utf-8 (the default), windows-1258, tcvn3, vni or utf-16.
	Encoding string `yaml:"encoding"`
	// Site is the site its addresses belong to.
	Site string `yaml:"site"`
}

// Outbound is how the program reaches other networks.
type Outbound struct {
	// Proxy is the URL of an HTTP or HTTPS proxy; empty means a direct connection.
	Proxy string `yaml:"proxy"`
	// CA is a PEM file of certificate authorities to trust beside the system's.
	CA string `yaml:"ca"`
}

// Collector is one way events come in; exactly one kind is set.
type Collector struct {
	Syslog  *Syslog  `yaml:"syslog"`
	Netflow *Netflow `yaml:"netflow"`
}

// Syslog listens for syslog.
type Syslog struct {
	// Name is the listener's name in event sources, metrics and logs; it must not change, since events are numbered by
	// it. The default is the protocol and port.
	Name string `yaml:"name"`
	// Listen is the address and port.
	Listen string `yaml:"listen"`
	// Protocol is udp (the default), tcp or tls.
	Protocol string `yaml:"protocol"`
	// Site is the site that the senders' addresses belong to.
	Site string `yaml:"site"`
	// Certificate and Key are PEM files, for tls.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	// ClientCA is a PEM file: senders must show a certificate that one of its authorities signed.
	ClientCA string `yaml:"client_ca"`
	// ClientAuth is required (the default), or optional: senders without a certificate are taken, wrong ones are not.
	ClientAuth string `yaml:"client_auth"`
	// MaxMessage is the longest line in bytes; the rest is cut and the event marked. 0 is 65536.
	MaxMessage int `yaml:"max_message"`
	// MaxConnections bounds tcp and tls. 0 is 16384, at most half the files the process may open.
	MaxConnections int `yaml:"max_connections"`
	// Idle is how long a silent connection is kept. 0 is an hour.
	Idle time.Duration `yaml:"idle"`
	// Parser is tolerant (the default), or strict: RFC 5424 and RFC 3164 to the letter.
	Parser string `yaml:"parser"`
}

// Netflow listens for NetFlow v5, v9 and IPFIX.
type Netflow struct {
	// Name is the listener's name in event sources, metrics and logs; it must not change.
	Name string `yaml:"name"`
	// Listen is the address and port.
	Listen string `yaml:"listen"`
	// Site is the site that the flows' addresses belong to.
	Site string `yaml:"site"`
}

// Sink is one way alerts go out; exactly one kind is set.
type Sink struct {
	Webhook *Webhook `yaml:"webhook"`
	Slack   *Slack   `yaml:"slack"`
}

// Route says which alerts a sink gets and how much of them.
type Route struct {
	// MinSeverity is info (the default), low, medium, high or critical.
	MinSeverity string `yaml:"min_severity"`
	// MinLevel is the lowest system level, 0 to 5.
	MinLevel int `yaml:"min_level"`
	// Systems are inventory ids; none means every system.
	Systems []string `yaml:"systems"`
	// Disclose is pointer (the default: id, severity, level, link), summary or full.
	Disclose string `yaml:"disclose"`
	// StateSecrets is true to send alerts of systems that hold state secrets.
	StateSecrets bool `yaml:"state_secrets"`
}

// Webhook posts alerts as JSON.
type Webhook struct {
	// Name is the sink's name in the outbox, metrics and logs.
	Name string `yaml:"name"`
	// URL is where to post.
	URL string `yaml:"url"`
	// Secret signs each message; SecretFile is a file that holds it.
	Secret     Secret `yaml:"secret"`
	SecretFile string `yaml:"secret_file"`
	Route      `yaml:",inline"`
}

// Slack posts alerts to a channel, one thread an alert.
type Slack struct {
	// Name is the sink's name in the outbox, metrics and logs.
	Name string `yaml:"name"`
	// Channel is the channel's id.
	Channel string `yaml:"channel"`
	// Token is the bot's token; TokenFile is a file that holds it.
	Token     Secret `yaml:"token"`
	TokenFile string `yaml:"token_file"`
	// API is the address of Slack's Web API.
	API   string `yaml:"api"`
	Route `yaml:",inline"`
}

// Default returns the configuration of an empty file.
func Default() *Config {
	return &Config{
		Data:         "/var/lib/haidang",
		BuiltinRules: true,
		TimeZone:     "Asia/Ho_Chi_Minh",
		HTTP:         HTTP{Listen: "127.0.0.1:8514"},
		Store:        Store{Sync: 10 * time.Second},
		Log:          "info",
	}
}
