// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"io/fs"
	"os"
)

// InspectAudit follows the chain of an audit that nobody has open, and changes nothing. It returns the number of
// entries up to the first that is wrong, and the bytes of a last line that was cut short. An audit that is not there
// has none.
func InspectAudit(path string) (entries uint64, torn int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	err = scan(f, func(_ []byte, e Entry) bool { entries = e.Seq; return true }, &torn)
	return entries, torn, err
}
