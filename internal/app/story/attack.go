// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package story

import (
	"fmt"
	"net/netip"
	"time"
)

// attack is what happens between 02:10 and 02:25.
func (n *night) attack(m *Moment, s int) {
	minute, second := s/60, s%60
	switch {
	case minute == 5 && second == 0:
		m.Title = "Từ " + attacker + " có người dò mật khẩu SSH của máy chủ Cổng dịch vụ công"
		fallthrough
	case (minute == 5 || minute == 6) && second%3 == 0:
		user := n.pick("root", "admin", "quantri", "oracle", "nguyễn", "dvc")
		m.say(86, victim, fmt.Sprintf("sshd[7120]: Failed password for %s from %s port %d ssh2", user, attacker,
			41000+s))
	case minute == 7 && second == 5:
		m.Title = "Đoán đúng: đăng nhập bằng tài khoản dvc"
		m.say(86, victim, "sshd[7188]: Accepted password for dvc from "+attacker+" port 41777 ssh2")
		m.say(86, victim, "sshd[7188]: pam_unix(sshd:session): session opened for user dvc(uid=1001) by (uid=0)")
	case minute == 8 && second == 10:
		m.Title = "Tạo tài khoản hotro để quay lại"
		m.say(85, victim, "sudo:      dvc : TTY=pts/1 ; PWD=/home/dvc ; USER=root ; COMMAND=/usr/sbin/useradd -m hotro")
		m.say(86, victim, "useradd[7203]: new user: name=hotro, UID=1017, GID=1017, home=/home/hotro, shell=/bin/bash, "+
			"from=/dev/pts/1")
	case minute == 9 && second == 0:
		m.Title = "Tường lửa của Sở Tài chính ngừng gửi nhật ký"
	case minute == 9 && second == 30:
		m.Title = "Tài khoản hotro dùng sudo thành root"
		m.say(85, victim, "sudo:    hotro : TTY=pts/2 ; PWD=/home/hotro ; USER=root ; COMMAND=/bin/bash")
	case minute == 11 && second == 0:
		m.Title = "Từ máy chủ web quét cổng 445 khắp vùng cơ sở dữ liệu"
		fallthrough
	case minute == 11 && second < 40:
		n.scan(m, second)
	case minute == 14 && second == 0:
		m.Title = "Cơ sở dữ liệu gửi dữ liệu ra " + attacker
		fallthrough
	case minute >= 14 && minute < 19 && second%30 == 0:
		m.Flows = append(m.Flows, Flow{Src: netip.MustParseAddr(database), Dst: netip.MustParseAddr(attacker),
			SrcPort: 50122, DstPort: 443, Protocol: 6, Bytes: 180_000_000, Packets: 130_000,
			Start: m.At.Add(-30 * time.Second), End: m.At.Add(-time.Second)})
	}
}

// scan tries two hosts a second, which do not answer.
func (n *night) scan(m *Moment, second int) {
	for i := range 2 {
		m.Flows = append(m.Flows, Flow{Src: netip.MustParseAddr("10.10.1.11"),
			Dst:     netip.AddrFrom4([4]byte{10, 10, 2, byte(20 + 2*second + i)}),
			SrcPort: uint16(40000 + 2*second + i), DstPort: 445, Protocol: 6, Bytes: 104, Packets: 2,
			Start: m.At.Add(-2 * time.Second), End: m.At.Add(-time.Second)})
	}
}
