// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/haidang-soc/haidang/collectors/socket"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool/ingest"
)

// attack begins everything at once; the function ends it. The first attack also sends what leaves traces for good: a
// million templates and 65,537 origins.
func (h *hostile) attack(t *testing.T, first bool) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(h.ctx)
	var g errgroup.Group
	var held []net.Conn
	h.idle = min(10_000, socket.MaxFiles()*3/4-1000) // both ends have a limit, and the server takes three quarters
	if h.idle < 10_000 {
		t.Logf("%d idle connections only: no more files may be open", h.idle)
	}
	for range h.idle {
		held = append(held, h.dial(t, "127.0.0.1:0"))
	}
	if first {
		h.origins(t)
		h.templates(t)
		caughtUp(h.ctx, t, h.client)
	}
	for range 100 { // half a ClientHello, and then nothing
		c := h.dial(t, "127.0.0.3:0")
		if _, err := c.Write([]byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3}); err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
		h.stalled++
	}
	every := func(d time.Duration, f func() error) {
		g.Go(func() error {
			tick := time.NewTicker(d)
			defer tick.Stop()
			for ctx.Err() == nil {
				if err := f(); err != nil && ctx.Err() == nil {
					return err
				}
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
			return nil
		})
	}
	junk := func() net.Conn {
		c := h.dial(t, "127.0.0.2:0")
		held = append(held, c)
		return c
	}
	var slow []net.Conn
	for range 200 {
		slow = append(slow, junk())
	}
	every(time.Second, func() error {
		for _, c := range slow {
			if _, err := c.Write([]byte{'<'}); err != nil {
				return err
			}
		}
		return nil
	})
	endless := bytes.Repeat([]byte("Ở đâu cũng không có hết dòng "), 300)
	for range 4 {
		c := junk()
		every(20*time.Millisecond, func() error {
			_, err := c.Write(endless)
			return err
		})
	}
	c, lines := junk(), badLines()
	every(20*time.Millisecond, func() error {
		for _, l := range lines {
			if _, err := c.Write(l); err != nil {
				return err
			}
		}
		return nil
	})
	deep := []byte("<30>Nov  3 10:00:00 h app: " + strings.Repeat(`{"a":[`, 10_000) + strings.Repeat("]}", 10_000) + "\n")
	every(100*time.Millisecond, func() error {
		_, err := c.Write(deep)
		return err
	})
	bomb := bombOf(t)
	every(400*time.Millisecond, func() error { return h.bomb(ctx, bomb) })
	every(500*time.Millisecond, func() error { return h.largeValues(ctx) })
	return func() {
		t.Helper()
		cancel()
		if err := g.Wait(); err != nil {
			t.Errorf("an attacker was not served: %v", err)
		}
		for _, c := range held {
			c.Close()
		}
	}
}

// badLines are lines with NUL, invalid UTF-8 and every control character, and ones that look like what they are not.
func badLines() (list [][]byte) {
	control := []byte("<30>Nov  3 10:00:00 h app: ")
	for b := range byte(32) {
		if b != '\n' {
			control = append(control, b)
		}
	}
	control = append(control, "\x7f\u0085\u2028\ufeff\n"...)
	return append(list, control, []byte("<30>Nov  3 10:00:00 h\x00st app\x00: a\x00b\x00\x00c\n"),
		[]byte("<30>Nov  3 10:00:00 h app: \xff\xfe\xc3\x28 \xed\xa0\x80 \xf4\x90\x80\x80 Nguye\xcc\n"),
		[]byte("<30>1 2026-11-03T10:00:00Z h app - - ["+strings.Repeat(`x a="]\"`, 500)+"\n"),
		[]byte("<999999999999999999999>\n"), []byte("<30>"+strings.Repeat("%", 2000)+"\n"),
		[]byte("<30>CEF:0|"+strings.Repeat("|=\\", 700)+"\n"))
}

// origins sends a line of each of 65,537 hosts behind a relay.
func (h *hostile) origins(t *testing.T) {
	t.Helper()
	c := h.dial(t, "127.0.0.2:0")
	defer c.Close()
	const n = 1<<16 + 1
	var buf []byte
	base := h.count("haidang_listener_accepted_total", `"junk"`)
	for i := range n {
		buf = fmt.Appendf(buf, "<30>Nov  3 10:00:00 may-%d app: tôi là ai\n", i)
		if len(buf) > 64<<10 || i == n-1 {
			if _, err := c.Write(buf); err != nil {
				t.Fatal(err)
			}
			buf = buf[:0]
		}
	}
	h.wait(t, "the origins", func() bool {
		return h.count("haidang_listener_accepted_total", `"junk"`) >= base+n
	})
}

// templates sends a million of them, 40 a datagram.
func (h *hostile) templates(t *testing.T) {
	t.Helper()
	to := dialHeld(t, h.held, "127.0.0.4:0")
	be := binary.BigEndian
	received := func() float64 { return h.count("haidang_listener_received_total", `"flows"`) }
	h.wait(t, "the listener of flows", func() bool {
		_, err := to.Write([]byte("?"))
		return err == nil && received() > 0
	})
	base := received()
	for i := range 25_000 {
		p := be.AppendUint16(nil, 9)
		p = be.AppendUint16(p, 40)
		for _, n := range []uint32{60_000, uint32(time.Now().Unix()), uint32(i), uint32(i % 80)} {
			p = be.AppendUint32(p, n)
		}
		p = be.AppendUint16(p, 0)
		p = be.AppendUint16(p, 4+40*28)
		for j := range 40 {
			p = be.AppendUint16(p, uint16(256+(40*i+j)%65_000))
			p = be.AppendUint16(p, 6)
			for f := range uint16(6) {
				p = be.AppendUint16(p, 1+f)
				p = be.AppendUint16(p, 4)
			}
		}
		if _, err := to.Write(p); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 999 { // none of them is to be lost on the way
			h.wait(t, "the templates", func() bool { return received() >= base+float64(i+1) })
		}
	}
}

// bombOf is a small body that would be a large one.
func bombOf(t *testing.T) []byte {
	t.Helper()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	zeros := make([]byte, 1<<20)
	for range 256 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

func (h *hostile) bomb(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://haidang/v1/spool", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", ingest.ContentType)
	req.Header.Set("Content-Encoding", "gzip")
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		return fmt.Errorf("a bomb was answered %s", resp.Status)
	}
	h.bombs.Add(1)
	return nil
}

// largeValues sends a batch with a value of 1 MB that does not compress, which is refused, and one that does.
func (h *hostile) largeValues(ctx context.Context) error {
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(33 + rand.IntN(90))
	}
	client := &ingest.Client{URL: "http://haidang/v1/spool", HTTP: h.client}
	for i, value := range [][]byte{noise, bytes.Repeat([]byte("lặp "), 1<<18)} {
		b := event.NewBuilder("agent/large/test", uint64(time.Now().UnixNano()))
		b.Begin(0, 0)
		b.Time(event.EventCreated, time.Now().UnixNano())
		b.Bytes(event.Message, value)
		b.End()
		_, err := client.Send(ctx, b.Batch(0, 1))
		var status *ingest.StatusError
		switch {
		case errors.As(err, &status) && status.Problem.Status == http.StatusRequestEntityTooLarge:
			h.large.Add(1)
		case err != nil && (i == 0 || !errors.As(err, &status)):
			return fmt.Errorf("a value of 1 MB: %w", err)
		}
	}
	return nil
}

// certificate writes cert.pem and key.pem.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"haidang"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(crand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})))
}
