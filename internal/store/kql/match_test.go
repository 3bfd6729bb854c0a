// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package kql

import (
	"net/netip"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

func sample(t testing.TB) event.Event {
	b := event.NewBuilder("test", 1)
	b.Begin(7, 0)
	ts := time.Date(2026, 11, 29, 2, 10, 30, 5e8, time.UTC)
	b.Time(event.Timestamp, ts.UnixNano())
	b.Str(event.EventOriginal, "<38>sshd[42]: Failed password for Nguye\u0302\u0303n from 10.1.2.3 port 22")
	b.Str(event.Message, "Đăng nhập thất bại: Failed password")
	b.Str(event.UserName, "Nguye\u0302\u0303n") // decomposed
	b.Str(event.HostName, "dc01")
	b.IP(event.SourceIP, netip.MustParseAddr("10.1.2.3"))
	b.IP(event.DestinationIP, netip.MustParseAddr("2001:db8::1"))
	b.Int(event.DestinationPort, 22)
	b.Strs(event.EventCategory, "authentication", "session")
	b.Bool(event.HaidangTruncated, true)
	b.Float(event.HaidangSkewSeconds, 1.5)
	b.Extra("Tên thiết bị", "tường lửa 10.9.8.7")
	b.Extra("peer", "192.168.7.9")
	b.End()
	return b.Batch(7, 8).At(0)
}

func TestMatch(t *testing.T) {
	e := sample(t)
	f := func(query string, want bool) {
		t.Helper()
		if got := Match(MustParse(query), e); got != want {
			t.Errorf("Match(%s) = %v", query, got)
		}
	}
	// whole values, in NFC, with case
	f("host.name: dc01", true)
	f("host.name: DC01", false)
	f("host.name: dc", false)
	f("host.name: d*1", true)
	f("host.name: d*2", false)
	f("host.name: *c0*", true)
	f(`host.name: "d*1"`, false)
	f("user.name: Nguyễn", true)
	f("user.name: Nguye\u0302\u0303n", true)
	f("user.name: Nguyen", false)
	f("user.name: (a or Nguyễn)", true)
	f("not user.name: *", false)
	f("file.name: *", false)
	f("not file.name: x", true)
	f("event.category: session", true)
	f("event.category: (session and authentication)", true)
	f("event.category: authentication session", false)
	f("user.*: Nguyễn", true)
	f("*.name: dc01", true)
	f("*: dc02", false)
	f("no.such.field: x", false)
	// numbers, addresses, times, truth
	f("destination.port: 22", true)
	f("destination.port: 22.0", true)
	f("destination.port: 2*", true)
	f("destination.port > 21 and destination.port < 22.5", true)
	f("destination.port >= 22 and destination.port <= 22", true)
	f("destination.port > 22", false)
	f("destination.port: x", false)
	f("haidang.skew.seconds: 1.5", true)
	f("source.ip: 10.1.2.3", true)
	f("source.ip: 10.0.0.0/8", true)
	f("source.ip: 10.1.2.0/24", true)
	f("source.ip: 11.0.0.0/8", false)
	f(`source.ip: "::ffff:10.1.2.3"`, true)
	f("source.ip: 10.1.*", true)
	f("source.ip >= 10.1.2.0 and source.ip < 10.1.3.0", true)
	f(`destination.ip: "2001:db8::/32"`, true)
	f(`destination.ip: 2001\:db8\:0\:\:1`, true)
	f("haidang.extra.peer: 192.168.0.0/16", true)
	f("haidang.truncated: true", true)
	f("haidang.truncated: false", false)
	f("@timestamp: 2026-11-29", true)
	f("@timestamp: 2026-11-28", false)
	f("@timestamp > 2026-11-29", false)
	f("@timestamp >= 2026-11-29", true)
	f("@timestamp <= 2026-11", true)
	f(`@timestamp: "2026-11-29T02:10"`, true)
	f(`@timestamp: "2026-11-29T09:10:30.5+07:00"`, true)
	f(`@timestamp: "2026-11-29T02:10:30.4Z"`, false)
	f("event.created: *", false)
	f("_id: *", true)
	f(`_id: "`+e.ID().String()+`"`, true)
	// full text: with and without diacritics, words anywhere, phrases in one value
	f("failed", true)
	f("FAILED sshd", true)
	f("failed absent", false)
	f("fail", false)
	f("fail*", true)
	f("*word*", true)
	f("dang nhap", true)
	f("đăng nhập", true)
	f("\u0111a\u0306ng nha\u0323\u0302p", true) // decomposed
	f("đang nhập", false)
	f("dang nhập", true)
	f("tường lửa", true)
	f("tuong lua", true)
	f("nguyễn", true)
	f("nguyen", true)
	f("nguyên", false)
	f("ngu*", true)
	f("nguyễ*", true)
	f("nguyé*", false)
	f(`"failed password for"`, true)
	f(`"failed for"`, false)
	f(`"password đăng"`, false)
	f("10.1.2.3", true)
	f("1.2.3", true)
	f("10.9.8.7", true)
	f("sshd[42]", true)
	f("sshd[43]", false)
	f("port-22", true)
	f("--", false)
	f("message: dang nhap", true)
	f(`message: "that bai"`, true)
	f("message: sshd", false)
	f("event.original: sshd*", true)
	f("haidang.text: tuong", true)
	f("2001", true)
}

func TestAppendText(t *testing.T) {
	want := "38 sshd 42 failed password for nguyen from 10 1 2 3 port 22\n" +
		"dang nhap that bai failed password\n2001 db8 1\nauthentication\nsession\ndc01\n" +
		"tuong lua 10 9 8 7\n192 168 7 9"
	if got := string(AppendText(nil, sample(t))); got != want {
		t.Errorf("AppendText:\n%s\nwant:\n%s", got, want)
	}
}

func TestConstructors(t *testing.T) {
	f := func(e *Expr, want string) {
		t.Helper()
		if got := e.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(AllOf(), "*")
	f(AnyOf(), "not *")
	f(AllOf(Equals("a", "x*"), AnyOf(Equals("b", "1"), HasField("c"))), `a: "x*" and (b: "1" or c: *)`)
	f(Negate(Compare(Greater, "a", "5")), `not a > "5"`)
}

func BenchmarkMatchText(b *testing.B) {
	e, q := sample(b), MustParse("failed dang nhap")
	for b.Loop() {
		Match(q, e)
	}
}

func BenchmarkAppendText(b *testing.B) {
	e := sample(b)
	var dst []byte
	for b.Loop() {
		dst = AppendText(dst[:0], e)
	}
}
