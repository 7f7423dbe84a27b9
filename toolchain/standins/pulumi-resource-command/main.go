// The stand-in for pulumi-resource-command.
package main

import (
	"agent-fleet/toolchain/standins/internal/plugin"
	"agent-fleet/toolchain/standins/internal/versions"
)

func main() {
	plugin.Serve("command", versions.Command, map[string]plugin.Resource{
		"command:local:Command":       localCommand,
		"command:remote:Command":      remoteCommand,
		"command:remote:CopyToRemote": copyToRemote,
	})
}
