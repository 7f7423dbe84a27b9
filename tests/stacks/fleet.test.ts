/** The fleet as the engine would see it, under Pulumi's mocks: what is registered, with which inputs. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { checkStack } from "../../stacks/check";
import type { FleetSettings } from "../../stacks/fleet-settings";
import { runStack } from "./run-stack";

const ROOT = join(__dirname, "../..");
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKmqtPDBv0Ht5TdsjIcYzrfVnrrQS2jvv6P9o5vPXsAF";
const SECRETS = { WORKER_CLUSTER_TOKEN: "canary-token", CALLBACK_SIGNING_SECRET: "canary-secret" };

const DEFAULTS = { source: "examples/compute-agent" };

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

let registered: Registered[];
let options: Map<string, pulumi.ResourceOptions & { parentName?: string }>;
const nameOf = new Map<pulumi.Resource, string>();
let cache: string;
/** What hosts say of a release that they are offered. */
let answer: string;

beforeEach(async () => {
  registered = [];
  answer = "missing";
  options = new Map();
  cache = mkdtempSync(join(tmpdir(), "fleet-"));
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (type !== "pulumi:pulumi:Stack")
          registered.push({ type, name, inputs: inputs as Record<string, unknown> });
        const state: Record<string, unknown> = { ...(inputs as object) };
        if (type === "tls:index/privateKey:PrivateKey") {
          state["privateKeyOpenssh"] = `private ${name}`;
          state["publicKeyOpenssh"] = `ssh-ed25519 AAAA${name}\n`;
        }
        if (name.endsWith("-offer")) {
          state["stdout"] = `${answer}\n`;
        }
        if (name.endsWith("-activation")) {
          state["stdout"] =
            'noise\n{"state":"available","restarted":true,"gapSeconds":2.1,"drain":"cap","drainedSeconds":60,"jobsLeft":2}\n';
        }
        return { id: name, state };
      },
      call: () => ({}),
    },
    "agent-fleet",
    "test",
  );
});
afterEach(() => {
  rmSync(cache, { recursive: true });
});

const LOCAL = { "vm-1": { provider: "local", agents: { one: {}, two: { port: 8788 } } } };
const SSH = {
  office: {
    provider: "ssh",
    address: "203.0.113.7",
    hostKey: HOST_KEY,
    runtimeDelivery: "upload",
    ssh: { user: "ops", bastion: "jump.example.com", bastionHostKey: HOST_KEY },
    agents: { three: {} },
  },
};

function settings(hosts: object, more: object = {}): FleetSettings {
  const values = {
    hosts,
    defaults: DEFAULTS,
    secrets: SECRETS,
    ...more,
  };
  const result = checkStack({ stack: "test", values, root: ROOT, localArch: "amd64" });
  if ("problems" in result) {
    throw new Error(JSON.stringify(result.problems));
  }
  return result.settings;
}

async function build(hosts: object, more: object = {}) {
  return await runStack(settings(hosts, more), ROOT, { options, names: nameOf });
}

const steps = () => registered.filter(({ type }) => type.startsWith("command:remote:"));
const find = (name: string): Registered => {
  const found = registered.find((resource) => resource.name === name);
  if (found === undefined) {
    throw new Error(
      `${name} is not registered; there are ${registered.map((r) => r.name).join(", ")}`,
    );
  }
  return found;
};

const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
function secretValue(value: unknown): unknown {
  const wrapped = value as Record<string, unknown> | undefined;
  expect(wrapped?.[pulumi.runtime.specialSigKey]).toBe(SECRET_SIGNATURE);
  return wrapped?.["value"];
}

/** The whole connection is a secret, as it holds the private key. */
const connectionOf = (inputs: Registered["inputs"]) =>
  secretValue(inputs["connection"]) as Record<string, unknown>;

/** The files that an activation or a set-up gets on stdin, as one text. */
function stdinText(name: string): string {
  const text = String(secretValue(find(name).inputs["stdin"]));
  return Buffer.from(text, "base64").toString("utf8");
}

