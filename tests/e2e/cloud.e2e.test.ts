/**
 * The path of a VM in a cloud through the real engine, with a stand-in for Hetzner's plugin: its servers
 * are VMs on this machine, booted from the user data that they were given. Nothing of Hetzner is asked.
 * The tests of this file are one story.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { destroy } from "../../vm/machine";
import { isAlive } from "../../vm/process";
import { readRecord } from "../../vm/record";
import { placeAnyCloud } from "../toolchain/support/any-cloud";
import { Clone, run } from "./support/clone";
import { until } from "./support/wait";

const STACK = "cloud";
const TOKEN = randomBytes(24).toString("hex");
const AGENTS = ["first", "second"] as const;

const clone = new Clone();
const servers = clone.path("servers");
let secrets: string;

beforeAll(async () => {
  Object.assign(process.env, {
    PULUMI_HOME: clone.path("pulumi-home"),
    HCLOUD_TOKEN: "nobody asks for it",
    STAND_IN_SERVERS: join(__dirname, "support/stand-in-servers"),
    STAND_IN_SERVERS_FOLDER: servers,
  });
  await placeAnyCloud(clone.path("pulumi-home"), ["hcloud"]);
  await clone.ok(["stack", "init", STACK]);
  for (const name of ["WORKER_CLUSTER_TOKEN", "CALLBACK_SIGNING_SECRET"]) {
    await clone.setSecret(`agent-fleet:secrets.${name}`, TOKEN, STACK);
  }
  secrets = clone.file(`Pulumi.${STACK}.yaml`);
  stackFile();
});
afterAll(async () => {
  try {
    await clone.fleet(["destroy", "-s", STACK, "--yes"]);
  } finally {
    // One that was never recorded in the state would run on.
    for (const id of madeServers()) await destroy(join(servers, id), () => undefined);
    clone.remove();
  }
});

function madeServers(): string[] {
  return existsSync(servers) ? readdirSync(servers).filter((name) => /^\d+$/.test(name)) : [];
}

/** Writes the stack file: the sealed secrets as they are, and one server. */
function stackFile(): void {
  const agents = { first: {}, second: { port: 8788 } };
  const config = {
    hosts: { "vm-1": { provider: "hcloud", agents } },
    defaults: { source: "examples/compute-agent", healthTimeoutSeconds: 90 },
    // So that nobody is asked for this machine's address.
    ssh: { allowFrom: ["192.0.2.0/24"] },
  };
  const lines = Object.entries(config).map(
    ([key, value]) => `  agent-fleet:${key}: ${JSON.stringify(value)}\n`,
  );
  clone.write(`Pulumi.${STACK}.yaml`, secrets.replace("config:\n", `config:\n${lines.join("")}`));
}

interface State {
  readonly deployment: {
    readonly resources?: readonly {
      readonly urn: string;
      readonly id?: string;
      readonly inputs: Readonly<Record<string, unknown>>;
      readonly outputs: Readonly<Record<string, unknown>>;
    }[];
  };
}

async function resources() {
  const { stdout } = await clone.ok(["stack", "export", "-s", STACK, "--show-secrets"]);
  return (JSON.parse(stdout) as State).deployment.resources ?? [];
}

async function resource(type: string, name: string) {
  const found = (await resources()).find(({ urn }) => urn.endsWith(`${type}::${name}`));
  if (found === undefined) throw new Error(`the stack has no ${name}`);
  return found;
}

async function server() {
  const { id = "", inputs, outputs } = await resource("hcloud:index/server:Server", "vm-1-server");
  return {
    folder: join(servers, id),
    userData: unsealed(inputs["userData"]),
    address: outputs["ipv4Address"] as string,
  };
}

/** A secret in an export that shows them. */
function unsealed(value: unknown): string {
  return JSON.parse((value as { plaintext: string }).plaintext) as string;
}

/** Waits until an SSH server at the address answers with this ed25519 host key. */
async function answersWith(address: string, key: string): Promise<void> {
  await until(`an SSH server with ${key}`, 300, async () => {
    const scan = ["-t", "ed25519", "-T", "30", address];
    const { stdout } = await run("ssh-keyscan", scan, { cwd: servers, input: "" });
    return stdout.includes(`${address} ${key}\n`);
  });
}

