// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval_test

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/correlator/sigma/eval"
)

// Two events are matched with one rule, which names its field as Windows does.
func Example() {
	docs, refused := sigma.Parse("whoami.yml", []byte(`
title: Whoami
id: 929a690e-bef0-4204-a928-ef5e620d6fcc
logsource: {product: windows, category: process_creation}
detection:
    selection:
        Image|endswith: '\whoami.exe'
    filter:
        User|contains: 'QUẢN TRỊ'
    condition: selection and not filter
`))
	if len(refused) > 0 {
		fmt.Println(refused[0])
	}
	mapping, err := eval.DefaultMapping()
	if err != nil {
		fmt.Println(err)
	}
	set, _ := eval.Compile([]*sigma.Rule{docs[0].Rule}, mapping)
	events := `{"process": {"executable": "C:\\Windows\\System32\\WHOAMI.EXE"}, "user": {"name": "lan"}}
{"Image": "C:\\Windows\\System32\\whoami.exe", "User": "Quản trị"}
`
	for result, err := range set.Evaluate(strings.NewReader(events), 1) {
		if err != nil {
			fmt.Println(err)
		}
		for _, hit := range result.Hits {
			fmt.Println("event", result.N, "matches", set.Rule(hit.Rule).Title)
			for _, m := range hit.Matched {
				fmt.Println(m.Name, "is", m.Value)
			}
		}
	}
	// Output:
	// event 1 matches Whoami
	// Image is C:\Windows\System32\WHOAMI.EXE
}

// An event is built field by field, and matched.
func ExampleSet_Match() {
	docs, _ := sigma.Parse("deny.yml", []byte(`
title: RDP bị chặn
logsource: {category: firewall}
detection:
    selection:
        dst_port: 3389
        src_ip|cidr: 203.0.113.0/24
    condition: selection
`))
	mapping, err := eval.DefaultMapping()
	if err != nil {
		fmt.Println(err)
	}
	set, _ := eval.Compile([]*sigma.Rule{docs[0].Rule}, mapping)

	port, _ := eval.Field("destination.port")
	address, _ := eval.Field("source.ip")
	b := eval.NewBuilder("example", 0)
	b.Begin(1, 0)
	b.Int(port, 3389)
	b.IP(address, netip.MustParseAddr("203.0.113.77"))
	b.End()

	var scratch eval.Scratch // one for each goroutine
	for _, hit := range set.Match(b.Batch(1, 2).At(0), &scratch) {
		fmt.Println(set.Rule(hit.Rule).Title, hit.Matched[1].Field.Name(), hit.Matched[1].Value)
	}
	// Output:
	// RDP bị chặn source.ip 203.0.113.77
}