test("a local VM with two agents registers exactly these resources", async () => {
  await build(LOCAL);
  expect(
    registered.map(({ type, name }) => `${type.split(":").at(-1) ?? ""} ${name}`).sort(),
  ).toEqual([
    "Agent one@vm-1",
    "Agent two@vm-1",
    "Command one@vm-1-activation",
    "Command two@vm-1-activation",
    "Command vm-1-first-contact",
    "Command vm-1-host-firewall-apply",
    "Command vm-1-host-firewall-confirm",
    "Command vm-1-machine",
    "Command vm-1-tseeder-bun-unpack",
    "Command vm-1-tseeder-examples-compute-agent-offer",
    "Command vm-1-tseeder-examples-compute-agent-unpack",
    "Command vm-1-tseeder-setup-run",
    "CopyToRemote vm-1-tseeder-bun-upload",
    "CopyToRemote vm-1-tseeder-examples-compute-agent-upload",
    "HostFirewall vm-1-host-firewall",
    "HostSetup vm-1-tseeder-setup",
    "LocalHost vm-1",
    "PrivateKey operator-key",
    "PrivateKey vm-1-host-key",
    "PrivateKey vm-1-own-host-key",
    "Release vm-1-tseeder-examples-compute-agent",
    "Runtime vm-1-tseeder-bun",
  ]);
});

test("the same code from two folders is one release on a host; other code is another one", async () => {
  const example = join(ROOT, DEFAULTS.source);
  const [same, other] = [join(cache, "same"), join(cache, "other")];
  cpSync(example, same, { recursive: true });
  cpSync(example, other, { recursive: true });
  writeFileSync(join(other, "src/more.ts"), "");
  const agents = {
    one: {},
    two: { port: 8788, source: same },
    three: { port: 8789, source: other },
  };
  await build({ "vm-1": { provider: "local", agents } });
  const releases = registered.filter(({ type }) => type === "agent-fleet:agent:Release");
  expect(releases.map(({ name }) => name)).toEqual([
    "vm-1-tseeder-examples-compute-agent",
    expect.stringMatching(/^vm-1-tseeder-.*-other$/),
  ]);
  const unpack = "vm-1-tseeder-examples-compute-agent-unpack";
  expect(waitsFor("one@vm-1-activation")).toContain(unpack);
  expect(waitsFor("two@vm-1-activation")).toContain(unpack);
  expect(waitsFor("three@vm-1-activation")).not.toContain(unpack);
});

test("the host firewall closes the agents' ports to all but the given ranges, and a second connection confirms it", async () => {
  const office = { ...SSH.office, privateFrom: ["2001:db8::/48", "10.0.0.0/8"] };
  await build({ ...LOCAL, office });
  const added = (host: string) =>
    stdinText(`${host}-host-firewall-apply`)
      .split("\n")
      .filter((line) => line.startsWith("add element"));
  expect(added("vm-1")).toEqual([
    "add element inet agent_fleet ports { 8787, 8788 }",
    "add element inet agent_fleet allowed4 { 10.0.2.2/32 }",
  ]);
  expect(added("office")).toEqual([
    "add element inet agent_fleet ports { 8787 }",
    "add element inet agent_fleet allowed4 { 10.0.0.0/8 }",
    "add element inet agent_fleet allowed6 { 2001:db8::/48 }",
  ]);
  expect(waitsFor("vm-1-host-firewall-apply")).toEqual([
    "vm-1-tseeder-bun-upload",
    "vm-1-tseeder-setup-run",
  ]);
  expect(waitsFor("vm-1-host-firewall-confirm")).toEqual(["vm-1-host-firewall-apply"]);
  expect(waitsFor("one@vm-1-activation")).toContain("vm-1-host-firewall-confirm");
  const [, id = "none"] =
    / apply vm-1 ([0-9a-f]{64}) 60 /.exec(createOf("vm-1-host-firewall-apply")) ?? [];
  expect(createOf("vm-1-host-firewall-confirm")).toContain(`/bin/firewall confirm ${id} `);
  expect(find("vm-1-host-firewall-apply").inputs["delete"]).toContain("/bin/firewall remove vm-1 ");
});

test("hostFirewall: false leaves the host's firewall alone", async () => {
  await build({ office: { ...SSH.office, hostFirewall: false } });
  expect(registered.filter(({ name }) => name.includes("firewall"))).toEqual([]);
  expect(createOf("office-tseeder-setup-run")).not.toContain("--firewall");
  await build({ office: SSH.office });
  expect(createOf("office-tseeder-setup-run")).toContain("--firewall");
});

