package main

import (
	"context"
	"os"
	"os/exec"

	"agent-fleet/toolchain/standins/internal/plugin"
)

// local.Command: a command on the operator's machine.
var localCommand = withRules(commandResource([]plugin.Field{
	{Name: "dir", Type: plugin.String},
	{Name: "interpreter", Type: plugin.Strings},
	{Name: "assetPaths", Type: plugin.Strings},
	{Name: "archivePaths", Type: plugin.Strings},
}, runLocal), func(inputs plugin.Properties) []plugin.Failure {
	var failures []plugin.Failure
	for _, key := range []string{"assetPaths", "archivePaths"} {
		if inputs[key] != nil {
			failures = append(failures, plugin.Failure{Property: key, Reason: "this stand-in for the " +
				"command plugin does not collect files; the official plugin is needed for it"})
		}
	}
	return failures
})

func withRules(resource plugin.Resource, rules func(plugin.Properties) []plugin.Failure) plugin.Resource {
	resource.Rules = rules
	return resource
}

func runLocal(ctx context.Context, e *execution, out *printed) error {
	words := []string{"/bin/sh", "-c"}
	if interpreter, _ := e.inputs["interpreter"].([]any); len(interpreter) > 0 {
		words = nil
		for _, word := range interpreter {
			words = append(words, word.(string))
		}
	}
	words = append(words, e.command)
	// The end of the context kills the process itself, not what it started: as the official plugin does.
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.Dir, _ = plugin.Text(e.inputs, "dir")
	command.Env = os.Environ()
	for _, variable := range append(e.environment(), e.before...) {
		command.Env = append(command.Env, variable.name+"="+variable.value)
	}
	if text, _ := plugin.Text(e.inputs, "stdin"); text != "" {
		command.Stdin = e.stdin()
	}
	command.Stdout = &out.stdout
	command.Stderr = &out.stderr
	return out.failure(command.Run(), e.command)
}
