// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	a := authority{dir: t.TempDir()}
	a.cert, a.key = a.sign(t, name, nil)
	a.write(t, "ca.pem", "CERTIFICATE", a.cert.Raw)
	return a
}

// sign makes a certificate: of the authority itself where parent is nil.
func (a authority) sign(t *testing.T, name string, parent *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	signer := a.key
	if parent == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c, key
}

func (a authority) write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// issue writes a certificate and its key into files.
func (a authority) issue(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	cert, key := a.sign(t, name, a.cert)
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return a.write(t, name+".pem", "CERTIFICATE", cert.Raw), a.write(t, name+".key", "EC PRIVATE KEY", der)
}

func (a authority) clientConfig(t *testing.T, names ...string) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	c := &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
	for _, name := range names {
		cert, err := tls.LoadX509KeyPair(a.issue(t, name))
		if err != nil {
			t.Fatal(err)
		}
		c.Certificates = append(c.Certificates, cert)
	}
	return c
}

func TestTLS(t *testing.T) {
	ca, stranger := newAuthority(t, "Sở TTTT"), newAuthority(t, "stranger")
	certFile, keyFile := ca.issue(t, "server")
	cfg := Config{TLS: []string{"127.0.0.1:0"}, CertFile: certFile, KeyFile: keyFile}
	caFile := filepath.Join(ca.dir, "ca.pem")

	old := ca.clientConfig(t)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	foreign := ca.clientConfig(t)
	foreign.Certificates = stranger.clientConfig(t, "intruder").Certificates
	for _, c := range []struct {
		name    string
		server  func(*Config)
		client  *tls.Config
		subject string
		refused bool
	}{
		{name: "no certificate asked", server: func(*Config) {}, client: ca.clientConfig(t)},
		{name: "TLS 1.1", server: func(*Config) {}, client: old, refused: true},
		{name: "optional and absent", server: func(c *Config) { c.ClientCAFile = caFile }, client: ca.clientConfig(t)},
		{name: "optional and there", server: func(c *Config) { c.ClientCAFile = caFile },
			client: ca.clientConfig(t, "fw1.example"), subject: "CN=fw1.example"},
		{name: "required and there", server: func(c *Config) { c.ClientCAFile, c.RequireClientCert = caFile, true },
			client: ca.clientConfig(t, "fw1.example"), subject: "CN=fw1.example"},
		{name: "required and absent", server: func(c *Config) { c.ClientCAFile, c.RequireClientCert = caFile, true },
			client: ca.clientConfig(t), refused: true},
		{name: "of a foreign authority", server: func(c *Config) { c.ClientCAFile, c.RequireClientCert = caFile, true },
			client: foreign, refused: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := &memory{}
			server := cfg
			c.server(&server)
			l := start(t, server, out)
			conn := tls.Client(dial(t, l.Addrs()[0]), c.client)
			line := "<13>" + strings.Repeat("ê", 20000) // several TLS records, one message
			_, err := conn.Write([]byte("6 <13>a\n40004 " + line))
			if c.refused {
				poll(t, "the refusal", func() bool { return l.Stats().Refused == 1 })
				if n := len(out.originals()); n != 0 {
					t.Errorf("%d messages came through", n)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			out.wait(t, "two messages", func() bool { return len(out.originals()) == 2 })
			raw, _ := out.events()
			if v, _ := raw[1].Get(event.EventOriginal); v.Str() != line {
				t.Errorf("the long message came as %d bytes, want %d", len(v.Str()), len(line))
			}
			if v, _ := raw[0].Get(event.TLSClientSubject); v.Str() != c.subject {
				t.Errorf("the client's subject is %q, want %q", v.Str(), c.subject)
			}
			if err := l.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}