/** An agent that listens nowhere, of a profile of its own. */
function quietAgent(more: object = {}): object {
  const profile = {
    ...{ name: "quiet", description: "Quiet", service: "quiet", runtimes: ["bun"] },
    ...{ source: join(ROOT, DEFAULTS.source), entry: "src/index.ts", env: {} },
    health: { staysUpSeconds: 5 },
    ...more,
  };
  writeFileSync(join(cache, "quiet.yaml"), JSON.stringify(profile));
  return { profile: join(cache, "quiet.yaml") };
}

test("an agent without a port has no URL, no port among the outputs, and no rule in the firewall", async () => {
  const { agents } = await build({
    "vm-1": { provider: "local", agents: { q: quietAgent(), one: {} } },
  });
  expect(agents["q"]).not.toHaveProperty("url");
  expect(agents["q"]).not.toHaveProperty("port");
  expect(stdinText("q@vm-1-activation")).toContain("PORT=''\n");
  expect(stdinText("vm-1-host-firewall-apply")).toContain("agent_fleet ports { 8787 }");
});

test("a one-time token reaches the host beside the env file, and only where there is one", async () => {
  const once = { description: "Token", secret: true };
  const agent = quietAgent({
    env: { ONCE: once },
    registration: { variable: "ONCE", stdin: true, done: "{state}/id" },
  });
  const hosts = { "vm-1": { provider: "local", agents: { q: agent } } };
  await build(hosts, { secrets: { ONCE: "canary-once" } });
  const given = stdinText("q@vm-1-activation");
  expect(given.split("canary-once")).toHaveLength(2);
  expect(given).toMatch(/registration\.env\0[^]*\0ONCE="canary-once"\n\0/);
  expect(given).toContain("TOKEN_VARIABLE='ONCE'\nREGISTERED='/var/lib/quiet/q/id'\n");
  registered = [];
  await build(hosts, { secrets: {} });
  expect(stdinText("q@vm-1-activation")).not.toContain('ONCE="');
});

test("a one-time token in a config file is in the file of the registration alone, not in the one that stays", async () => {
  const agent = quietAgent({
    env: { ONCE: { description: "Token", secret: true } },
    files: { "a.toml": { format: "toml", content: { token: "${ONCE}", labels: ["x"] } } },
    registration: { variable: "ONCE", file: "a.toml", done: "{state}/id" },
  });
  const hosts = { "vm-1": { provider: "local", agents: { q: agent } } };
  await build(hosts, { secrets: { ONCE: "canary-once" } });
  const given = stdinText("q@vm-1-activation");
  const [placed, registering] = ["file-1", "registration.file"].map(
    (name) => new RegExp(`${name}\\0[^]*?\\0((?:token|labels)[^\\0]*)`).exec(given)?.[1],
  );
  expect(placed).toBe('labels = [ "x" ]\n');
  expect(registering).toBe('token = "canary-once"\nlabels = [ "x" ]\n');
  expect(given.split("canary-once")).toHaveLength(3);
  registered = [];
  await build(hosts, { secrets: {} });
  expect(stdinText("q@vm-1-activation")).toContain("labels =");
  expect(stdinText("q@vm-1-activation")).not.toContain("token =");
});

test("a unit that a profile brings comes once to a host: program, unit, then the agents, and goes after them", async () => {
  const file = { url: "https://example.com/daemon", sha256: "a".repeat(64) };
  const program = { version: "1.2.3", binary: "daemon", downloads: { "linux-amd64": file } };
  const agent = quietAgent({
    ...{ user: "root", units: { other: { description: "Other", program } } },
  });
  const host = { ...SSH.office, runtimeDelivery: "download", agents: { q: agent, r: agent } };
  await build({ office: host });
  const id = "daemon-1.2.3-aaaaaaaa";
  const names = registered.map(({ name }) => name).filter((name) => name.includes("-other"));
  expect(names.sort()).toEqual(
    ["", "-program", "-program-unpack", "-unit"].map((role) => `office-quiet-other${role}`),
  );
  expect(createOf("office-quiet-other-program-unpack")).toContain(
    `/opt/quiet/bin/unpack runtime ${id} sha256:${file.sha256} ${file.url} --executable daemon `,
  );
  expect(waitsFor("office-quiet-other-program-unpack")).toContain("office-quiet-setup-run");
  expect(createOf("office-quiet-other-unit")).toContain(
    `/opt/quiet/bin/bring-unit other ${id} office `,
  );
  expect(find("office-quiet-other-unit").inputs["delete"]).toContain(
    "/opt/quiet/bin/uninstall unit other office ",
  );
  expect(secretValue(find("office-quiet-other-unit").inputs["stdin"])).toContain(
    "\nExecStart=/opt/quiet/units/other/program/bin/daemon\n",
  );
  expect(waitsFor("office-quiet-other-unit")).toContain("office-quiet-other-program-unpack");
  for (const name of ["q", "r"])
    expect(waitsFor(`${name}@office-activation`)).toContain("office-quiet-other-unit");
});

