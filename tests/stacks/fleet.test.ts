/** The fleet as the engine would see it, under Pulumi's mocks: what is registered, with which inputs. */
import { gunzipSync } from "node:zlib";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { checkStack, type FleetSettings } from "../../stacks/check";
import { buildFleet } from "../../stacks/fleet";
import type { FleetOutputs } from "../../stacks/outputs";

const ROOT = join(__dirname, "../..");
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKmqtPDBv0Ht5TdsjIcYzrfVnrrQS2jvv6P9o5vPXsAF";
const SECRETS = { WORKER_CLUSTER_TOKEN: "canary-token", CALLBACK_SIGNING_SECRET: "canary-secret" };

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

let registered: Registered[];
let options: Map<string, pulumi.ResourceOptions & { parentName?: string }>;
let cache: string;

beforeEach(async () => {
  registered = [];
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
        if (name.endsWith("-activation")) {
          state["stdout"] = 'noise\n{"state":"available"}\n';
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
    defaults: { source: "examples/compute-agent" },
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
  let outputs: FleetOutputs | undefined;
  await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ name, opts }) => {
      options.set(name, opts);
      return undefined;
    });
    outputs = await buildFleet(settings(hosts, more), ROOT);
  });
  await pulumi.runtime.disconnect();
  if (outputs === undefined) {
    throw new Error("the fleet was not built");
  }
  return outputs;
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
  return gunzipSync(Buffer.from(text, "base64")).toString("utf8");
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
    "Command vm-1-machine",
    "Command vm-1-tseeder-bun-unpack",
    "Command vm-1-tseeder-examples-compute-agent-unpack",
    "Command vm-1-tseeder-setup-run",
    "CopyToRemote vm-1-tseeder-bun-upload",
    "CopyToRemote vm-1-tseeder-examples-compute-agent-upload",
    "HostSetup vm-1-tseeder-setup",
    "LocalHost vm-1",
    "PrivateKey operator-key",
    "PrivateKey vm-1-host-key",
    "Release vm-1-tseeder-examples-compute-agent",
    "Runtime vm-1-tseeder-bun",
  ]);
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
    /^timeout -k 10 420 sh \/opt\/tseeder-agent\/bin\/activate one # on machine [0-9a-f]+$/,
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

test("the outputs say where each agent is and how it is, and keep the key a secret", async () => {
  const { agents, hosts, sshPrivateKey } = await build({ ...LOCAL, ...SSH });
  const one = agents["one"];
  expect(one).toMatchObject({ host: "vm-1", unit: "tseeder-agent@one", port: 8787 });
  expect(one?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(agents["three"]?.url).toBe("http://203.0.113.7:8787");
  expect(hosts["office"]).toMatchObject({ provider: "ssh", address: "203.0.113.7", user: "ops" });
  expect(await pulumi.isSecret(sshPrivateKey as pulumi.Output<string>)).toBe(true);
});
