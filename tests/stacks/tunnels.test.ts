/** Tunnels as the engine would see them, under Pulumi's mocks: exact inputs, order, and what stays secret. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { pluginsFor } from "../../cli/pulumi";
import { checkStack } from "../../stacks/check";
import * as cloudflared from "../../stacks/cloudflared";
import { summarizeStackFile } from "../../stacks/stack-file";
import { runStack } from "./run-stack";

const ROOT = join(__dirname, "../..");
const ACCOUNT = "0123456789abcdef".repeat(2);
const ZONE = "fedcba9876543210".repeat(2);
const CLOUDFLARE = { accountId: ACCOUNT, zoneId: ZONE, domain: "agents.example.com" };
const SUM = "ab".repeat(32);
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKmqtPDBv0Ht5TdsjIcYzrfVnrrQS2jvv6P9o5vPXsAF";
const office = (agents: object, more: object = {}) => ({
  office: { provider: "ssh", address: "203.0.113.7", hostKey: HOST_KEY, agents, ...more },
});

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

let registered: Registered[];
let calls: unknown[];
let options: Map<string, pulumi.ResourceOptions>;
let names: Map<unknown, string>;

beforeEach(async () => {
  registered = [];
  calls = [];
  options = new Map();
  names = new Map();
  // The real one is in no registry; that it is fetched and checked is tested below.
  jest
    .spyOn(cloudflared, "fetchCloudflared")
    .mockImplementation((_pin, arch) => Promise.resolve({ path: `${ROOT}/${arch}`, sha256: SUM }));
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        registered.push({ type, name, inputs: inputs as Record<string, unknown> });
        const id = name.endsWith("-registration") ? "tunnel-id" : name;
        const stdout = name.endsWith("-offer") ? "missing\n" : '{"state":"available"}\n';
        const access = { clientId: "client-id", clientSecret: "access-canary" };
        const key = { privateKeyOpenssh: "private", publicKeyOpenssh: "ssh-ed25519 AAAA\n" };
        return { id, state: { ...(inputs as object), ...key, ...access, stdout } };
      },
      call: (call) => {
        calls.push(call);
        return { ...(call.inputs as object), token: "token-canary" };
      },
    },
    "agent-fleet",
    "test",
  );
});
afterEach(() => {
  jest.restoreAllMocks();
});

async function build(hosts: object, more: object = { cloudflare: CLOUDFLARE }) {
  const result = checkStack({
    stack: "test",
    values: {
      hosts,
      defaults: { source: "examples/compute-agent" },
      secrets: { WORKER_CLUSTER_TOKEN: "t", CALLBACK_SIGNING_SECRET: "s" },
      ...more,
    },
    root: ROOT,
    localArch: "amd64",
  });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return await runStack(result.settings, ROOT, { options, names });
}

const find = (name: string) => {
  const found = registered.find((resource) => resource.name === name);
  if (found === undefined) throw new Error(`${name} is not registered`);
  return found;
};
const parentOf = (name: string) => names.get(options.get(name)?.parent);
const waitsFor = (name: string) =>
  ((options.get(name)?.dependsOn ?? []) as unknown[]).map((resource) => names.get(resource)).sort();
const plain = (value: unknown) => {
  const wrapped = value as Record<string, unknown>;
  expect(wrapped[pulumi.runtime.specialSigKey]).toBe("1b47061264138c4ac30d75fd1eb44270");
  return wrapped["value"];
};

const TWO = office({ one: {}, two: { port: 8788 } });

test("one tunnel per host leads each hostname to its agent's port on loopback, and all others to 404", async () => {
  await build(TWO);
  expect(find("office-tunnel-registration")).toEqual({
    type: "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared",
    name: "office-tunnel-registration",
    inputs: { accountId: ACCOUNT, name: "agent-fleet-test-office", configSrc: "cloudflare" },
  });
  expect(find("office-tunnel-ingress")).toEqual({
    type: "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",
    name: "office-tunnel-ingress",
    inputs: {
      accountId: ACCOUNT,
      tunnelId: "tunnel-id",
      config: {
        ingresses: [
          { hostname: "one.agents.example.com", service: "http://127.0.0.1:8787" },
          { hostname: "two.agents.example.com", service: "http://127.0.0.1:8788" },
          { service: "http_status:404" },
        ],
      },
    },
  });
});

test("each agent has a proxied CNAME to the tunnel", async () => {
  await build(TWO);
  const records = registered.filter(({ type }) => type === "cloudflare:index/dnsRecord:DnsRecord");
  const record = (agent: string) => ({
    zoneId: ZONE,
    name: `${agent}.agents.example.com`,
    type: "CNAME",
    content: "tunnel-id.cfargotunnel.com",
    proxied: true,
    ttl: 1,
    comment: "made by agent-fleet",
  });
  expect(records.map(({ name, inputs }) => [name, inputs])).toEqual([
    ["one-hostname", record("one")],
    ["two-hostname", record("two")],
  ]);
});

describe("with access", () => {
  const GUARDED = { cloudflare: { ...CLOUDFLARE, access: true } };

  test("one service token that does not end, and a policy that lets in nothing else", async () => {
    await build({ ...TWO, lab: { ...office({ three: {} }).office } }, GUARDED);
    const guards = registered.filter(({ type }) => /ZeroTrustAccess(Service|Policy)/.test(type));
    expect(guards).toEqual([
      {
        type: "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken",
        name: "access-token",
        inputs: { accountId: ACCOUNT, name: "agent-fleet-test", duration: "forever" },
      },
      {
        type: "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy",
        name: "access-policy",
        inputs: {
          accountId: ACCOUNT,
          name: "agent-fleet-test",
          decision: "non_identity",
          includes: [{ serviceToken: { tokenId: "access-token" } }],
        },
      },
    ]);
  });

  test("each hostname is guarded before it is in the DNS", async () => {
    await build(TWO, GUARDED);
    for (const agent of ["one", "two"]) {
      expect(find(`${agent}-access`)).toEqual({
        type: "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication",
        name: `${agent}-access`,
        inputs: {
          accountId: ACCOUNT,
          name: `${agent}.agents.example.com`,
          type: "self_hosted",
          domain: `${agent}.agents.example.com`,
          appLauncherVisible: false,
          policies: [{ id: "access-policy", precedence: 1 }],
        },
      });
      expect(waitsFor(`${agent}-hostname`)).toEqual([`${agent}-access`]);
      // As its DNS record, it stays when the agent moves.
      expect(parentOf(`${agent}-access`)).toBe(parentOf("office"));
    }
  });

  test("id and secret are outputs, as secrets, and go to no host", async () => {
    const { access } = await build(TWO, GUARDED);
    const value = async (output: pulumi.Output<string> | undefined) =>
      new Promise((resolve) => output?.apply(resolve));
    expect(await value(access?.clientId)).toBe("client-id");
    expect(await value(access?.clientSecret)).toBe("access-canary");
    expect(await pulumi.isSecret(pulumi.output(access?.clientId))).toBe(true);
    expect(await pulumi.isSecret(pulumi.output(access?.clientSecret))).toBe(true);
    const stdins = registered.flatMap(({ inputs: { stdin, ...rest } }) => [
      JSON.stringify(rest),
      stdin === undefined ? "" : Buffer.from(String(plain(stdin)), "base64").toString(),
    ]);
    expect(stdins.join("")).not.toContain("access-canary");
  });

  test("without it nothing of it is made, and no output speaks of it", async () => {
    const outputs = await build(TWO);
    expect(registered.filter(({ type }) => type.includes("Access"))).toEqual([]);
    expect(waitsFor("one-hostname")).toEqual([]);
    expect(outputs).not.toHaveProperty("access");
  });
});

test("an agent that moves to another host keeps its DNS record: the same URN, wherever the host is", async () => {
  await build(TWO);
  // The parents' types are part of a URN.
  expect(parentOf("one-hostname")).toBe(parentOf("office"));
  expect(find("one-hostname").name).not.toContain("office");
});

test("the rest stands below the host in the tree", async () => {
  await build(TWO);
  expect(find("office-tunnel").type).toBe("agent-fleet:network:Tunnel");
  for (const child of ["registration", "ingress", "cloudflared-upload", "cloudflared"]) {
    expect(parentOf(`office-tunnel-${child}`)).toBe("office-tunnel");
  }
});

test("the token goes to the host on stdin, as a secret, and stands nowhere else", async () => {
  await build(TWO);
  expect(calls).toMatchObject([
    {
      token:
        "cloudflare:index/getZeroTrustTunnelCloudflaredToken:getZeroTrustTunnelCloudflaredToken",
      inputs: { accountId: ACCOUNT, tunnelId: "tunnel-id" },
    },
  ]);
  const { stdin, ...rest } = find("office-tunnel-cloudflared").inputs;
  const files = Buffer.from(String(plain(stdin)), "base64").toString();
  expect(files).toContain("token-canary\n");
  expect(files).toContain("ExecStart=/opt/agent-fleet-tunnel/bin/cloudflared tunnel");
  expect(rest).toMatchObject({ logging: "none", addPreviousOutputInEnv: false });
  expect(JSON.stringify(rest)).not.toContain("canary");
  const others = registered.filter(({ name }) => name !== "office-tunnel-cloudflared");
  expect(JSON.stringify(others)).not.toContain("canary");
});

test("the host gets cloudflared with its checksum and a deadline, and removes it on delete", async () => {
  await build(TWO);
  const { inputs } = find("office-tunnel-cloudflared");
  expect(inputs["create"]).toMatch(
    new RegExp(
      ` tunnel start office ${SUM} "\\$HOME"/\\.agent-fleet-cloudflared-${SUM.slice(0, 16)} 120 # on machine [0-9a-f]+$`,
    ),
  );
  expect(inputs["delete"]).toContain("/opt/agent-fleet-tunnel/bin/tunnel remove office #");
  expect(inputs).not.toHaveProperty("triggers");
  expect(find("office-tunnel-cloudflared-upload").inputs["remotePath"]).toBe(
    `.agent-fleet-cloudflared-${SUM.slice(0, 16)}`,
  );
});

test("to an agent without a port leads no hostname, and to a host with none other no tunnel", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tunnels-"));
  try {
    const profile = join(folder, "quiet.yaml");
    const quiet = {
      ...{ name: "quiet", description: "Quiet", service: "quiet", runtimes: ["bun"] },
      ...{ source: join(ROOT, "examples/compute-agent"), entry: "src/index.ts", env: {} },
      health: { staysUpSeconds: 5 },
    };
    writeFileSync(profile, JSON.stringify(quiet));
    await build(office({ one: {}, q: { profile } }));
    const hostnames = () => registered.filter(({ name }) => name.endsWith("-hostname"));
    expect(hostnames().map(({ name }) => name)).toEqual(["one-hostname"]);
    registered = [];
    await build(office({ q: { profile } }));
    expect(registered.filter(({ name }) => name.includes("tunnel"))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("cloudflared starts after, and on destroy stops before, all that Cloudflare holds of the tunnel", async () => {
  await build(TWO);
  expect(waitsFor("office-tunnel-cloudflared")).toEqual(
    expect.arrayContaining([
      "office-host-firewall-confirm",
      "office-tunnel-cloudflared-upload",
      "office-tunnel-ingress",
      "office-tseeder-setup-run",
      "one-hostname",
      "two-hostname",
    ]),
  );
  // The registration's id is part of the ingress and of the records.
  expect(find("office-tunnel-ingress").inputs["tunnelId"]).toBe("tunnel-id");
});

test("no agent waits for the tunnel", async () => {
  await build(
    office(
      Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`a${String(n)}`, { port: 8780 + n }])),
    ),
  );
  for (const [name] of [...options].filter(([each]) => each.endsWith("-activation"))) {
    expect(waitsFor(name).filter((other) => other?.includes("tunnel"))).toEqual([]);
  }
});

test("the agents' ports are closed to everybody, and their URLs are their hostnames without a trailing slash", async () => {
  const { agents } = await build(TWO);
  const rules = Buffer.from(
    String(plain(find("office-host-firewall-apply").inputs["stdin"])),
    "base64",
  ).toString();
  expect(rules.split("\n").filter((line) => line.startsWith("add element"))).toEqual([
    "add element inet agent_fleet ports { 8787, 8788 }",
  ]);
  expect(agents["one"]?.url).toBe("https://one.agents.example.com");
});

test("not even the forwards of a local VM reach past the tunnel", async () => {
  const local = (exposure: string) => ({
    "vm-1": { provider: "local", exposure, agents: { a: {} } },
  });
  const elements = () =>
    Buffer.from(String(plain(find("vm-1-host-firewall-apply").inputs["stdin"])), "base64")
      .toString()
      .split("\n")
      .filter((line) => line.startsWith("add element"));
  await build(local("tunnel"));
  expect(elements()).toEqual(["add element inet agent_fleet ports { 8787 }"]);
  registered = [];
  await build(local("private"));
  expect(elements()).toContain("add element inet agent_fleet allowed4 { 10.0.2.2/32 }");
});

test("exposure cloudflare opens the port to Cloudflare's ranges alone, on the host and in the cloud", async () => {
  const exposure = "cloudflare";
  const agents = { a: {} };
  const more = { ssh: { allowFrom: ["198.51.100.0/24"] } };
  await build(
    { ...office({ b: {} }, { exposure }), cloud: { provider: "hcloud", exposure, agents } },
    more,
  );
  const { ipv4, ipv6 } = JSON.parse(
    readFileSync(join(ROOT, "assets/cloudflare-ranges.json"), "utf8"),
  ) as { ipv4: string[]; ipv6: string[] };
  for (const host of ["office", "cloud"]) {
    const rules = Buffer.from(
      String(plain(find(`${host}-host-firewall-apply`).inputs["stdin"])),
      "base64",
    ).toString();
    expect(rules).toContain(`add element inet agent_fleet allowed4 { ${ipv4.join(", ")} }`);
    expect(rules).toContain(`add element inet agent_fleet allowed6 { ${ipv6.join(", ")} }`);
  }
  const { rules } = find("cloud-firewall").inputs as {
    rules: { port: string; sourceIps: string[] }[];
  };
  expect(rules.map(({ port, sourceIps }) => [port, sourceIps])).toEqual([
    ["22", ["198.51.100.0/24"]],
    ["8787", [...ipv4, ...ipv6]],
  ]);
  expect(registered.filter(({ type }) => type.startsWith("cloudflare:"))).toEqual([]);
});

test("a stack without a tunnel has no Cloudflare resource, and neither fetches cloudflared nor wants the plugin", async () => {
  await build(office({ a: {} }, { exposure: "private" }));
  expect(registered.filter(({ name, type }) => /cloudflare|tunnel/.test(name + type))).toEqual([]);
  expect(calls).toEqual([]);
  expect(cloudflared.fetchCloudflared).not.toHaveBeenCalled();
});

test("a host without agents has no tunnel", async () => {
  await build(office({}, { exposure: "tunnel" }));
  expect(registered.filter(({ name, type }) => /cloudflare|tunnel/.test(name + type))).toEqual([]);
});

test("the plugin is wanted by the stack files that have a tunnel", () => {
  const plugins = (exposure: string) => {
    const text = `config:
  agent-fleet:hosts: { office: { provider: ssh${exposure}, agents: { a: {} } } }
  agent-fleet:cloudflare: { accountId: x }`;
    return pluginsFor(summarizeStackFile(text, ROOT));
  };
  expect(plugins("")).toEqual(["command", "tls", "cloudflare"]);
  expect(plugins(", exposure: private")).toEqual(["command", "tls"]);
});

describe("cloudflared", () => {
  let cache: string;
  const program = Buffer.from("a program");
  const sum = createHash("sha256").update(program).digest("hex");
  const pin = { version: "2026.9.1", sha256: { amd64: sum, arm64: "0".repeat(64) } };
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.end(program);
  });
  let mirror: string;
  const fetched = (arch: "amd64" | "arm64", from = mirror) =>
    cloudflared.fetchCloudflared(pin, arch, cache, () => undefined, from);

  beforeEach(async () => {
    jest.restoreAllMocks();
    asked.length = 0;
    cache = mkdtempSync(join(tmpdir(), "fleet-cloudflared-"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    mirror = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  });
  afterEach(() => {
    server.close();
    rmSync(cache, { recursive: true });
  });

  test("is downloaded once, by version and architecture, and checked", async () => {
    const { path, sha256 } = await fetched("amd64");
    expect([readFileSync(path), sha256]).toEqual([program, sum]);
    expect((await fetched("amd64")).path).toBe(path);
    expect(asked).toEqual(["/2026.9.1/cloudflared-linux-amd64"]);
  });

  test("with another checksum is not kept, and the error names the ways to get it here", async () => {
    await expect(fetched("arm64")).rejects.toThrow(
      /its SHA-256 is [0-9a-f]+, expected 0+; it is not used\n.*AGENT_FLEET_CLOUDFLARED_MIRROR.*\n.*put it here: /,
    );
    expect(readdirSync(join(cache, "cloudflared"))).toEqual([]);
  });

  test("that was put where the error says is taken", async () => {
    const error = await fetched("amd64", "http://127.0.0.1:1").catch((thrown: unknown) => thrown);
    const place = /put it here: (.*)$/.exec((error as Error).message)?.[1] ?? "";
    writeFileSync(place, program);
    expect((await fetched("amd64", "http://127.0.0.1:1")).path).toBe(place);
  });

  test("is pinned for both architectures, in a version that reads its token from a file", () => {
    const { version, sha256 } = cloudflared.loadCloudflaredPin(ROOT);
    expect(version.localeCompare("2026.7.2", undefined, { numeric: true })).toBeGreaterThanOrEqual(
      0,
    );
    expect(sha256.amd64).not.toBe(sha256.arm64);
  });
});