test("a tool that a profile brings comes once to a host: program, link, then the agents, and goes after them", async () => {
  const file = { url: "https://example.com/tool", sha256: "a".repeat(64) };
  const tool = { version: "1.2.3", downloads: { "linux-amd64": file } };
  const agent = quietAgent({ tools: { rg: tool } });
  const host = { ...SSH.office, runtimeDelivery: "download", agents: { q: agent, r: agent } };
  await build({ office: host });
  const id = "rg-1.2.3-aaaaaaaa";
  const names = registered.map(({ name }) => name).filter((name) => name.includes("-rg"));
  expect(names.sort()).toEqual(
    ["", "-link", "-program", "-program-unpack"].map((role) => `office-quiet-rg${role}`),
  );
  expect(createOf("office-quiet-rg-program-unpack")).toContain(
    `/opt/quiet/bin/unpack runtime ${id} sha256:${file.sha256} ${file.url} --executable rg `,
  );
  expect(waitsFor("office-quiet-rg-program-unpack")).toContain("office-quiet-setup-run");
  expect(createOf("office-quiet-rg-link")).toContain(`/opt/quiet/bin/bring-tool rg ${id} office `);
  expect(find("office-quiet-rg-link").inputs["delete"]).toContain(
    "/opt/quiet/bin/uninstall tool rg office ",
  );
  expect(waitsFor("office-quiet-rg-link")).toContain("office-quiet-rg-program-unpack");
  const activation = () => find("q@office-activation").inputs;
  const before = activation();
  for (const name of ["q", "r"])
    expect(waitsFor(`${name}@office-activation`)).toContain("office-quiet-rg-link");
  registered = [];
  const newer = quietAgent({ tools: { rg: { ...tool, version: "1.2.4" } } });
  await build({ office: { ...host, agents: { q: newer, r: newer } } });
  expect(createOf("office-quiet-rg-link")).toContain(" rg rg-1.2.4-aaaaaaaa office ");
  expect(activation()).toEqual(before);
});

test("where no agent has a port there is no firewall, and its host needs none", async () => {
  await build({ "vm-1": { provider: "local", agents: { q: quietAgent() } } });
  expect(registered.filter(({ name }) => name.includes("firewall"))).toEqual([]);
  expect(String(find("vm-1-quiet-setup-run").inputs["create"])).not.toContain("--firewall");
});

test("config files reach the host as a secret, in the activation of their agent alone", async () => {
  const quiet = quietAgent({
    logrotate: "weekly",
    files: { "a.json": { format: "json", content: { key: "${KEY}", every: "${EVERY}" } } },
    env: {
      KEY: { description: "Key", secret: true, required: true },
      EVERY: { description: "Seconds", number: true, default: "30" },
    },
  });
  const agents = { q: quiet, one: {} };
  const secrets = { ...SECRETS, KEY: "canary-key" };
  await build({ "vm-1": { provider: "local", agents } }, { secrets });
  const text = stdinText("q@vm-1-activation");
  expect(text).toContain("/etc/quiet/a.json 600 quiet\n/etc/logrotate.d/quiet-q 644 root\n");
  expect(text).toContain('{\n  "key": "canary-key",\n  "every": 30\n}\n');
  expect(text).toContain("/var/log/quiet/q/*.log {\n    su quiet quiet\n    weekly\n}\n");
  expect(stdinText("one@vm-1-activation")).not.toMatch(/file-1|a\.json/);
});

test("every SSH connection pins an ed25519 host key, at the jump host too", async () => {
  await build({ ...LOCAL, ...SSH });
  expect(steps().length).toBeGreaterThan(10);
  for (const { inputs } of steps()) {
    const connection = connectionOf(inputs);
    expect(connection["hostKey"]).toMatch(/^ssh-ed25519 AAAA/);
    const proxy = connection["proxy"] as Record<string, unknown> | undefined;
    expect(proxy?.["hostKey"] ?? HOST_KEY).toBe(HOST_KEY);
  }
  expect(connectionOf(find("three@office-activation").inputs)).toMatchObject({
    host: "203.0.113.7",
    user: "ops",
    proxy: { host: "jump.example.com", user: "ops", port: 22 },
  });
});

