import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkNames } from "./names";
import { toOutputs } from "./outputs";
import type { HostOutput, Outputs } from "./outputs";
import { exitCode } from "./pulumi";
import type { Engine } from "./pulumi";
import { Failure } from "./say";
import { secretOutputs } from "./stack";

/** A door to the hosts of a stack: the system's ssh, with the host keys that the stack pins. */
export interface Connections {
  readonly outputs: Outputs;
  /** Starts ssh to a host of the stack. @throws Failure if there is no such host */
  readonly ssh: (host: string, command: readonly string[], options?: SshOptions) => ChildProcess;
}

export interface SshOptions {
  readonly stdio?: StdioOptions;
  /** No questions, no terminal; fails instead. @default false */
  readonly batch?: boolean;
}

/** How long the key stays in the agent, in s: most commands make their connections at once. */
const KEY_LIFETIME_SECONDS = 120;

export interface DoorOptions {
  /** Connections are made as long as the door is open. @default false */
  readonly staysOpen?: boolean;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Opens the door, and closes it whatever happens, Ctrl-C too: connections and the agent's process are ended and the
 * folder is removed. The private key goes from Pulumi to the ssh-agent in memory and never to a disk.
 */
export async function withConnections<T>(
  engine: Engine,
  stack: string,
  use: (connections: Connections) => Promise<T>,
  { staysOpen = false }: DoorOptions = {},
): Promise<T> {
  const raw = JSON.parse(await secretOutputs(engine, stack)) as {
    readonly sshPrivateKey?: unknown;
  };
  const outputs = toOutputs(raw);
  // A short path: a socket's may have 107 characters.
  const folder = mkdtempSync(join(tmpdir(), "fleet-"));
  let agent: ChildProcess | undefined;
  const open = new Set<ChildProcess>();
  const close = (): void => {
    for (const connection of open) connection.kill();
    agent?.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    close();
    // No longer caught: the process ends by it, as its caller expects.
    process.kill(process.pid, signal);
  };
  process.once("exit", close);
  for (const signal of SIGNALS) process.once(signal, onSignal);
  try {
    if (typeof raw.sshPrivateKey === "string" && raw.sshPrivateKey !== "") {
      agent = await startAgent(join(folder, "agent"), raw.sshPrivateKey, staysOpen);
    }
    const config = join(folder, "config");
    writeFileSync(config, sshConfig(outputs.hosts, folder, agent !== undefined), { mode: 0o600 });
    writeFileSync(join(folder, "known_hosts"), knownHosts(outputs.hosts), { mode: 0o600 });
    return await use({
      outputs,
      ssh(host, command, { stdio = "inherit", batch = false } = {}) {
        checkNames("host", [host], Object.keys(outputs.hosts), stack);
        const options = batch ? ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"] : [];
        const connection = spawn("ssh", ["-F", config, ...options, alias(host), ...command], {
          stdio,
        });
        open.add(connection);
        return connection.once("exit", () => open.delete(connection));
      },
    });
  } finally {
    process.off("exit", close);
    for (const signal of SIGNALS) process.off(signal, onSignal);
    close();
  }
}

/** An own ssh-agent with one key, which it forgets after a while or keeps until it ends; it answers at `socket`. */
async function startAgent(socket: string, key: string, keeps: boolean): Promise<ChildProcess> {
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  let failed: Error | undefined;
  agent.on("error", (error) => (failed = error));
  agent.on("exit", () => (failed ??= new Error("ssh-agent ended")));
  try {
    const deadline = Date.now() + 5000;
    while (!(await listens(socket))) {
      if (failed !== undefined || Date.now() > deadline) {
        throw new Failure(`ssh-agent does not start: ${failed?.message ?? "no answer after 5 s"}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const lifetime = keeps ? [] : ["-t", String(KEY_LIFETIME_SECONDS)];
    const add = spawn("ssh-add", ["-q", ...lifetime, "-"], {
      stdio: ["pipe", "ignore", "ignore"],
      env: { ...process.env, SSH_AUTH_SOCK: socket },
    });
    add.stdin.on("error", () => undefined);
    add.stdin.end(key.endsWith("\n") ? key : `${key}\n`);
    if ((await exitCode(add)) !== 0) throw new Failure("ssh-agent does not take the stack's key");
    return agent;
  } catch (error) {
    agent.kill();
    throw error;
  }
}

/** Whether somebody listens there; the socket's file is there a moment before. */
async function listens(socket: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const probe = createConnection(socket);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => {
      resolve(false);
    });
  });
}

// Names of our own, so that a pin holds for this host alone whatever its address and port are.
function alias(host: string): string {
  return `fleet-${host}`;
}

function bastionAlias(host: string): string {
  return `fleet-${host}-bastion`;
}

/**
 * The ssh_config of a stack. A file, because ssh hands `-F` on to the jump host's connection, but no other option.
 * The operator's own configuration is not read: what Pulumi reaches is what this reaches.
 *
 * @param ownKey whether the stack has a key of its own; else the operator's agent and key files are used
 */
export function sshConfig(
  hosts: Readonly<Record<string, HostOutput>>,
  folder: string,
  ownKey: boolean,
): string {
  const file = join(folder, "known_hosts");
  const blocks = Object.entries(hosts).flatMap(([name, host]) => [
    ...block(alias(name), host),
    ...(host.bastion === undefined
      ? []
      : [`  ProxyJump ${bastionAlias(name)}`, ...block(bastionAlias(name), host.bastion)]),
  ]);
  return [
    ...blocks,
    "Host *",
    "  StrictHostKeyChecking yes",
    "  HostKeyAlgorithms ssh-ed25519",
    `  UserKnownHostsFile "${file}"`,
    "  GlobalKnownHostsFile none",
    "  UpdateHostKeys no",
    "  LogLevel ERROR",
    // Up to the exchange of keys: what forwards to a machine that is booting takes a connection and says nothing.
    "  ConnectTimeout 30",
    "  ServerAliveInterval 15",
    ...(ownKey ? [`  IdentityAgent "${join(folder, "agent")}"`, "  IdentityFile none"] : []),
    "",
  ].join("\n");
}

function block(
  name: string,
  { address, port, user }: NonNullable<HostOutput["bastion"]>,
): string[] {
  return [
    `Host ${name}`,
    `  HostName ${address}`,
    `  Port ${String(port)}`,
    `  User ${user}`,
    `  HostKeyAlias ${name}`,
  ];
}

/** The pinned keys, one line a host. */
export function knownHosts(hosts: Readonly<Record<string, HostOutput>>): string {
  return Object.entries(hosts)
    .flatMap(([name, { hostKey, bastion }]) => [
      `${alias(name)} ${twoWords(hostKey)}\n`,
      ...(bastion === undefined ? [] : [`${bastionAlias(name)} ${twoWords(bastion.hostKey)}\n`]),
    ])
    .join("");
}

// Type and key; a comment is left out.
function twoWords(key: string): string {
  return key.trim().split(/\s+/).slice(0, 2).join(" ");
}
