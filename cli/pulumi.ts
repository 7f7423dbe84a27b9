import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import type { Provider } from "../stacks/schema";
import type { PluginName } from "../toolchain/engine";
import type { StackFile } from "./stack-file";
import { PROJECT } from "./project";
import { Failure, say } from "./say";

/** The engine as the toolchain hands it over, with the whole environment to run it in. */
export interface Engine {
  readonly pulumi: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

/** Plugins by provider; every stack needs `command` (remote steps) and `tls` (keys). */
const PLUGINS = {
  local: [],
  ssh: [],
  hcloud: ["hcloud"],
  digitalocean: ["digitalocean"],
  aws: ["aws"],
  gcp: ["gcp"],
  azure: ["azure-native"],
  linode: ["linode"],
  vultr: ["vultr"],
  ovh: ["openstack"],
  proxmox: ["proxmoxve"],
} satisfies Record<Provider, PluginName[]>;
const EVERY_STACK: readonly PluginName[] = ["command", "tls"];

/** The plugins that a stack's hosts and their tunnels need, each once. */
export function pluginsFor(
  stack: Pick<StackFile, "providers" | "tunnels"> | undefined,
): PluginName[] {
  const byProvider: Readonly<Record<string, readonly PluginName[]>> = PLUGINS;
  const ofHosts = (stack?.providers ?? []).flatMap((provider) => byProvider[provider] ?? []);
  const ofTunnels: readonly PluginName[] = stack?.tunnels === true ? ["cloudflare"] : [];
  return [...new Set([...EVERY_STACK, ...ofHosts, ...ofTunnels])];
}

/**
 * Finds or installs the engine that the stack needs.
 * @param stack undefined where no resource is touched, so that no provider's plugin is needed
 * @throws Failure that says what is missing and what helps
 */
export async function engineFor(stack: StackFile | undefined): Promise<Engine> {
  const { obtainEngine } = await import("../toolchain/engine");
  const plugins = pluginsFor(stack);
  try {
    const { pulumi, env } = await obtainEngine({ plugins, say });
    await sdksFor(plugins);
    return { pulumi, env: { ...process.env, ...env } };
  } catch (error) {
    // What is missing and where to get it is all that a person needs.
    throw new Failure(error instanceof Error ? error.message : String(error));
  }
}

/** The packages of the stack's providers; those of every stack are there already. */
async function sdksFor(plugins: readonly PluginName[]): Promise<void> {
  const sdks = plugins.filter((name) => !EVERY_STACK.includes(name));
  if (sdks.length === 0) return;
  const { obtainPackages } = await import("../toolchain/packages");
  const { publicationOf } = await import("../toolchain/versions");
  await obtainPackages(
    PROJECT,
    sdks.map((name) => publicationOf(name).sdk),
    say,
  );
}

export interface RunOptions {
  /** What the process reads; nothing if absent. Secrets go this way, never by argv. */
  readonly input?: string;
  readonly env?: Readonly<NodeJS.ProcessEnv>;
}

/** Runs Pulumi with the terminal as it is; resolves with its exit code. */
export async function runPulumi(engine: Engine, args: readonly string[]): Promise<number> {
  return await exitCode(start(engine, args, "inherit", engine.env));
}

/**
 * Runs Pulumi and gives its stdout back.
 * @throws Failure with what it wrote to stderr if it fails
 */
export async function askPulumi(
  engine: Engine,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = start(engine, [...args, "--non-interactive"], "pipe", {
    ...engine.env,
    ...options.env,
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr?.on("data", (data: Buffer) => (stderr += data.toString()));
  // It may end without reading; its exit code tells why.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input ?? "");
  const code = await exitCode(child);
  if (code !== 0) {
    throw new Failure(`pulumi ${args.slice(0, 2).join(" ")} failed: ${stderr.trim()}`, code);
  }
  return stdout;
}

/** Starts Pulumi in the project's folder. */
export function start(
  engine: Engine,
  args: readonly string[],
  stdio: StdioOptions,
  env: Readonly<NodeJS.ProcessEnv>,
): ChildProcess {
  return spawn(engine.pulumi, args, { cwd: PROJECT, env, stdio });
}

/**
 * The exit code of a child. Ctrl-C reaches the child by itself (one process group); fleet waits for it to end in
 * order, and hands a SIGTERM on as the interrupt that Pulumi ends gracefully on.
 */
export async function exitCode(child: ChildProcess): Promise<number> {
  const wait = (): void => undefined;
  const passOn = (): void => void child.kill("SIGINT");
  process.on("SIGINT", wait);
  process.on("SIGTERM", passOn);
  process.on("SIGHUP", passOn);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        resolve(code ?? (signal === "SIGINT" ? 130 : 1));
      });
    });
  } finally {
    process.off("SIGINT", wait);
    process.off("SIGTERM", passOn);
    process.off("SIGHUP", passOn);
  }
}