test("only the first step waits for a machine to boot, and by a limit, since the plugin then says what was in the way", async () => {
  await build({ ...LOCAL, ...SSH });
  const patience = steps().map(({ name, inputs }) => {
    const { dialErrorLimit, perDialTimeout } = connectionOf(inputs);
    const { create } = (options.get(name) as pulumi.CustomResourceOptions).customTimeouts ?? {};
    return [name, dialErrorLimit, perDialTimeout, create];
  });
  const [first = [], ...others] = patience.sort(([, a], [, b]) => Number(b) - Number(a));
  expect(first).toEqual(["vm-1-tseeder-setup-run", 60, 5, "1260s"]);
  expect(new Set(others.map(([, limit, seconds]) => [limit, seconds].join()))).toEqual(
    new Set(["10,20"]),
  );
});

test("secrets stand in stdin alone, marked as secrets, and no step logs", async () => {
  await build(LOCAL);
  expect(stdinText("one@vm-1-activation")).toContain('WORKER_CLUSTER_TOKEN="canary-token"');
  for (const { type, inputs } of steps()) {
    const { stdin, connection, ...rest } = inputs;
    expect(JSON.stringify(rest)).not.toContain("canary");
    secretValue(connection);
    if (stdin !== undefined) {
      secretValue(stdin);
    }
    if (type === "command:remote:Command") {
      expect(inputs).toMatchObject({ logging: "none", addPreviousOutputInEnv: false });
      expect(inputs).not.toHaveProperty("environment");
    }
  }
});

test("an activation has no trigger, so that it is never replaced and its delete is the uninstall", async () => {
  await build(LOCAL);
  const { inputs } = find("one@vm-1-activation");
  expect(inputs).not.toHaveProperty("triggers");
  expect(inputs["create"]).toMatch(
    /^timeout -k 10 720 sh \/opt\/tseeder-agent\/bin\/activate one # on machine [0-9a-f]+, boot 1 of 2 CPUs, 4096 MiB, 100 GiB$/,
  );
  expect(inputs["delete"]).toContain("/opt/tseeder-agent/bin/uninstall agent one vm-1 #");
  expect(inputs).not.toHaveProperty("update");
});

test("purgeData makes the uninstall remove the agents' state", async () => {
  await build(LOCAL, { purgeData: true });
  expect(find("one@vm-1-activation").inputs["delete"]).toContain("agent one vm-1 --purge #");
  expect(find("vm-1-tseeder-setup-run").inputs["delete"]).toContain("host vm-1 --purge #");
});

test("another user than root goes through sudo without a password, under a time limit", async () => {
  await build(SSH);
  expect(find("three@office-activation").inputs["create"]).toMatch(
    /^sudo -n timeout -k 10 \d+ sh /,
  );
});

test("steps on a VM of the stack need no uninstall once it is deleted; on a machine that exists they do", async () => {
  await build({ ...LOCAL, ...SSH });
  expect(options.get("one@vm-1-activation")?.deletedWith).toBeDefined();
  expect(options.get("vm-1-tseeder-bun-upload")?.deletedWith).toBeDefined();
  expect(options.get("three@office-activation")?.deletedWith).toBeUndefined();
});

test("protect keeps the VM itself from being deleted, and only where it is asked for", async () => {
  await build({ "vm-1": { ...LOCAL["vm-1"], protect: true } });
  expect(options.get("vm-1-machine")?.protect).toBe(true);
  await build(LOCAL);
  expect(options.get("vm-1-machine")?.protect).toBe(false);
});

test("the cloud-init document plants the pinned host key and lets in the stack's key alone", async () => {
  await build(LOCAL);
  const spec = JSON.parse(String(secretValue(find("vm-1-machine").inputs["stdin"]))) as {
    userData: string;
    forwards: Record<string, number>;
  };
  expect(spec.userData).toContain('ed25519_private: "private vm-1-host-key"');
  expect(spec.userData).toContain('ed25519_public: "ssh-ed25519 AAAAvm-1-host-key"');
  expect(spec.userData).toContain('- "ssh-ed25519 AAAAoperator-key"');
  expect(spec.userData).not.toMatch(/canary|private operator-key/);
  expect(Object.keys(spec.forwards)).toEqual(["8787", "8788"]);
});

