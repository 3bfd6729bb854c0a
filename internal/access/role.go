// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import "slices"

// Role is what a person or program is trusted with. A person may have several.
type Role string

// The roles. Viewer is a head of an agency who looks and does not act; Service is a program that delivers events.
const (
	Analyst Role = "analyst"
	Lead    Role = "lead"
	Admin   Role = "admin"
	Viewer  Role = "viewer"
	Service Role = "service"
)

// Roles returns all roles.
func Roles() []Role { return []Role{Analyst, Lead, Admin, Viewer, Service} }

// Known reports whether the role exists.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }

// Action is something that one may be allowed to do. What one may do it to is a matter of Scope.
type Action string

// The actions.
const (
	ReadEvents       Action = "events.read"       // search, fields, statistics
	ExportEvents     Action = "events.export"     // take events out of the system
	ReadAlerts       Action = "alerts.read"       //
	ActOnAlerts      Action = "alerts.act"        // acknowledge, assign, comment, close, reopen
	DeclareIncident  Action = "incidents.declare" // starts the legal clocks
	ReadSystems      Action = "systems.read"      // inventory, duties, sources
	ReadRules        Action = "rules.read"        //
	Reload           Action = "config.reload"     // configuration, inventory, rules
	ReadPeople       Action = "people.read"       //
	ManagePeople     Action = "people.manage"     // people, their roles and tokens
	ManageExceptions Action = "exceptions.manage" // of rules: what is not to alert
	ReadAudit        Action = "audit.read"        //
	WriteSpool       Action = "spool.write"       // /v1/spool, for the sources that the token names
)

// Actions returns all actions.
func Actions() []Action {
	return []Action{ReadEvents, ExportEvents, ReadAlerts, ActOnAlerts, DeclareIncident, ReadSystems, ReadRules, Reload,
		ReadPeople, ManagePeople, ManageExceptions, ReadAudit, WriteSpool}
}

// Can reports whether a role allows an action. Nothing is allowed by default, and an unknown role allows nothing.
func Can(r Role, a Action) bool {
	switch r {
	case Admin:
		return slices.Contains(Actions(), a)
	case Lead:
		switch a {
		case ReadEvents, ExportEvents, ReadAlerts, ActOnAlerts, DeclareIncident, ReadSystems, ReadRules, ReadPeople,
			ManageExceptions, ReadAudit:
			return true
		}
	case Analyst:
		switch a {
		case ReadEvents, ReadAlerts, ActOnAlerts, ReadSystems, ReadRules, ReadPeople:
			return true
		}
	case Viewer:
		switch a {
		case ReadEvents, ReadAlerts, ReadSystems, ReadRules:
			return true
		}
	case Service:
		return a == WriteSpool
	}
	return false
}
