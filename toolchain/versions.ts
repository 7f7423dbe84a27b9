/** The one place where versions of the engine and its plugins are pinned. */

/** The version of the CLI, the language host and @pulumi/pulumi. */
export const PULUMI = "3.225.0";

/** An installed CLI fits from this version on (error hooks) and below the next major one. */
export const PULUMI_AT_LEAST = "3.218.0";
export const PULUMI_BELOW_MAJOR = 4;

/** The plugin versions, equal to those of the npm packages of the same name. */
export const PLUGINS = { command: "1.2.1", tls: "5.6.1" } as const;
export type PluginName = keyof typeof PLUGINS;

/** What `go` must be to build the CLI: from here on it fetches the exact toolchain itself. */
export const GO_AT_LEAST = "1.21";
export const GO_EXACT = "1.25.6";
