import { join } from "node:path";
import { inspect } from "node:util";
import { checkStack } from "../../stacks/check";
import type { CheckInput } from "../../stacks/check-context";
import type { FleetSettings } from "../../stacks/fleet-settings";
import { formatProblems } from "../../stacks/problems";
import { BAD_CONFIGURATIONS } from "./bad-configurations";

const GOOD = {
  hosts: { "vm-1": { provider: "local", agents: { "agent-a": {} } } },
  defaults: { source: "examples/compute-agent" },
  secrets: { WORKER_CLUSTER_TOKEN: "t0ken", CALLBACK_SIGNING_SECRET: "s3cret" },
};

function input(values: Record<string, unknown>): CheckInput {
  const all: Record<string, unknown> = { ...GOOD, ...values };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return {
    stack: "test",
    values: Object.fromEntries(given),
    root: join(__dirname, "../.."),
    localArch: "amd64",
  };
}

function accepted(values: Record<string, unknown>): FleetSettings {
  const result = checkStack(input(values));
  if ("problems" in result) {
    throw new Error(formatProblems("test", result.problems));
  }
  return result.settings;
}

test.each(BAD_CONFIGURATIONS)(
  "$fault is refused with its path, value and remedy",
  ({ change, lines }) => {
    const result = checkStack(input(change));
    expect("problems" in result && formatProblems("test", result.problems).split("\n")).toEqual([
      "configuration of stack test:",
      ...lines.map((line) => `  ${line}`),
    ]);
  },
);

test("at least twenty faults are covered", () => {
  expect(BAD_CONFIGURATIONS.length).toBeGreaterThanOrEqual(20);
});

test("an agent's health is asked by its profile's path and user, with its own secret or the stack's", () => {
  const password = { OPENCODE_SERVER_PASSWORD: "a-password-of-some-length" };
  const agents = { own: { profile: "opencode" }, "agent-a": { port: 8788 } };
  const [host] = accepted({
    hosts: { "vm-1": { provider: "local", agents } },
    agentSecrets: { own: password },
  }).hosts;
  expect(host?.agents.map(({ healthCheck }) => healthCheck)).toEqual([
    {
      path: "/global/health",
      secret: "agentSecrets.own.OPENCODE_SERVER_PASSWORD",
      user: "opencode",
    },
    { path: "/health", secret: "secrets.WORKER_CLUSTER_TOKEN" },
  ]);
});

test("no error shows the value of a secret", () => {
  const result = checkStack(
    input({
      secrets: { WORKER_CLUSTER_TOKEN: " canary-1\n", CALLBACK_SIGNING_SECRET: ["canary-2"] },
      agentSecrets: { nobody: { R2_ACCESS_KEY_ID: "canary-3" } },
      sshPrivateKey: "canary-4",
    }),
  );
  const text = "problems" in result ? formatProblems("test", result.problems) : "";
  expect(text.split("\n")).toHaveLength(5);
  expect(text).not.toContain("canary");
});

test("an agent gets the profile's defaults with its own name, port and state folder", () => {
  const [host] = accepted({
    hosts: { "vm-1": { provider: "local", agents: { "agent-a": { port: 9000 } } } },
  }).hosts;
  expect(host?.agents[0]?.env).toEqual({
    PORT: "9000",
    WORKER_ID: "agent-a",
    R2_BUCKET: "rdm-files",
    DOWNLOAD_DIR: "/var/lib/tseeder-agent/agent-a/downloads",
    MAX_CONCURRENT_JOBS: "10",
  });
});

test("an agent's own env wins over the stack's, and the stack's over the profile's", () => {
  const [host] = accepted({
    hosts: {
      "vm-1": { provider: "local", agents: { "agent-a": { env: { MAX_CONCURRENT_JOBS: 4 } } } },
    },
    defaults: {
      source: "examples/compute-agent",
      env: { MAX_CONCURRENT_JOBS: 7, R2_BUCKET: "other" },
    },
  }).hosts;
  expect(host?.agents[0]?.env).toMatchObject({ MAX_CONCURRENT_JOBS: "4", R2_BUCKET: "other" });
});

test("an agent's own secret wins over the stack's, for this agent alone", () => {
  const [host] = accepted({
    hosts: { "vm-1": { provider: "local", agents: { one: {}, two: { port: 8788 } } } },
    agentSecrets: { two: { CALLBACK_SIGNING_SECRET: "own" } },
  }).hosts;
  const revealed = host?.agents.map(({ secrets }) => secrets["CALLBACK_SIGNING_SECRET"]?.reveal());
  expect(revealed).toEqual(["s3cret", "own"]);
});

test("settings that are printed show no secret", () => {
  const settings = accepted({});
  expect(inspect(settings, { depth: 10 })).not.toMatch(/t0ken|s3cret/);
  expect(JSON.stringify(settings)).not.toMatch(/t0ken|s3cret/);
});

describe("exposure", () => {
  const id = "0123456789abcdef".repeat(2);
  const cloudflare = { accountId: id, zoneId: id, domain: "example.com" };
  const agents = { "agent-a": {} };
  const kindOf = (host: object, more: object = {}) =>
    accepted({ hosts: { "vm-1": { provider: "hcloud", agents, ...host } }, ...more }).hosts[0]
      ?.exposure;

  test("is a tunnel where Cloudflare is configured and no range is given, else private", () => {
    expect(kindOf({})).toEqual({ kind: "private", from: [] });
    expect(kindOf({}, { cloudflare })).toEqual({ kind: "tunnel" });
    const privateFrom = ["10.0.0.0/8"];
    expect(kindOf({ privateFrom }, { cloudflare })).toEqual({ kind: "private", from: privateFrom });
    expect(kindOf({ exposure: "private" }, { cloudflare })).toEqual({ kind: "private", from: [] });
  });

  test("cloudflare has the ranges of assets/, IPv4 and IPv6, and needs no account", () => {
    const exposure = kindOf({ exposure: "cloudflare" });
    expect(exposure).toMatchObject({ kind: "cloudflare" });
    const ranges = exposure?.kind === "cloudflare" ? exposure.ranges : [];
    expect(ranges).toContain("173.245.48.0/20");
    expect(ranges).toContain("2606:4700::/32");
    expect(ranges).toHaveLength(22);
  });

  test("account and zone are taken over where a host has a tunnel, and only there", () => {
    const hosts = (exposure: string) => ({ "vm-1": { provider: "local", agents, exposure } });
    expect(accepted({ hosts: hosts("tunnel"), cloudflare }).cloudflare).toEqual(cloudflare);
    expect(accepted({ hosts: hosts("private"), cloudflare }).cloudflare).toBeUndefined();
  });
});

test("absence means: three releases kept, data kept, 120 seconds, enabled, root", () => {
  const settings = accepted({});
  expect(settings).toMatchObject({ keepReleases: 3, purgeData: false });
  expect(settings.hosts[0]).toMatchObject({
    user: "root",
    agents: [{ healthTimeoutSeconds: 120, enabled: true, runtime: "bun", port: 8787 }],
  });
});
