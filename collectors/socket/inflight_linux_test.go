// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func addresses(a, b netip.Addr) bool { return a == b }

// openInflight opens as the next process would: without the memory of the one before.
func openInflight(t *testing.T, file string, epoch uint64) (*Inflight, []Kept) {
	t.Helper()
	f, kept, err := OpenInflight(file, epoch, 1, 2048)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, kept
}

func message(epoch, unit uint64, text string) Kept {
	return Kept{Epoch: epoch, Unit: unit, At: int64(unit), Peer: netip.MustParseAddr("2001:db8::7"), Client: "CN=Sở",
		Cut: unit%2 == 0, Data: []byte(text)}
}

func TestInflight(t *testing.T) {
	file := filepath.Join(t.TempDir(), "inflight")
	f, kept := openInflight(t, file, 7)
	if len(kept) > 0 {
		t.Fatal(kept)
	}
	for u := range uint64(5) {
		k := message(7, u+u/3, "dòng")
		if !f.Keep(&k, nil) {
			t.Fatal("no room")
		}
	}
	f.Release(7, 2)
	for epoch := uint64(8); epoch < 10; epoch++ { // nobody had time to write them
		g, kept := openInflight(t, file, epoch)
		want := []Kept{message(7, 2, "dòng"), message(7, 4, "dòng"), message(7, 5, "dòng")}
		want[0].Prev, want[1].Prev, want[2].Prev = 2, 3, 5
		if epoch > 8 {
			want = append(want, message(8, 3, "sau"))
		}
		if d := cmp.Diff(want, kept, cmp.Comparer(addresses)); d != "" {
			t.Fatal(d)
		}
		k := message(epoch, 3, "sau") // before it three events that were no messages
		g.Keep(&k, nil)
	}
	g, _ := openInflight(t, file, 10)
	g.Release(8, 4)
	if _, kept := openInflight(t, file, 11); len(kept) != 1 || kept[0].Epoch != 9 || kept[0].Prev != 0 {
		t.Fatal(kept)
	}
}

// TestInflightAround keeps and releases in turn, many times the size of the ring, and compares with a list.
func TestInflightAround(t *testing.T) {
	file := filepath.Join(t.TempDir(), "inflight")
	f, _ := openInflight(t, file, 1)
	r := rand.New(rand.NewPCG(1, 2))
	var model []Kept
	full, next := 0, uint64(0)
	for step := range 3000 {
		k := message(1, next, string(bytes.Repeat([]byte{byte(step)}, r.IntN(20_000))))
		next++
		if f.Keep(&k, nil) {
			model = append(model, k)
		} else {
			full++
		}
		if len(model) > 0 && step%3 == 0 {
			n := 1 + r.IntN(3)
			if r.IntN(1000) == 0 {
				n = r.IntN(len(model) + 1)
			}
			model = model[min(n, len(model)):]
			before := next
			if len(model) > 0 {
				before = model[0].Unit
			}
			f.Release(1, before)
		}
	}
	_, kept := openInflight(t, file, 2)
	for i := range max(len(model), len(kept)) {
		if i >= len(model) || i >= len(kept) || kept[i].Unit != model[i].Unit || kept[i].Prev != model[i].Prev ||
			!bytes.Equal(kept[i].Data, model[i].Data) {
			t.Fatalf("%d kept, want %d; they differ from number %d on", len(kept), len(model), i)
		}
	}
	if full == 0 || len(kept) == 0 {
		t.Fatal("the ring was never full, or is empty at the end: a bad test")
	}
}

// TestInflightReceived ends a process between receiving and keeping, and between keeping and marking.
func TestInflightReceived(t *testing.T) {
	for taken := range 4 {
		t.Run(fmt.Sprint(taken), func(t *testing.T) {
			list, err := ListenUDP(t.Context(), UDPConfig{Address: "127.0.0.1:0", Longest: 2048})
			if err != nil {
				t.Fatal(err)
			}
			u := list[0]
			defer u.Close()
			file := filepath.Join(t.TempDir(), "inflight")
			f, _ := openInflight(t, file, 3)
			f.Attach(0, u)
			conn, err := net.Dial("udp", u.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for i := range 3 {
				fmt.Fprintf(conn, "gói %d", i)
			}
			var got []Datagram
			for len(got) < 3 { // loopback: they are all there
				if got, err = u.recv.wait(u, got[:0]); err != nil {
					t.Fatal(err)
				}
			}
			for i := range min(taken, 3) {
				k := Kept{Epoch: 3, Unit: uint64(i), Peer: got[i].From.Addr(), Data: got[i].Data}
				f.Keep(&k, &got[i])
				if i+1 < taken { // the last one was kept and not marked
					got[i].Taken()
				}
			}
			_, kept := openInflight(t, file, 4)
			var texts []string
			for _, k := range kept {
				texts = append(texts, fmt.Sprintf("%d.%d %v %s", k.Epoch, k.Unit, k.Peer, k.Data))
			}
			var want []string
			for i := range 3 {
				epoch, unit := 3, i
				if i >= taken {
					epoch, unit = 4, i-taken
				}
				want = append(want, fmt.Sprintf("%d.%d 127.0.0.1 gói %d", epoch, unit, i))
			}
			if d := cmp.Diff(want, texts); d != "" {
				t.Fatal(d)
			}
		})
	}
}

// TestInflightForeign: a file of another boot, or none of ours, is as none.
func TestInflightForeign(t *testing.T) {
	file := filepath.Join(t.TempDir(), "inflight")
	f, _ := openInflight(t, file, 1)
	k := message(1, 0, "cũ")
	f.Keep(&k, nil)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[9] ^= 1
	for _, content := range [][]byte{data, data[:100], []byte("không phải"), nil} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, kept := openInflight(t, file, 2); len(kept) > 0 {
			t.Fatal(kept)
		}
	}
}

func FuzzInflight(f *testing.F) {
	size := headSize + areaSize(16) + headSize
	for _, text := range []string{"", "tệp", "Cảnh báo: đăng nhập sai"} {
		mem := make([]byte, size)
		x, err := format(mem, 1, 1, 16)
		if err != nil {
			f.Fatal(err)
		}
		for u := range uint64(40) {
			k := message(2, u, text)
			x.Keep(&k, nil)
			if u%8 > 2 {
				x.Release(2, u-2)
			}
		}
		f.Add(mem[:headSize], mem[size-headSize:])
	}
	f.Fuzz(func(t *testing.T, head, ring []byte) {
		mem := make([]byte, size)
		copy(mem[:headSize], head)
		copy(mem[size-headSize:], ring)
		kept, raw, err := recoverKept(mem)
		if len(kept) > headSize/recordHead+1 || len(raw) > atOnce {
			t.Fatalf("%d records, %d datagrams, %v", len(kept), len(raw), err)
		}
		for _, k := range kept {
			if len(k.Data) > headSize {
				t.Fatal("a message of", len(k.Data), "bytes")
			}
		}
	})
}
