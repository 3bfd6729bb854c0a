// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netsampler/goflow2/v2/decoders/netflow"
	"github.com/netsampler/goflow2/v2/decoders/netflowlegacy"
	"github.com/netsampler/goflow2/v2/producer"
	protoproducer "github.com/netsampler/goflow2/v2/producer/proto"

	"github.com/haidang-soc/haidang/collectors/netflow/flow"
	"github.com/haidang-soc/haidang/deploy/sample"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/corpora"
	"github.com/haidang-soc/haidang/internal/event"
)

// corpusCases are the datagrams of real exporters, a case each; the corpus lies beside the repository where there is
// one.
func corpusCases(b *testing.B) (cases [][][]byte) {
	b.Helper()
	dir := corpora.Path(b, "netflow")
	list, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, d := range list {
		// One invalid v5 datagram makes goflow2 emit 55,582 empty flows: such cases compare nothing.
		if !d.IsDir() || d.Name() == "hostile" || strings.Contains(d.Name(), "invalid") {
			continue
		}
		var datagrams [][]byte
		if err := Datagrams(filepath.Join(dir, d.Name()), func(g Datagram) error {
			datagrams = append(datagrams, bytes.Clone(g.Payload))
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		cases = append(cases, datagrams)
	}
	return cases
}

// BenchmarkBeside decodes the same datagrams of real exporters: ours to enriched ECS events, goflow2's to its protobuf
// messages without enrichment. Compare ns/flow.
func BenchmarkBeside(b *testing.B) {
	cases := corpusCases(b)
	path := filepath.Join(b.TempDir(), "inventory.yml")
	if err := os.WriteFile(path, sample.Inventory, 0o600); err != nil {
		b.Fatal(err)
	}
	inv, err := asset.Load(asset.Config{Inventory: path})
	if err != nil {
		b.Fatal(err)
	}
	report := func(b *testing.B, flows int) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(flows), "ns/flow")
		b.ReportMetric(float64(flows)/float64(b.N), "flows/op")
	}
	b.Run("haidang", func(b *testing.B) {
		b.ReportAllocs()
		d := flow.NewDecoder(nil)
		builder := event.NewBuilder("listener/bench", 1)
		flows := 0
		for b.Loop() {
			builder.Reset("listener/bench", 1)
			for i, datagrams := range cases {
				from := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
				for _, p := range datagrams {
					_ = d.Decode(from, p, 1, func(f *flow.Flow) {
						builder.Begin(uint64(flows), 0)
						put(builder, f, 1)
						inv.Enrich(builder, "dc1")
						builder.End()
						flows++
					})
				}
			}
		}
		report(b, flows)
	})
	b.Run("goflow2", func(b *testing.B) {
		b.ReportAllocs()
		cfg, err := (&protoproducer.ProducerConfig{}).Compile()
		if err != nil {
			b.Fatal(err)
		}
		p, err := protoproducer.CreateProtoProducer(cfg, protoproducer.CreateSamplingSystem)
		if err != nil {
			b.Fatal(err)
		}
		templates := make([]netflow.NetFlowTemplateSystem, len(cases))
		for i := range templates {
			templates[i] = netflow.CreateTemplateSystem()
		}
		flows := 0
		for b.Loop() {
			for i, datagrams := range cases {
				args := &producer.ProduceArgs{SamplerAddress: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}),
					TimeReceived: time.Unix(1, 0)}
				args.Src = netip.AddrPortFrom(args.SamplerAddress, 2055)
				for _, g := range datagrams {
					flows += goflow(p, templates[i], args, g)
				}
			}
		}
		report(b, flows)
	})
}

// goflow decodes a datagram as goflow2's own pipe does and returns the number of flows.
func goflow(p producer.ProducerInterface, t netflow.NetFlowTemplateSystem, args *producer.ProduceArgs, g []byte) int {
	var msg any
	if g[1] == 5 {
		var v5 netflowlegacy.PacketNetFlowV5
		if netflowlegacy.DecodeMessageVersion(bytes.NewBuffer(g), &v5) != nil {
			return 0
		}
		msg = &v5
	} else {
		var v9 netflow.NFv9Packet
		var ipfix netflow.IPFIXPacket
		if netflow.DecodeMessageVersion(bytes.NewBuffer(g), t, &v9, &ipfix) != nil {
			return 0
		}
		if msg = &v9; g[1] == 10 {
			msg = &ipfix
		}
	}
	list, err := p.Produce(msg, args)
	defer p.Commit(list)
	if err != nil {
		return 0
	}
	return len(list)
}
