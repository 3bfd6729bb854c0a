// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package syslog collects syslog over UDP, TCP and TLS: it holds the sockets, cuts the streams into messages and writes
// them as raw events of the source listener/<name>. What a message says is read later, by internal/decoders/syslog.
//
// Nothing that was read from a stream is dropped: when the Writer cannot keep up, connections are not read. Datagrams
// are read on into a bounded queue, and what finds no room in it, or none in the kernel's, is counted and reported as
// an event with haidang.drop.count.
package syslog

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/collectors/socket"
)

// Config says what to listen on. Addresses are host:port; an empty host is every address, IPv4 and IPv6.
type Config struct {
	// Name makes the source listener/<name>, and haidang.listener. Letters, digits, dot, hyphen, underscore.
	Name string
	// Site is where the senders are, haidang.site: two sites may use the same addresses.
	Site string
	// StateDir holds the bind counter, which must outlive the process. It must exist.
	StateDir string

	UDP []string // addresses for datagrams (RFC 5426)
	TCP []string // addresses for streams (RFC 6587), octet-counted or by line, told for each connection
	TLS []string // addresses for TLS (RFC 5425), the same

	// CertFile and KeyFile are PEM files of the server's certificate chain and key; needed with TLS.
	CertFile, KeyFile string
	// ClientCAFile, a PEM file, makes clients be asked for a certificate of these authorities, and
	// RequireClientCert refuses those that have none.
	ClientCAFile      string
	RequireClientCert bool

	// UDPSockets is how many sockets share a UDP address by SO_REUSEPORT, each with its own reader and its own buffer
	// in the kernel. Default 1, without SO_REUSEPORT.
	UDPSockets int
	// ReceiveBuffer is the size in bytes of the kernel's buffer of a UDP socket. Default 16 MiB; without privilege
	// the kernel lowers it to net.core.rmem_max.
	ReceiveBuffer int
	// MaxMessage is the longest message in bytes; the rest is cut off and the event marked haidang.truncated. Default
	// 64 KiB, at most 240 KiB.
	MaxMessage int
	// MaxConnections bounds the open connections. When they are all in use, those of the address that has most of them
	// make room, first the ones that never sent a message, then the ones idle for longest; if no address has two, a new
	// connection is refused. Default 16,384, but never more than three quarters of the files that the process may open.
	MaxConnections int
	// Idle closes a connection on which nothing came for so long. Default one hour.
	Idle time.Duration

	// MaxEvents and MaxWait end a batch: so many events, or so long after its first. Defaults 4,096 and 2 ms.
	MaxEvents int
	MaxWait   time.Duration
	// QueueBytes bounds what waits for the Writer. Streams are not read above half of it, so that a stream cannot
	// take the room of datagrams. Default 64 MiB.
	QueueBytes int
	// Drain is how long the Writer has, after a stop, to take what was read. Default 10 s.
	Drain time.Duration

	// Listen, if set, is asked for each socket first: a parent process may hold it.
	Listen socket.ListenFunc
}

// The limits of a Config.
const (
	maxMessageLimit = 240 << 10 // an event is 256 KiB at most
	batchBytes      = 512 << 10 // an encoded batch is 1 MiB at most
	heldBytes       = 64 << 20  // the incomplete messages of all connections together
)

// New checks the configuration and opens nothing; Run opens.
func New(c Config) (*Collector, error) {
	if c.Name == "" || strings.Trim(c.Name, nameBytes) != "" || c.Name[0] == '.' {
		return nil, fmt.Errorf("syslog: the listener's name %q: use letters, digits, dot, hyphen, underscore", c.Name)
	}
	fail := func(format string, args ...any) (*Collector, error) {
		return nil, fmt.Errorf("syslog: listener "+c.Name+": "+format, args...)
	}
	if len(c.UDP)+len(c.TCP)+len(c.TLS) == 0 {
		return fail("nothing to listen on: give an address for udp, tcp or tls")
	}
	for _, list := range [][]string{c.UDP, c.TCP, c.TLS} {
		for _, address := range list {
			if _, _, err := net.SplitHostPort(address); err != nil {
				return fail("address %q: %w; write host:port, or :514 for every address", address, err)
			}
		}
	}
	if len(c.TLS) > 0 && (c.CertFile == "" || c.KeyFile == "") {
		return fail("tls needs a certificate and its key")
	}
	if c.RequireClientCert && c.ClientCAFile == "" {
		return fail("requiring client certificates needs the file of the authorities that sign them")
	}
	if c.StateDir == "" {
		return fail("no state directory")
	}
	for _, d := range []struct {
		v       *int
		def, hi int
		name    string
	}{
		{&c.UDPSockets, 1, 64, "UDP sockets"},
		{&c.ReceiveBuffer, 16 << 20, 1 << 30, "receive buffer"},
		{&c.MaxMessage, 64 << 10, maxMessageLimit, "longest message"},
		{&c.MaxConnections, 16384, 1 << 20, "connections"},
		{&c.MaxEvents, 4096, 1 << 16, "events a batch"},
		{&c.QueueBytes, 64 << 20, 1 << 40, "queue"},
	} {
		if *d.v == 0 {
			*d.v = d.def
		}
		if *d.v < 0 || *d.v > d.hi {
			return fail("%s: %d is not between 1 and %d", d.name, *d.v, d.hi)
		}
	}
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&c.Idle, time.Hour}, {&c.MaxWait, 2 * time.Millisecond}, {&c.Drain, 10 * time.Second}} {
		if *d.v == 0 {
			*d.v = d.def
		}
		if *d.v < 0 {
			return nil, errors.New("syslog: listener " + c.Name + ": a negative time")
		}
	}
	return &Collector{cfg: c}, nil
}

const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

// Source is the name under which the listener's batches are numbered.
func (c Config) Source() string { return "listener/" + c.Name }

// stateFile is where the bind counter is.
func (c Config) stateFile() string { return filepath.Join(c.StateDir, "listener-"+c.Name+".epoch") }

// inflightFile is where messages are kept that were read and are not safe.
func (c Config) inflightFile() string {
	return filepath.Join(c.StateDir, "listener-"+c.Name+".inflight")
}
