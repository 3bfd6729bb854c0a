// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"flag"
	"strconv"
	"sync"
)

var libraryOnce sync.Once

// startLibrary sets what logstorage takes only from the process's command-line flags, once for the process and before
// its first use: the memory of its caches (by default 60 % of the RAM) and what it writes to stderr. It panics unless
// flag.CommandLine has been parsed; haidang's own command line does not use that set, so nothing is parsed here.
func startLibrary(memory int64) {
	libraryOnce.Do(func() {
		if memory > 0 {
			_ = flag.Set("memory.allowedBytes", strconv.FormatInt(memory, 10))
		} else {
			_ = flag.Set("memory.allowedPercent", "25")
		}
		_ = flag.Set("loggerLevel", "ERROR")
		if !flag.Parsed() {
			_ = flag.CommandLine.Parse(nil)
		}
	})
}
