/** The real program under the real engine, as plain `pulumi` runs it. No host is reached. */
import { createHash } from "node:crypto";
import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { Clone } from "../e2e/support/clone";

const STACK = "office";
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKmqtPDBv0Ht5TdsjIcYzrfVnrrQS2jvv6P9o5vPXsAF";
const HOSTS = {
  office: { provider: "ssh", address: "203.0.113.7", hostKey: HOST_KEY, agents: { one: {} } },
};

const clone = new Clone();

const pulumi = (...args: string[]) => clone.pulumi(args);

beforeAll(async () => {
  await pulumi("stack", "init", STACK);
});
afterAll(() => {
  clone.remove();
});

/** The stack's file, with secrets in the clear: they are only checked here. */
function stackFile(config: Readonly<Record<string, unknown>>): void {
  const salt = readFileSync(`${clone.folder}/Pulumi.${STACK}.yaml`, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("encryptionsalt:"));
  const keys = Object.entries(config).map(
    ([key, value]) => `  agent-fleet:${key}: ${JSON.stringify(value)}`,
  );
  clone.write(`Pulumi.${STACK}.yaml`, ["config:", ...keys, ...salt, ""].join("\n"));
}

const GOOD = {
  hosts: HOSTS,
  defaults: { source: "examples/compute-agent" },
  secrets: { WORKER_CLUSTER_TOKEN: "canary-token", CALLBACK_SIGNING_SECRET: "canary-secret" },
};

test("a preview lists what an operator would do, in order, and shows no secret", async () => {
  stackFile(GOOD);
  const { code, output } = await pulumi("preview", "--stack", STACK, "--diff");
  expect(code).toBe(0);
  expect(output).toContain("+ 16 to create");
  for (const name of [
    "::office",
    "::office-tseeder-setup",
    "::office-host-firewall-apply",
    "::office-host-firewall-confirm",
    "::office-tseeder-bun-upload",
    "::office-tseeder-bun-unpack",
    "::office-tseeder-examples-compute-agent-unpack",
    "::one@office-activation",
  ]) {
    expect(output).toContain(name);
  }
  expect(output).not.toContain("canary");
});

test("every upload is named by the SHA-256 of its file", async () => {
  stackFile(GOOD);
  const { stdout } = await pulumi("preview", "--stack", STACK, "--json");
  const { steps } = JSON.parse(stdout) as {
    steps: { newState: { inputs?: { source?: { path: string; hash: string } } } }[];
  };
  const sources = steps.flatMap(({ newState }) => newState.inputs?.source ?? []);
  expect(sources).toHaveLength(2);
  for (const { path, hash } of sources) {
    expect(hash).toBe(createHash("sha256").update(readFileSync(path)).digest("hex"));
  }
});

test("bad configuration is told whole, and no resource is registered", async () => {
  stackFile({ ...GOOD, keepReleases: 0, hosts: { office: { ...HOSTS.office, adress: "x" } } });
  const { code, output } = await pulumi("preview", "--stack", STACK);
  expect(code).not.toBe(0);
  expect(output).toContain(`configuration of stack ${STACK}:`);
  expect(output).toContain('hosts.office.adress: unknown key; did you mean "address"?');
  expect(output).toContain("keepReleases: got 0, expected a number of releases between 1 and 100");
  expect(output).not.toMatch(/agent-fleet:host|at .*\.ts:\d+/);
});

test("a source that cannot be packed is told by its agent's name, without a stack trace", async () => {
  stackFile(GOOD);
  const link = `${clone.folder}/examples/compute-agent/src/outside`;
  symlinkSync("../../../index.ts", link);
  try {
    const { code, output } = await pulumi("preview", "--stack", STACK);
    expect(code).not.toBe(0);
    expect(output).toMatch(/one: source .*: the link src\/outside leads to/);
    expect(output).not.toMatch(/at .*\.ts:\d+/);
  } finally {
    rmSync(link);
  }
});

test("no event of a run holds a secret, debug messages of the SDK included", async () => {
  stackFile({ hosts: GOOD.hosts, defaults: GOOD.defaults });
  for (const name of ["WORKER_CLUSTER_TOKEN", "CALLBACK_SIGNING_SECRET"]) {
    await clone.setSecret(`agent-fleet:secrets.${name}`, `canary-${name}`, STACK);
  }
  const events = clone.path("events.json");
  // The log of events is one of Pulumi's hidden flags.
  const args = ["preview", "--stack", STACK, "--event-log", events];
  const { code } = await clone.pulumi(args, { PULUMI_DEBUG_COMMANDS: "true" });
  expect(code).toBe(0);
  const text = readFileSync(events, "utf8");
  expect(text).toContain("one@office-activation");
  // The file goes to the host in base64; so do the secrets in it.
  const forms = [
    "canary-",
    Buffer.from("canary-WORKER").toString("base64").slice(0, 14),
    "H4sIAAAA",
  ];
  expect(forms.filter((form) => text.includes(form))).toEqual([]);
});
