// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"testing"

	"github.com/haidang-soc/haidang/correlator/ruletest"
	"github.com/haidang-soc/haidang/rules"
)

func TestRules(t *testing.T) {
	rep, err := ruletest.Run(t.Context(), []string{"."}, ruletest.Options{FS: rules.FS})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range rep.Failures {
		t.Error(f)
	}
	t.Logf("%d tests in %d files", rep.Tests, rep.Files)
}
