// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader carries t=<unix seconds>,v1=<hex HMAC-SHA256(secret, t "." body)>.
const SignatureHeader = "X-Haidang-Signature"

// Tolerance is how far the time of a signature may be from the receiver's clock.
const Tolerance = 5 * time.Minute

// Sign returns the value of the signature header for a body.
func Sign(secret string, now time.Time, body []byte) string {
	t := strconv.FormatInt(now.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

// Verify checks the signature header of a received body, as a receiver does.
func Verify(secret, header string, body []byte, now time.Time) error {
	t, v1, ok := strings.Cut(header, ",v1=")
	if !ok || !strings.HasPrefix(t, "t=") {
		return errors.New("webhook: signature: want t=<seconds>,v1=<hex>")
	}
	t = t[len("t="):]
	at, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		return errors.New("webhook: signature: t is no number")
	}
	got, err := hex.DecodeString(v1)
	if err != nil || !hmac.Equal(got, mac(secret, t, body)) {
		return errors.New("webhook: signature: it does not fit the body")
	}
	if off := now.Unix() - at; off > int64(Tolerance/time.Second) || off < -int64(Tolerance/time.Second) {
		return fmt.Errorf("webhook: signature: made %d s from now, more than %s", off, Tolerance)
	}
	return nil
}

func mac(secret, t string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(t))
	h.Write([]byte{'.'})
	h.Write(body)
	return h.Sum(nil)
}
