// Package versions holds what toolchain/versions.ts pins; the build sets it by -X.
package versions

var (
	Pulumi  = "0.0.0"
	Command = "0.0.0"
	TLS     = "0.0.0"
)
