// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"net"
	"net/http"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/haidang-soc/haidang/internal/access"
)

// withPeer notes which user of this machine opened a connection to api.sock.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	name := "unknown"
	if u, ok := c.(*net.UnixConn); ok {
		if raw, err := u.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) {
				cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
				if err != nil {
					return
				}
				name = strconv.Itoa(int(cred.Uid))
				if u, err := user.LookupId(name); err == nil {
					name = u.Username
				}
			})
		}
	}
	return context.WithValue(ctx, principalKey{}, access.Local(name))
}

// localPrincipal refuses what did not come with a peer: there is no such request unless the program is wrong.
func localPrincipal(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := r.Context().Value(principalKey{}).(access.Principal); !ok {
			http.Error(w, "no peer", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
