// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Command haidang is the security operations centre of a province in one program.
//
// Each command is a file of this folder and thin: the work is in the packages. Exit status: 0 done, 1 the work failed
// or found what it looks for (a failing rule test, a broken chain), 2 the command line or the server's configuration is
// wrong, 3 some rules were refused.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Server  serverCmd  `cmd:"" help:"Collect, index, correlate and send until stopped."`
	Decode  decodeCmd  `cmd:"" help:"Show what the decoders make of log lines."`
	Demo    demoCmd    `cmd:"" help:"A night at the SOC, on a server of its own."`
	Query   queryCmd   `cmd:"" help:"Search events, or count them."`
	Alerts  alertsCmd  `cmd:"" help:"List, show and handle alerts."`
	People  peopleCmd  `cmd:"" help:"People, roles and tokens."`
	Check   checkCmd   `cmd:"" help:"Check configuration, inventory, policy and rules."`
	Flows   flowsCmd   `cmd:"" help:"Turn captured NetFlow and IPFIX into flows, one JSON document a line."`
	Replay  replayCmd  `cmd:"" help:"Play log and capture files through decoders and rules, in event time."`
	Ledger  ledgerCmd  `cmd:"" help:"The books of the pipeline: what came in, what became of it, who sends."`
	Rules   rulesCmd   `cmd:"" help:"Test rules, or evaluate them over events."`
	Sinks   sinksCmd   `cmd:"" help:"How alerts go out, and deliveries that were given up."`
	Backup  backupCmd  `cmd:"" help:"Copy the data directory, of a running server too."`
	Restore restoreCmd `cmd:"" help:"Bring a backup back into an empty directory."`
	Verify  verifyCmd  `cmd:"" help:"Find changes in the events of a closed day."`
	Bench   benchCmd   `cmd:"" help:"Measure a server on this machine."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// streams are what a command reads and writes, and until when.
type streams struct {
	ctx context.Context
	in  io.Reader
	out io.Writer
	err io.Writer
}

// exitError ends the program with a status of its own; Err may be nil when everything was said already.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// misused is an error of the command line.
func misused(format string, args ...any) error { return &exitError{2, fmt.Errorf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(os.Args[1:], &streams{ctx, os.Stdin, os.Stdout, os.Stderr}))
}

// run is main for tests: it returns the exit status.
func run(args []string, s *streams) (status int) {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("haidang"),
		kong.Description("Trung tâm giám sát an ninh mạng của tỉnh: the security operations centre of a province."),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { panic(exitStatus(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "haidang:", err)
		return 2
	}
	defer func() {
		if v := recover(); v != nil {
			code, ok := v.(exitStatus)
			if !ok {
				panic(v)
			}
			status = int(code)
		}
	}()
	showExamples(parser.Model)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(s.err, "haidang: %v; see %s --help\n", err, about(err))
		return 2
	}
	err = k.Run()
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintln(s.err, "haidang:", exit.err)
		}
		return exit.status
	}
	fmt.Fprintln(s.err, "haidang:", err)
	return 1
}

// about names the command that a mistake was made in.
func about(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil && parse.Context.Selected() != nil {
		return parse.Context.Selected().FullPath()
	}
	return "haidang"
}

// exitStatus is how kong's own end (after --help) leaves run.
type exitStatus int
