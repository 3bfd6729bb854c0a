// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package storetest holds every store to its contract: a few thousand varied events, a table of queries, and an oracle
// that shares no code with the stores but kql.Match, which defines what a query means.
//
// The rule a reader would otherwise break: records are made again from (seed, base, sequence) alone, in this process or
// another, so that a test can append them twice and know what must be there once.
package storetest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// Generator makes records. Base is the time of the newest possible event; events reach four days back.
type Generator struct {
	Base      time.Time
	PerRecord int
	Regular   bool // the ordinary events only, in order of time within the last hour: what a benchmark wants
}

// Incarnation is that of all records.
const Incarnation spool.Incarnation = "STORETEST"

// Record makes the record of a sequence.
func (g Generator) Record(seq uint64) *spool.Record {
	rnd := rand.New(rand.NewPCG(42, seq))
	r := &spool.Record{At: spool.Position{Seq: seq}, Incarnation: Incarnation, Clock: g.Base.UnixNano(),
		Kind: spool.KindBatches}
	for s, source := range []string{"listener/udp514", "agent/a1/journald"} {
		b := event.NewBuilder(source, 1)
		first := seq * 1000
		n := g.PerRecord/2 + s*(g.PerRecord%2)
		for i := range n {
			b.Begin(first+uint64(i), 0)
			g.event(b, rnd)
			b.End()
		}
		r.Batches = append(r.Batches, b.Batch(first, first+uint64(n)))
	}
	return r
}

// Records makes the records from first to last, both included.
func (g Generator) Records(first, last uint64) []*spool.Record {
	var list []*spool.Record
	for seq := first; seq <= last; seq++ {
		list = append(list, g.Record(seq))
	}
	return list
}

func pick[T any](rnd *rand.Rand, list ...T) T { return list[rnd.IntN(len(list))] }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// event fills one event: log lines with Vietnamese in both normal forms, flows, JSON of a vendor, and oddities.
func (g Generator) event(b *event.Builder, rnd *rand.Rand) {
	t := g.Base.Add(-time.Duration(rnd.Int64N(int64(96 * time.Hour))))
	if g.Regular {
		t = g.Base.Add(-time.Hour + time.Duration(b.ID().Unit())*time.Millisecond)
	} else if rnd.IntN(10) == 0 {
		t = t.Truncate(time.Hour) // several events of one nanosecond
	}
	b.Time(event.Timestamp, t.UnixNano())
	if rnd.IntN(4) > 0 {
		b.Time(event.EventCreated, t.Add(time.Duration(rnd.IntN(1000)-3)*time.Millisecond).UnixNano())
		b.Time(event.EventIngested, t.Add(time.Second).UnixNano())
	}
	b.Str(event.EventKind, pick(rnd, "event", "event", "signal", "pipeline_error"))
	if rnd.IntN(5) > 0 {
		units := pick(rnd, []string{"so-tttt"}, []string{"ubnd-huyen-a", "so-tttt"}, []string{"so-y-te"})
		b.Strs(event.HaidangUnitID, units...)
		b.Int(event.HaidangLevel, int64(rnd.IntN(5)+1))
		b.Str(event.HaidangSystemID, pick(rnd, "cong-dvc", "qlvb", "email"))
	}
	switch rnd.IntN(10) {
	case 0, 1, 2, 3:
		g.login(b, rnd)
	case 4, 5, 6:
		g.flow(b, rnd)
	case 7, 8:
		g.web(b, rnd)
	default:
		if g.Regular {
			g.login(b, rnd)
			return
		}
		g.oddity(b, rnd)
	}
}

func (g Generator) login(b *event.Builder, rnd *rand.Rand) {
	user := pick(rnd, "root", "admin", "nguyễn.văn.a", norm.NFD.String("nguyễn.văn.b"), "Trần Thị Đào", "007", "1e3")
	if g.Regular {
		user = pick(rnd, "root", "admin", "nguyễn.văn.a", "Trần Thị Đào")
	}
	ip := pick(rnd, "10.1.2.3", "10.1.2.4", "192.168.7.9", "203.0.113.7", "2001:db8::17")
	ok := rnd.IntN(3) == 0
	word, outcome := "Failed", "failure"
	if ok {
		word, outcome = "Accepted", "success"
	}
	port := rnd.IntN(60000) + 1024
	line := fmt.Sprintf("<38>%s sshd[%d]: %s password for %s from %s port %d ssh2", pick(rnd, "dc01", "web-02"),
		rnd.IntN(9000), word, user, ip, port)
	b.Str(event.EventOriginal, line)
	b.Str(event.Message, line[strings.IndexByte(line, ':')+2:])
	b.Str(event.EventDataset, "sshd.auth")
	b.Strs(event.EventCategory, "authentication", "session")
	b.Str(event.EventAction, "ssh_login")
	b.Str(event.EventOutcome, outcome)
	b.Str(event.HostName, pick(rnd, "dc01", "web-02", "DC01"))
	b.Str(event.UserName, user)
	b.IP(event.SourceIP, addr(ip))
	b.Int(event.SourcePort, int64(port))
	b.Str(event.ProcessName, "sshd")
	if rnd.IntN(3) == 0 {
		b.Str(event.RuleID, fmt.Sprintf("rule-%d", rnd.IntN(4)))
	}
}

