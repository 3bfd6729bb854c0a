// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
)

// TestDemo plays the whole night and expects exactly the alerts of the attack: right system, level and severity, in
// the order in which the attack went on.
func TestDemo(t *testing.T) {
	var got []string
	var out bytes.Buffer
	err := Run(t.Context(), Config{Out: &out, Listen: "127.0.0.1:0", Speed: 40, Once: true, Seed: 1,
		Raised: func(a *alert.Alert) {
			got = append(got, fmt.Sprintf("%s | %s cấp %d | %s", a.Rule.Title, a.Systems[0].ID, a.Level,
				a.Severity.Vietnamese()))
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", out.String())
	const (
		guessing = "Dò mật khẩu SSH từ một địa chỉ | dvc cấp 3 | Cao"
		spray    = "Rải mật khẩu SSH lên nhiều tài khoản | dvc cấp 3 | Cao"
		outside  = "Đăng nhập SSH vào hệ thống cấp độ 3 trở lên từ ngoài vùng quản trị | dvc cấp 3 | Rất cao"
		success  = "Đăng nhập SSH được sau khi dò mật khẩu | dvc cấp 3 | Rất cao"
		account  = "Tạo tài khoản mới trên máy chủ Linux | dvc cấp 3 | Cao"
		sudo     = "Tài khoản vừa tạo đã dùng quyền root | dvc cấp 3 | Cao"
		scan     = "Quét một cổng trên nhiều máy | dvc cấp 3 | Cao"
		outflow  = "Lượng lớn dữ liệu ra ngoài | dvc cấp 3 | Cao"
		silent   = "Nguồn nhật ký của hệ thống cấp độ 3 trở lên im lặng | fw-stc cấp 3 | Cao"
	)
	want := []string{guessing, spray, outside, success, account, sudo, scan, outflow, silent}
	sorted := slices.Sorted(slices.Values(got))
	if !slices.Equal(sorted, slices.Sorted(slices.Values(want))) {
		t.Errorf("alerts:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, pair := range [][2]string{{guessing, outside}, {spray, outside}, {guessing, success}, {account, sudo},
		{success, sudo}, {sudo, scan}, {scan, outflow}, {outflow, silent}} {
		if slices.Index(got, pair[0]) > slices.Index(got, pair[1]) {
			t.Errorf("%q came after %q", pair[0], pair[1])
		}
	}
}

// TestNight: the story is of a holiday that is over, whatever the day.
func TestNight(t *testing.T) {
	for day, want := range map[string]string{"2026-11-29": "2026-09-02", "2026-09-02": "2025-09-02",
		"2026-09-03": "2026-09-02", "2027-01-01": "2026-09-02"} {
		now, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := Night(now).Format("2006-01-02 15:04"); got != want+" 02:05" {
			t.Errorf("%s: %s, want %s", day, got, want)
		}
	}
}
