// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package outbound makes the HTTP clients that leave the house.
//
// What a client may do is decided by the configuration alone: the environment's proxy variables are not read, no
// redirect leads to another host, every request has a time-out. Errors of a client can carry its URL, and URLs can
// carry secrets: they pass through Clean before anybody sees them.
package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says how to reach a peer.
type Config struct {
	Proxy   string        // http:// or https:// URL of a proxy, with user and password if it wants them; empty is none
	CA      []byte        // PEM of authorities to trust beside the system's
	Timeout time.Duration // of a whole request; 0 is 30 s
}

// New checks the configuration and makes a client. It opens nothing.
func New(cfg Config) (*http.Client, error) {
	tr := &http.Transport{
		Proxy:                 nil, // never http.ProxyFromEnvironment
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   4,
		ForceAttemptHTTP2:     true,

		MaxResponseHeaderBytes: 64 << 10,
	}
	if cfg.Proxy != "" {
		u, err := url.Parse(cfg.Proxy)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, errors.New("outbound: proxy: want http://host:port or https://host:port") // the URL may hold a password
		}
		tr.Proxy = http.ProxyURL(u)
	}
	if len(cfg.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a system without authorities of its own
		}
		if !pool.AppendCertsFromPEM(cfg.CA) {
			return nil, errors.New("outbound: ca: no certificate in PEM form found")
		}
		tr.TLSClientConfig.RootCAs = pool
	}
	timeout := cfg.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	return &http.Client{Transport: tr, Timeout: timeout, CheckRedirect: SameHost}, nil
}

var errRedirect = errors.New("the peer redirects to another host; configure the address it really has")

// SameHost is the rule for redirects: at most three, to the same host over the same scheme.
func SameHost(req *http.Request, via []*http.Request) error {
	if len(via) > 3 {
		return errors.New("more than three redirects")
	}
	if first := via[0].URL; req.URL.Scheme != first.Scheme || !strings.EqualFold(req.URL.Host, first.Host) {
		return errRedirect
	}
	return nil
}

// Clean takes the URL out of an error of a client, which may hold secrets, and leaves what happened.
func Clean(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("%s: %w", strings.ToLower(u.Op), u.Err)
	}
	return err
}

// NotSent reports whether an error came before anything reached the peer: the connection was never made.
func NotSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// CheckURL reports what is wrong with a URL to send to; the error does not repeat it.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("want https:// or http://")
	case u.Host == "":
		return errors.New("without a host")
	case u.User != nil:
		return errors.New("user and password do not belong into the URL")
	}
	return nil
}
