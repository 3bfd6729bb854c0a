// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// decodeAccount takes what the shadow tools say of accounts and groups: useradd, usermod, userdel, groupadd, groupmod,
// groupdel, gpasswd, passwd, chpasswd, chage. They do not say who ran them, except gpasswd and passwd; the account is
// user.target.name, and user.name too where no actor is named, as Elastic's system module has it.
func decodeAccount(x *line) bool {
	msg := x.msg
	if strings.HasPrefix(msg, "pam_") {
		return decodePAM(x)
	}
	for i := range accountLines {
		l := &accountLines[i]
		rest, ok := strings.CutPrefix(msg, l.begin)
		if !ok {
			continue
		}
		x.product("linux", "linux.account")
		x.classify("iam", "", l.action, success)
		x.b.Strs(event.EventType, l.object, l.change)
		l.read(x, rest)
		if actor := x.b.Has(event.UserName); !actor && x.b.Has(event.UserTargetName) {
			x.b.Str(event.UserName, x.users[0])
		}
		return true
	}
	if strings.Contains(msg, "fail") {
		x.product("linux", "linux.account")
		x.classify("iam", "info", "account_tool_failed", failure)
		x.target(quoted(msg))
		return true
	}
	return false
}

// accountLines are the beginnings of the tools' lines; of two that match, the longer stands first.
var accountLines = [...]struct {
	begin, action, object, change string
	read                          func(x *line, rest string)
}{
	{"new user: ", "user_created", "user", "creation", accountNew},
	{"new group: ", "group_created", "group", "creation", accountNewGroup},
	{"group added to ", "group_created", "group", "creation", accountNewGroup},
	{"add '", "user_added_to_group", "group", "change", accountMember},
	{"delete user '", "user_deleted", "user", "deletion", accountQuoted},
	{"delete '", "user_removed_from_group", "group", "change", accountMember},
	{"removed group '", "group_deleted", "group", "deletion", accountGroup},
	{"removed shadow group '", "group_deleted", "group", "deletion", accountGroup},
	{"group '", "group_deleted", "group", "deletion", accountGroup},
	{"lock user '", "user_locked", "user", "change", accountQuoted},
	{"unlock user '", "user_unlocked", "user", "change", accountQuoted},
	{"change user name '", "user_renamed", "user", "change", accountRenamed},
	{"change user '", "user_changed", "user", "change", accountChanged},
	{"change group '", "group_changed", "group", "change", accountGroup},
	{"changed password expiry for ", "password_expiry_changed", "user", "change", accountBare},
	{"changed password expiry of ", "password_expiry_changed", "user", "change", accountBare},
	{"password for '", "password_changed", "user", "change", accountBy},
	{"password for ", "password_changed", "user", "change", accountPassword},
	{"user ", "user_added_to_group", "group", "change", accountGpasswd},
}

// accountNew reads "name=eve, UID=1001, GID=1001, home=/home/eve, shell=/bin/bash, from=/dev/pts/0".
func accountNew(x *line, rest string) {
	accountPairs(rest, func(key, value string) {
		switch key {
		case "name":
			x.target(value)
		case "UID":
			x.str(event.UserTargetID, value)
		case "GID":
			x.str(event.UserTargetGroupID, value)
		case "home", "shell", "from":
			x.extra("account."+key, value)
		}
	})
}

// accountNewGroup reads "name=eve, GID=1001", also behind the name of the file.
func accountNewGroup(x *line, rest string) {
	if _, pairs, ok := strings.Cut(rest, ": "); ok {
		rest = pairs
	}
	accountPairs(rest, func(key, value string) {
		switch key {
		case "name":
			x.str(event.GroupName, value)
		case "GID":
			x.str(event.GroupID, value)
		}
	})
}

func accountPairs(s string, f func(key, value string)) {
	for s != "" {
		var part string
		part, s, _ = strings.Cut(s, ", ")
		if key, value, ok := strings.Cut(part, "="); ok {
			f(key, value)
		}
	}
}

// accountMember reads "eve' to group 'sudo'" and "eve' from group 'sudo'".
func accountMember(x *line, rest string) {
	name, rest, _ := strings.Cut(rest, "'")
	x.target(name)
	x.str(event.GroupName, quoted(rest))
}

// accountQuoted reads "eve' ...".
func accountQuoted(x *line, rest string) {
	name, _, _ := strings.Cut(rest, "'")
	x.target(name)
}

func accountGroup(x *line, rest string) {
	name, _, _ := strings.Cut(rest, "'")
	x.str(event.GroupName, name)
}

func accountBare(x *line, rest string) { x.target(rest) }

// accountRenamed reads "old' to 'new'".
func accountRenamed(x *line, rest string) {
	name, rest, _ := strings.Cut(rest, "'")
	x.target(name)
	x.str(event.UserChangesName, quoted(rest))
}

// accountChanged reads "eve' UID from '1001' to '0'" and "eve' password".
func accountChanged(x *line, rest string) {
	name, what, _ := strings.Cut(rest, "' ")
	x.target(name)
	attribute, values, _ := strings.Cut(what, " from ")
	x.extra("account.attribute", attribute)
	if _, to, ok := strings.Cut(values, " to "); ok {
		to = strings.Trim(to, "'")
		x.extra("account.value", to)
		if attribute == "UID" {
			x.str(event.UserChangesID, to)
		}
	}
	if attribute == "password" {
		x.b.Str(event.EventAction, "password_changed")
	}
}

// accountBy reads "eve' changed by 'root'".
func accountBy(x *line, rest string) {
	name, rest, _ := strings.Cut(rest, "'")
	x.target(name)
	x.user(quoted(rest))
}

// accountPassword reads "eve changed by root".
func accountPassword(x *line, rest string) {
	name, by, _ := strings.Cut(rest, " changed by ")
	x.target(name)
	x.user(strings.Trim(by, "'"))
}

// accountGpasswd reads "eve added by root to group sudo" and "eve removed by root from group sudo".
func accountGpasswd(x *line, rest string) {
	name, rest, ok := strings.Cut(rest, " added by ")
	if !ok {
		if name, rest, ok = strings.Cut(name, " removed by "); !ok {
			x.b.Str(event.EventAction, "user_changed")
			return
		}
		x.b.Str(event.EventAction, "user_removed_from_group")
	}
	x.target(name)
	by, group, _ := strings.Cut(rest, " group ")
	by = strings.TrimSuffix(strings.TrimSuffix(by, " to"), " from")
	x.user(by)
	x.str(event.GroupName, group)
}

// quoted returns what stands between the first pair of single quotes.
func quoted(s string) string {
	name, _ := between(s, "'", "'")
	return name
}
