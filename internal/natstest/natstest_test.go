// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package natstest

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

func TestStart(t *testing.T) {
	dir := t.TempDir()
	js, stop := Start(t, dir)
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.PutString(t.Context(), "k", "v"); err != nil {
		t.Fatal(err)
	}
	stop()
	stop()
	js, _ = Start(t, dir)
	if kv, err = js.KeyValue(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if e, err := kv.Get(t.Context(), "k"); err != nil || string(e.Value()) != "v" {
		t.Errorf("after a restart: %v, %v", e, err)
	}
}