test("a release is sent to a host that says it is missing; one that has it gets a word", async () => {
  const [offer, upload, unpack] = ["offer", "upload", "unpack"].map(
    (role) => `vm-1-tseeder-examples-compute-agent-${role}`,
  );
  const sent = async (name = "") => {
    const source = find(name).inputs["source"] as {
      path?: Promise<string>;
      text?: Promise<string>;
    };
    return (await source.path) ?? (await source.text);
  };
  await build(LOCAL);
  // A host is not asked for its first release.
  expect(find(offer ?? "").inputs).not.toHaveProperty("create");
  expect(find(offer ?? "").inputs["update"]).toMatch(
    /sh \/opt\/tseeder-agent\/bin\/offer release [0-9a-f]+ # on machine/,
  );
  expect(await sent(upload)).toMatch(/\.tgz$/);
  expect(waitsFor(upload ?? "")).toEqual([offer]);
  // Not for its turn either: it is unpacked while the runtime is on its way.
  expect(waitsFor(unpack ?? "")).toEqual([upload, "vm-1-tseeder-setup-run"]);
  registered = [];
  answer = "here";
  await build(LOCAL);
  expect(await sent(upload)).toBe("already on the host\n");
  expect(await sent("vm-1-tseeder-bun-upload")).toMatch(/\.tgz$/);
});

test("a host's set-up gets the names of its agents, and only another name makes it another set-up", async () => {
  const setup = "vm-1-tseeder-setup-run";
  const agents = (...names: string[]) => ({
    "vm-1": {
      provider: "local",
      agents: Object.fromEntries(names.map((name, index) => [name, { port: 8787 + index }])),
    },
  });
  await build(agents("one", "two"));
  const first = stdinText(setup);
  expect(first).toMatch(/belongs-here.*\0one\ntwo\n\0/s);
  registered = [];
  await build(agents("one", "two"), { defaults: { ...DEFAULTS, env: { MORE: "x" } } });
  expect(stdinText(setup)).toBe(first);
  registered = [];
  await build(agents("one", "three"));
  expect(stdinText(setup)).toMatch(/belongs-here.*\0one\nthree\n\0/s);
});

test("an agent's settings reach the host: port, limits, releases kept, deadline", async () => {
  await build({
    "vm-1": {
      provider: "local",
      agents: {
        one: {
          port: 9000,
          enabled: false,
          healthTimeoutSeconds: 30,
          limits: { memory: "2G", cpu: "150%" },
        },
      },
    },
  });
  const text = stdinText("one@vm-1-activation");
  for (const line of ["PORT='9000'", "ENABLED='no'", "DEADLINE='30'", "KEEP_RELEASES='3'"]) {
    expect(text).toContain(line);
  }
  expect(text).toContain("[Service]\nMemoryMax=2G\nCPUQuota=150%\n");
  expect(text).toContain('PORT="9000"');
});

test("an agent gets the profile's time to end its jobs, the fleet's, or its own, and the step waits for it", async () => {
  const drain = (name: string) =>
    `${/DRAIN_SECONDS='(\d+)'/.exec(stdinText(`${name}@vm-1-activation`))?.[1] ?? ""} of ${
      /timeout -k 10 (\d+)/.exec(String(find(`${name}@vm-1-activation`).inputs["create"]))?.[1] ??
      ""
    }`;
  const agents = { one: {}, two: { port: 8788, drainSeconds: 0 } };
  const host = { "vm-1": { provider: "local", agents } };
  await build(host);
  expect([drain("one"), drain("two")]).toEqual(["300 of 720", "0 of 420"]);
  expect(stdinText("vm-1-tseeder-setup-run")).toContain(
    "DRAIN_FIELD='activeJobs'\nDRAIN_IDLE='0'\n",
  );
  registered = [];
  await build(host, { defaults: { source: "examples/compute-agent", drainSeconds: 60 } });
  expect([drain("one"), drain("two")]).toEqual(["60 of 480", "0 of 420"]);
});

