// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/haidang-soc/haidang/internal/sinks/outbound"
	"github.com/haidang-soc/haidang/internal/sinks/sinktest"
	"github.com/haidang-soc/haidang/internal/sinks/webhook"
)

// A receiver in Go: read the body, verify the signature over those bytes, then trust it.
func ExampleVerify() {
	const secret = "the secret of the configuration"
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		if err := webhook.Verify(secret, r.Header.Get(webhook.SignatureHeader), body, time.Now()); err != nil {
			http.Error(w, "not from haidang", http.StatusForbidden)
			return
		}
		fmt.Println("received", r.Header.Get("Idempotency-Key"))
	}))
	defer receiver.Close()

	client, err := outbound.New(outbound.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sink, err := webhook.New(webhook.Config{URL: outbound.Secret(receiver.URL), Secret: secret, Client: client})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	receipt, err := sink.Send(ctx, sinktest.Delivery(1, "pointer"))
	fmt.Println(receipt.State == 1, err)
	// Output:
	// received 01000000000000000000000000000000.1.test
	// true <nil>
}
