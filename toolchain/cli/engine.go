//go:build tools

// Package engine names the one command that the build takes from its module, so that
// `go mod tidy` keeps what the command needs.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
