package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"

	"agent-fleet/toolchain/standins/internal/plugin"
)

// What a local and a remote command have in common: when which command runs, and its outputs.

var commandFields = []plugin.Field{
	{Name: "create", Type: plugin.String},
	{Name: "update", Type: plugin.String},
	{Name: "delete", Type: plugin.String},
	{Name: "triggers", Type: plugin.List, Replaces: true},
	{Name: "stdin", Type: plugin.String},
	{Name: "environment", Type: plugin.Map},
	{Name: "logging", Type: plugin.String, Allowed: []string{"stdout", "stderr", "stdoutAndStderr", "none"}},
	{Name: "addPreviousOutputInEnv", Type: plugin.Boolean, Default: true},
}

// One command and the circumstances in which it runs.
type execution struct {
	command string
	inputs  plugin.Properties
	// What the last create or update printed.
	before []variable
	call   plugin.Call
}

type variable struct{ name, value string }

// The variables of `environment`.
func (e *execution) environment() []variable {
	given, _ := e.inputs["environment"].(plugin.Properties)
	var all []variable
	for name, value := range given {
		text, _ := value.(string)
		all = append(all, variable{name, text})
	}
	return all
}

func (e *execution) stdin() io.Reader {
	text, _ := plugin.Text(e.inputs, "stdin")
	return strings.NewReader(text)
}

// Runs one command to its end.
type run func(ctx context.Context, e *execution, out *printed) error

func commandResource(fields []plugin.Field, run run) plugin.Resource {
	execute := func(ctx context.Context, e execution) (plugin.Properties, error) {
		out := newPrinted(&e)
		err := run(ctx, &e, out)
		out.finish()
		if err != nil {
			return nil, err
		}
		return plugin.Properties{"stdout": out.stdout.text(), "stderr": out.stderr.text()}, nil
	}
	return plugin.Resource{
		Inputs:  append(commandFields[:len(commandFields):len(commandFields)], fields...),
		Outputs: []string{"stdout", "stderr"},
		Create: func(ctx context.Context, inputs plugin.Properties, call plugin.Call) (string, plugin.Properties, error) {
			own := plugin.Properties{"stdout": "", "stderr": ""}
			command, given := plugin.Text(inputs, "create")
			var err error
			if given {
				own, err = execute(ctx, execution{command: command, inputs: inputs, call: call})
			}
			return uniqueID(call.Name), own, err
		},
		Update: func(ctx context.Context, olds, news plugin.Properties, call plugin.Call) (plugin.Properties, error) {
			// An empty `update` is one that was given: it runs, as it does in the official plugin.
			command, given := plugin.Text(news, "update")
			if !given {
				command, given = plugin.Text(news, "create")
			}
			if !given {
				stdout, _ := plugin.Text(olds, "stdout")
				stderr, _ := plugin.Text(olds, "stderr")
				return plugin.Properties{"stdout": stdout, "stderr": stderr}, nil
			}
			return execute(ctx, execution{command, news, previous(olds, news), call})
		},
		Delete: func(ctx context.Context, state plugin.Properties, call plugin.Call) error {
			command, given := plugin.Text(state, "delete")
			if !given {
				return nil
			}
			_, err := execute(ctx, execution{command, state, previous(state, state), call})
			return err
		},
	}
}

func previous(olds, news plugin.Properties) []variable {
	if news["addPreviousOutputInEnv"] == false {
		return nil
	}
	var all []variable
	for _, stream := range []string{"stdout", "stderr"} {
		if value, _ := plugin.Text(olds, stream); value != "" {
			all = append(all, variable{"PULUMI_COMMAND_" + strings.ToUpper(stream), value})
		}
	}
	return all
}

// The name and eight hexadecimal digits.
func uniqueID(name string) string {
	digits := make([]byte, 4)
	_, _ = rand.Read(digits)
	return name + hex.EncodeToString(digits)
}

// What a command has printed. Its lines are shown as they come where logging says so.
type printed struct {
	stdout, stderr stream
	both           bytes.Buffer

	lock       sync.Mutex
	show       func(line string)
	unfinished []byte
}

// One of the two streams, as a writer and nothing more: a buffer's own methods would go past Write.
type stream struct {
	of    *printed
	shown bool
	all   bytes.Buffer
}

func newPrinted(e *execution) *printed {
	logging, given := plugin.Text(e.inputs, "logging")
	all := !given || logging == "stdoutAndStderr"
	p := &printed{show: e.call.Status}
	p.stdout = stream{of: p, shown: all || logging == "stdout"}
	p.stderr = stream{of: p, shown: all || logging == "stderr"}
	return p
}

func (s *stream) Write(text []byte) (int, error) {
	p := s.of
	p.lock.Lock()
	defer p.lock.Unlock()
	p.both.Write(text)
	if s.shown {
		p.unfinished = append(p.unfinished, text...)
		for {
			line, rest, ended := bytes.Cut(p.unfinished, []byte("\n"))
			if !ended {
				break
			}
			p.show(plugin.Valid(bytes.TrimSuffix(line, []byte("\r"))))
			p.unfinished = rest
		}
	}
	return s.all.Write(text)
}

func (p *printed) finish() {
	if len(p.unfinished) > 0 {
		p.show(plugin.Valid(p.unfinished))
		p.unfinished = nil
	}
}

// The error of a command that has failed: with its text and all that it has printed.
func (p *printed) failure(err error, command string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: running %q:\n%s", err, command, plugin.Valid(p.both.Bytes()))
}

// Without one newline at its end, as the outputs of a command are kept.
func (s *stream) text() string {
	return strings.TrimSuffix(plugin.Valid(s.all.Bytes()), "\n")
}