test("the outputs say where each agent is and how it is, and keep the key a secret", async () => {
  const { agents, hosts, sshPrivateKey } = await build({ ...LOCAL, ...SSH });
  const one = agents["one"];
  expect(one).toMatchObject({ host: "vm-1", unit: "tseeder-agent@one", port: 8787 });
  expect(one?.healthCheck).toEqual({ path: "/health", secret: "secrets.WORKER_CLUSTER_TOKEN" });
  expect(await new Promise((resolve) => one?.activation.apply(resolve))).toEqual({
    state: "available",
    restarted: true,
    gapSeconds: 2.1,
    drain: "cap",
    drainedSeconds: 60,
    jobsLeft: 2,
  });
  expect(one?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(agents["three"]?.url).toBe("http://203.0.113.7:8787");
  expect(hosts["office"]).toMatchObject({ provider: "ssh", address: "203.0.113.7", user: "ops" });
  expect(hosts["office"]).toMatchObject({ exposure: "private", hostFirewall: true });
  expect(await pulumi.isSecret(sshPrivateKey as pulumi.Output<string>)).toBe(true);
});

test("the outputs say of each host who reaches its agents' ports, and whether its firewall closes them", async () => {
  const { hosts } = await build({
    open: { ...SSH.office, hostFirewall: false, agents: { a: {} } },
    office: { ...SSH.office, privateFrom: ["10.0.0.0/8"], agents: { b: {} } },
  });
  expect(hosts["open"]).toMatchObject({ exposure: "private", hostFirewall: false });
  expect(hosts["open"]).not.toHaveProperty("privateFrom");
  expect(hosts["office"]).toMatchObject({ privateFrom: ["10.0.0.0/8"], hostFirewall: true });
});

describe("a rollout", () => {
  const vm = (...agents: string[]) => ({
    provider: "local",
    agents: Object.fromEntries(agents.map((name, index) => [name, { port: 8787 + index }])),
  });
  const THREE = { a: vm("a1", "a2"), b: vm("b1", "b2"), c: vm("c1", "c2") };

  test("goes over the whole fleet: the canary, then batches, each waiting for all of the one before", async () => {
    await build(THREE, { rollout: { canary: 1, batch: "50%" } });
    expect(orderOf("a1@a")).toEqual([]);
    // Three agents wait for one: direct edges. Two wait for three: through a gate.
    expect(orderOf("a2@a")).toEqual(["a1@a-activation"]);
    expect(orderOf("b1@b")).toEqual(["a1@a-activation"]);
    expect(orderOf("b2@b")).toEqual(["a1@a-activation"]);
    expect(waitsFor("after-wave-2")).toEqual([
      "a2@a-activation",
      "b1@b-activation",
      "b2@b-activation",
    ]);
    expect(orderOf("c1@c")).toEqual(["after-wave-2"]);
    expect(orderOf("c2@c")).toEqual(["after-wave-2"]);
  });

  test("adds no resource per agent", async () => {
    await build(THREE);
    const without = registered.map(({ name }) => name);
    registered = [];
    await build(THREE, { rollout: { canary: 1, batch: "50%" } });
    const added = registered.map(({ name }) => name).filter((name) => !without.includes(name));
    expect(added).toEqual(["after-wave-2"]);
  });

  test("adds at most two edges per agent, however large the waves are", async () => {
    const agents = Array.from({ length: 20 }, (_, index) => `n${String(index)}`);
    const hosts = { a: vm(...agents), b: vm(...agents.map((name) => `m${name}`)) };
    const edges = () => [...options.keys()].reduce((sum, name) => sum + waitsFor(name).length, 0);
    await build(hosts);
    const without = edges();
    options.clear();
    await build(hosts, { rollout: { canary: 1, batch: "50%" } });
    expect(edges() - without).toBeGreaterThan(40);
    expect(edges() - without).toBeLessThanOrEqual(80);
  });

  test("without the setting no agent waits for another, nor with an empty one", async () => {
    for (const more of [{}, { rollout: {} }]) {
      await build(THREE, more);
      const agents = ["a1@a", "a2@a", "b1@b", "b2@b", "c1@c", "c2@c"];
      expect(agents.flatMap(orderOf)).toEqual([]);
    }
  });

  test("makes only agents behind the first wave wait, and longer before the step is ended", async () => {
    await build(THREE, { rollout: { canary: 1, batch: "50%", pauseSeconds: 20 } });
    expect(stdinText("a1@a-activation")).not.toContain("PAUSE");
    expect(stdinText("a2@a-activation")).toContain("PAUSE='20'\n");
    expect(stdinText("c2@c-activation")).toContain("PAUSE='20'\n");
    expect(find("a1@a-activation").inputs["create"]).toContain("timeout -k 10 720 ");
    expect(find("a2@a-activation").inputs["create"]).toContain("timeout -k 10 740 ");
  });

  test("with a disabled agent in front has the next one as its canary, without a circle of edges", async () => {
    const hosts = {
      a: { provider: "local", agents: { off: { enabled: false }, on: { port: 8788 } } },
      b: vm("b1"),
    };
    await build(hosts, { rollout: { canary: 1, batch: 1 } });
    expect(orderOf("on@a")).toEqual([]);
    expect(orderOf("off@a")).toEqual(["on@a-activation"]);
    expect(orderOf("b1@b")).toEqual(["off@a-activation"]);
  });
});

describe("on one host", () => {
  const crowd = (count: number) => ({
    "vm-1": {
      provider: "local",
      agents: Object.fromEntries(
        Array.from({ length: count }, (_, index) => [
          `n${String(index + 1)}`,
          { port: 8787 + index },
        ]),
      ),
    },
  });
  const DELIVERY = [
    "vm-1-host-firewall-confirm",
    "vm-1-tseeder-bun-unpack",
    "vm-1-tseeder-examples-compute-agent-unpack",
    "vm-1-tseeder-setup-run",
  ];

  test("four steps run at once: each waits for the fourth before it", async () => {
    await build(crowd(9));
    expect(waitsFor("n1@vm-1-activation")).toEqual([
      "vm-1-host-firewall-confirm",
      "vm-1-tseeder-bun-unpack",
      "vm-1-tseeder-examples-compute-agent-unpack",
      "vm-1-tseeder-setup-run",
    ]);
    expect(waitsFor("n5@vm-1-activation")).toEqual(["n1@vm-1-activation", ...DELIVERY]);
    expect(waitsFor("n9@vm-1-activation")).toEqual(["n5@vm-1-activation", ...DELIVERY]);
  });

  test("up to four agents wait for no other agent", async () => {
    await build(crowd(4));
    expect(["n1@vm-1", "n2@vm-1", "n3@vm-1", "n4@vm-1"].flatMap(orderOf)).toEqual([]);
  });

  test("no more than four of any steps can run at the same time", async () => {
    await build({ ...crowd(30), ...SSH });
    expect(mostAtOnce("vm-1")).toBe(4);
  });
});

/** What a step runs. */
function createOf(name: string): string {
  const { create } = registered.findLast((resource) => resource.name === name)?.inputs ?? {};
  return String(create);
}

/** Names of the resources that one waits for, sorted. */
function waitsFor(name: string): string[] {
  const dependsOn = options.get(name)?.dependsOn as readonly pulumi.Resource[] | undefined;
  return (dependsOn ?? []).map((resource) => nameOf.get(resource) ?? "unknown").sort();
}

/** What an agent waits for beside what is delivered to its own host. */
function orderOf(agent: string): string[] {
  return waitsFor(`${agent}-activation`).filter((name) => /-activation$|^after-/.test(name));
}

/** Steps of one host that may run at once: the widest set of which none waits for another, by the edges alone. */
function mostAtOnce(host: string): number {
  const names = steps()
    .map(({ name }) => name)
    .filter((name) => name.startsWith(`${host}-`) || name.includes(`@${host}-`));
  const reach = new Map<string, Set<string>>();
  const before = (name: string): Set<string> => {
    const known = reach.get(name);
    if (known !== undefined) {
      return known;
    }
    const all = new Set(waitsFor(name).flatMap((other) => [other, ...before(other)]));
    reach.set(name, all);
    return all;
  };
  // Dilworth: the widest such set has as many members as chains are needed, a matching says how many.
  const after = new Map(
    names.map((name) => [name, names.filter((other) => before(other).has(name))]),
  );
  const matched = new Map<string, string>();
  const match = (name: string, seen: Set<string>): boolean =>
    (after.get(name) ?? []).some((other) => {
      if (seen.has(other)) {
        return false;
      }
      seen.add(other);
      const holder = matched.get(other);
      if (holder !== undefined && !match(holder, seen)) {
        return false;
      }
      matched.set(other, name);
      return true;
    });
  return names.length - names.filter((name) => match(name, new Set())).length;
}
