// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import "net/http"

func (a *App) api() http.Handler { return http.NotFoundHandler() }
