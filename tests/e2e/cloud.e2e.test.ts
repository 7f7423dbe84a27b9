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
import { Operator } from "../faults/operator";
import { Clone, run } from "./support/clone";
import { filesWith } from "./support/secrets-search";
import { until } from "./support/wait";

const STACK = "cloud";
const TOKEN = randomBytes(24).toString("hex");
const AGENTS = ["first", "second"] as const;

const clone = new Clone();
const servers = clone.path("servers");
let secrets: string;
/** What fleet printed while the server that stays was made. */
let said: string;

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

async function publicKey(name: string): Promise<string> {
  const { outputs } = await resource("tls:index/privateKey:PrivateKey", name);
  return (outputs["publicKeyOpenssh"] as string).trim();
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

/** The ed25519 host key that an SSH server at the address answers with. */
async function hostKeyAt(address: string): Promise<string> {
  const scan = ["-t", "ed25519", "-T", "30", address];
  const { stdout } = await run("ssh-keyscan", scan, { cwd: servers, input: "" });
  return stdout.replace(`${address} `, "").trim();
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

/** From now on this clone's first contact stops when the host has its own key, and writes this file. */
function stopWhenReplaced(marker: string): void {
  const file = "contact/first-contact.ts";
  const before = clone.file(file);
  const stop = `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "");
    await new Promise((done) => setTimeout(done, 3_600_000));`;
  const after = before.replace(/await replaceKey\(.*\);/, (line) => `${line} ${stop}`);
  expect(after).not.toBe(before);
  clone.write(file, after);
}

test("a server that boots with another host key is refused with the reason, and nothing is sent", async () => {
  const foreign = clone.path("foreign");
  const none = ["-N", "", "-C", "", "-f", foreign];
  await run("ssh-keygen", ["-q", "-t", "ed25519", ...none], { cwd: clone.folder, input: "" });
  process.env["STAND_IN_SERVERS_HOST_KEY"] = foreign;
  const { code, output } = await clone.fleet(["up", "-s", STACK]);
  delete process.env["STAND_IN_SERVERS_HOST_KEY"];
  const { address, folder } = await server();
  const key = readFileSync(`${foreign}.pub`, "utf8").trim();
  expect(await hostKeyAt(address)).toBe(key);
  expect(code).not.toBe(0);
  expect(output).toContain(
    `${address} port 22 answers with another host key than it should: ${key}\n`,
  );
  expect(output).toContain("nothing was sent: it is another machine, or its first boot did not");
  expect(await logins(address)).toBe(1);

  await clone.ok(["destroy", "-s", STACK, "--yes"]);
  expect(existsSync(folder)).toBe(false);
});

test("an operator who is killed when the server has got its own host key is gone on from by the next up", async () => {
  const marker = clone.path("replaced");
  const contact = clone.file("contact/first-contact.ts");
  stopWhenReplaced(marker);
  const operator = new Operator(clone, ["up", "-s", STACK]);
  await until("the server's own host key", 600, () => {
    if (operator.code !== undefined) throw new Error(operator.output);
    return existsSync(marker);
  });
  const vms = madeServers().map((id) => readRecord(join(servers, id))?.process?.pid ?? 0);
  await operator.kill(vms);
  clone.write("contact/first-contact.ts", contact);
  const { address } = await server();
  const replaced = await hostKeyAt(address);
  expect(replaced).not.toBe(await publicKey("vm-1-host-key"));
  expect((await resources()).map(({ urn }) => urn)).not.toContainEqual(
    expect.stringContaining("vm-1-first-contact"),
  );

  const { stdout, output } = await clone.ok(["up", "-s", STACK]);
  said = operator.output + output;
  for (const name of AGENTS) {
    expect(stdout).toMatch(new RegExp(`${name} +vm-1 +available`));
  }
  expect(madeServers()).toHaveLength(1);
  expect(await hostKeyAt(address)).toBe(replaced);
});

test("the server was booted from the user data in the state, and answers with a pinned host key that is not in there", async () => {
  const { folder, userData, address } = await server();
  const seed = JSON.parse(readFileSync(join(folder, "seed.json"), "utf8")) as object;
  expect(seed).toMatchObject({ "user-data": userData });
  const { stdout } = await clone.ok(["stack", "output", "-s", STACK, "--json"]);
  const { hosts } = JSON.parse(stdout) as {
    hosts: Record<string, { address: string; hostKey: string }>;
  };
  const pinned = await publicKey("vm-1-own-host-key");
  expect(hosts["vm-1"]).toMatchObject({ address, hostKey: pinned });
  expect(await hostKeyAt(address)).toBe(pinned);
  expect(userData).toContain(await publicKey("vm-1-host-key"));
  expect(userData).not.toContain(pinned);
  expect(await clone.on("vm-1", "ls /etc/ssh/ssh_host_*", STACK)).toBe(
    "/etc/ssh/ssh_host_ed25519_key\n/etc/ssh/ssh_host_ed25519_key.pub",
  );
});

test("no file here holds the private half of the server's own host key", async () => {
  const { outputs } = await resource("tls:index/privateKey:PrivateKey", "vm-1-own-host-key");
  // The line that holds the secret; those before it say the type and the public half.
  const line = unsealed(outputs["privateKeyOpenssh"]).split("\n")[4] ?? "";
  expect(line.length).toBeGreaterThan(30);
  expect(filesWith(clone.path(), [line])).toEqual([]);
  expect(said).toContain("vm-1-first-contact");
  expect(said).not.toContain(line);
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
