// The stand-in for pulumi-resource-tls.
package main

import (
	"agent-fleet/toolchain/standins/internal/plugin"
	"agent-fleet/toolchain/standins/internal/versions"
)

func main() {
	plugin.Serve("tls", versions.TLS, map[string]plugin.Resource{
		"tls:index/privateKey:PrivateKey": privateKey,
	})
}