/** Every line of the server's journal that tells of a login, this one's included; past the stack and its pin. */
async function logins(address: string): Promise<number> {
  const key = clone.path("operator-key");
  const { outputs } = await resource("tls:index/privateKey:PrivateKey", "operator-key");
  writeFileSync(key, unsealed(outputs["privateKeyOpenssh"]), { mode: 0o600 });
  const options = [
    ...["-i", key, "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-q"],
    ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
  ];
  const count = "journalctl -q -o cat -t sshd | grep -c '^Accepted'";
  const words = [...options, `root@${address}`, count];
  const { code, stdout, output } = await run("ssh", words, { cwd: clone.folder, input: "" });
  if (code !== 0) throw new Error(`ssh ${address}: exited ${String(code)}:\n${output}`);
  return Number(stdout);
}

/** How often this clone's first step tries to reach a VM. */
function attempts(count: number): void {
  const file = "components/remote/connection.ts";
  const before = clone.file(file);
  const after = before.replace(
    /(BOOTING: Patience = \{ dialErrorLimit: )\d+/,
    `$1${String(count)}`,
  );
  expect(after).not.toBe(before);
  clone.write(file, after);
}

test("a server that boots with another host key is refused, and nothing is sent", async () => {
  const foreign = clone.path("foreign");
  const none = ["-N", "", "-C", "", "-f", foreign];
  await run("ssh-keygen", ["-q", "-t", "ed25519", ...none], { cwd: clone.folder, input: "" });
  process.env["STAND_IN_SERVERS_HOST_KEY"] = foreign;
  attempts(1);
  // Too soon: it is made, and boots.
  expect((await clone.fleet(["up", "-s", STACK])).code).not.toBe(0);
  delete process.env["STAND_IN_SERVERS_HOST_KEY"];
  const { address, folder } = await server();
  const key = readFileSync(`${foreign}.pub`, "utf8").trim();
  await answersWith(address, key);

  attempts(3);
  const { code, output } = await clone.fleet(["up", "-s", STACK]);
  expect(code).not.toBe(0);
  expect(output).toContain(
    "after 3 failed attempts: ssh: handshake failed: ssh: host key mismatch",
  );
  expect(output).toContain("vm-1-tseeder-setup-run: vm-1 answers with another host key");
  expect(await logins(address)).toBe(1);

  attempts(180);
  await clone.ok(["destroy", "-s", STACK, "--yes"]);
  expect(existsSync(folder)).toBe(false);
});

test("up takes a stack to a server with two agents that answer available", async () => {
  const { stdout } = await clone.ok(["up", "-s", STACK]);
  for (const name of AGENTS) {
    expect(stdout).toMatch(new RegExp(`${name} +vm-1 +available`));
  }
  expect(madeServers()).toHaveLength(1);
});

test("the server was booted from the user data in the state, and answers with the pinned host key", async () => {
  const { folder, userData, address } = await server();
  const seed = JSON.parse(readFileSync(join(folder, "seed.json"), "utf8")) as object;
  expect(seed).toMatchObject({ "user-data": userData });
  const { stdout } = await clone.ok(["stack", "output", "-s", STACK, "--json"]);
  const { hosts } = JSON.parse(stdout) as {
    hosts: Record<string, { address: string; hostKey: string }>;
  };
  expect(hosts["vm-1"]).toMatchObject({ address });
  await answersWith(address, hosts["vm-1"]?.hostKey ?? "the pinned key");
});

test("a second up changes nothing", async () => {
  expect((await clone.ok(["up", "-s", STACK])).output).toContain("nothing had to be changed");
});

test("destroy leaves no VM, and nothing in the state", async () => {
  const { folder } = await server();
  const running = readRecord(folder)?.process ?? undefined;
  expect(isAlive(running)).toBe(true);
  await clone.ok(["destroy", "-s", STACK, "--yes"]);
  expect(isAlive(running)).toBe(false);
  expect(existsSync(folder)).toBe(false);
  expect(await resources()).toEqual([]);
});
