package main

import (
	"context"
	"fmt"
	"slices"

	"agent-fleet/toolchain/standins/internal/plugin"

	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// remote.Command: a command over SSH.
var remoteCommand = commandResource([]plugin.Field{connectionField}, runRemote)

func runRemote(ctx context.Context, e *execution, out *printed) error {
	// The client stays open until the plugin ends, as in the official plugin.
	client, err := dial(ctx, e.inputs, e.call)
	if err != nil {
		return err
	}
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	environment := e.environment()
	for _, variable := range slices.Concat(environment, e.before) {
		if err := session.Setenv(variable.name, variable.value); err != nil {
			advice := fmt.Sprintf(acceptEnv, variable.name)
			// A previous output that the server does not take is only warned about.
			if !slices.Contains(environment, variable) {
				e.call.Log(rpc.LogSeverity_WARNING, advice)
				continue
			}
			e.call.Log(rpc.LogSeverity_ERROR, advice)
			return fmt.Errorf("could not set environment variable %q: %w", variable.name, err)
		}
	}
	session.Stdin = e.stdin()
	session.Stdout = &out.stdout
	session.Stderr = &out.stderr
	// A running command does not heed the context, as in the official plugin.
	return out.failure(session.Run(e.command), e.command)
}

const acceptEnv = "Unable to set '%s'. This only works if your SSH server is configured to accept " +
	"these variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the " +
	"remote host, you could prefix the command itself with the variables in the form " +
	"'VAR=value command'"
