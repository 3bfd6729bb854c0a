// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// loadTLS reads the certificates; nil without TLS.
func (c *Collector) loadTLS() (*tls.Config, error) {
	if len(c.cfg.TLS) == 0 {
		return nil, nil
	}
	fail := func(doing string, err error) (*tls.Config, error) {
		return nil, fmt.Errorf("syslog: listener %s: %s: %w", c.cfg.Name, doing, err)
	}
	cert, err := tls.LoadX509KeyPair(c.cfg.CertFile, c.cfg.KeyFile)
	if err != nil {
		return fail("reading the certificate", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if c.cfg.ClientCAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(c.cfg.ClientCAFile)
	if err != nil {
		return fail("reading the clients' authorities", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return fail("reading the clients' authorities", errors.New(c.cfg.ClientCAFile+" holds no PEM certificate"))
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven
	if c.cfg.RequireClientCert {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}
