// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

// Run prints the module's version, the commit it was built from and the platform.
func (versionCmd) Run(s *streams) error {
	_, err := fmt.Fprintln(s.out, "haidang", version())
	return err
}

// version describes the build: "v1.2.3 (commit, modified) go1.26 linux/amd64".
func version() string {
	v, commit := "devel", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" && info.Main.Version != "(devel)" {
			v = info.Main.Version
		}
		for _, x := range info.Settings {
			switch {
			case x.Key == "vcs.revision":
				commit = " (" + x.Value[:min(12, len(x.Value))]
			case x.Key == "vcs.modified" && x.Value == "true" && commit != "":
				commit += ", modified"
			}
		}
	}
	if commit != "" {
		commit += ")"
	}
	return fmt.Sprintf("%s%s %s %s/%s", v, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