func (g Generator) flow(b *event.Builder, rnd *rand.Rand) {
	b.Str(event.EventDataset, "netflow.flow")
	b.Strs(event.EventCategory, "network")
	b.IP(event.SourceIP, addr(fmt.Sprintf("10.%d.0.%d", rnd.IntN(3), rnd.IntN(20))))
	b.IP(event.DestinationIP, addr(pick(rnd, "10.9.9.9", "198.51.100.23", "2001:db8:f::1")))
	b.Int(event.DestinationPort, pick(rnd, int64(22), 53, 80, 443, 3389, 51820))
	b.Int(event.SourceBytes, rnd.Int64N(1<<40))
	b.Int(event.SourcePackets, rnd.Int64N(1000))
	b.Str(event.NetworkTransport, pick(rnd, "tcp", "udp"))
	b.IPs(event.HostIP, addr("10.0.0.1"), addr("fe80::1"))
	b.Float(event.HaidangSkewSeconds, rnd.NormFloat64())
}

func (g Generator) web(b *event.Builder, rnd *rand.Rand) {
	path := pick(rnd, "/", "/dich-vu-công", norm.NFD.String("/tìm kiếm?q=đường"), "/admin/../etc/passwd", "/a%20b")
	long := ""
	if !g.Regular && rnd.IntN(40) == 0 {
		long = strings.Repeat("A1b2 nhật ký ", 2000)
	}
	b.Str(event.EventOriginal, fmt.Sprintf(`203.0.113.%d - - "GET %s HTTP/1.1" %d "Mozilla/5.0 %s"`, rnd.IntN(9), path,
		pick(rnd, 200, 404, 500), long))
	b.Str(event.EventDataset, "nginx.access")
	b.Strs(event.EventCategory, "web")
	b.Str(event.URLPath, path)
	b.Int(event.HTTPResponseStatusCode, pick(rnd, int64(200), 404, 500))
	b.Str(event.HostName, "cổng-dịch-vụ")
	b.Bool(event.HaidangTruncated, rnd.IntN(2) == 0)
	b.Extra("Thiết bị", pick(rnd, "Tường lửa số 1", norm.NFD.String("Tường lửa số 2"), "12.50", "true"))
	b.Extra("bytes sent", fmt.Sprint(rnd.IntN(100)))
}

// oddity makes events whose hot fields are not what fields.lock says, have several values or none, or control
// characters.
func (g Generator) oddity(b *event.Builder, rnd *rand.Rand) {
	b.Str(event.EventOriginal, pick(rnd, "x\x00y\x1fz", "raw \xff\xfe bytes", "dòng\nhai dòng", "_under_score_ --"))
	switch rnd.IntN(8) {
	case 0:
		b.Str(event.DestinationPort, "22")
	case 1:
		b.IPs(event.SourceIP, addr("10.1.2.3"), addr("10.1.2.4"))
	case 2:
		b.Strs(event.HostName, "dc01", "dc02")
	case 3:
		b.Strs(event.EventCategory, "a\x1fb", "authentication")
	case 4:
		b.Str(event.EventCategory, "authentication") // one text where a list is the rule
	case 5:
		b.Str(event.UserName, pick(rnd, "\"q\"\\", "a*b", "tab\there", " lead", "2026-11-29T02:10:30Z", "10.0.0.1", "-0",
			"1_000", "1.50", "01.2.3.4", "12", "-12"))
	case 6:
		b.Str(event.EventDataset, pick(rnd, "{x}", "a,b=\"c\""))
		b.Strs(event.HaidangUnitID)
	}
	b.Time(event.EventStart, g.Base.UnixNano())
}
