/** An agent-ready image with a stack's runtimes and releases in it, and what `up` makes of it, under Pulumi's mocks. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { bakedFor } from "../../stacks/baked";
import { checkStack } from "../../stacks/check";
import type { FleetSettings } from "../../stacks/fleet-settings";
import { bakedIn } from "../../vm/agent/baked";
import { imageFiles } from "../../vm/agent/names";
import { runStack } from "./run-stack";

const ROOT = join(__dirname, "../..");
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKmqtPDBv0Ht5TdsjIcYzrfVnrrQS2jvv6P9o5vPXsAF";
const RUNTIME = "vm-1-tseeder-bun";
const RELEASE = "vm-1-tseeder-examples-compute-agent";
const WORD = "already on the host\n";

let base: string;
let registered: Map<string, Record<string, unknown>>;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "fleet-baked-"));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

function settings(hosts: object): FleetSettings {
  const values = {
    hosts,
    defaults: { source: "examples/compute-agent" },
    secrets: { WORKER_CLUSTER_TOKEN: "t", CALLBACK_SIGNING_SECRET: "s" },
  };
  const result = checkStack({ stack: "test", values, root: ROOT, localArch: "amd64" });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.settings;
}

const disk = () => join(base, imageFiles.disk);
const onImage = () => ({
  "vm-1": { provider: "local", image: disk(), agents: { one: {}, two: { port: 8788 } } },
});
const baked = (hosts: object) => bakedFor(settings(hosts), ROOT, () => undefined);

/** @param answer - what the host says of all that it is offered; undefined in a preview, which cannot ask */
async function build(hosts: object, answer?: "here" | "missing"): Promise<void> {
  registered = new Map();
  const keys = { privateKeyOpenssh: "private", publicKeyOpenssh: "ssh-ed25519 AAAA\n" };
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => {
        registered.set(name, inputs as Record<string, unknown>);
        const said = name.endsWith("-offer") ? answer : '{"state":"available"}';
        const stdout = said === undefined ? {} : { stdout: `${said}\n` };
        return { id: name, state: { ...(inputs as object), ...keys, ...stdout } };
      },
      call: () => ({}),
    },
    "agent-fleet",
    "test",
    answer === undefined,
  );
  await runStack(settings(hosts), ROOT, { options: new Map(), names: new Map() });
}

async function sent(name: string): Promise<string | undefined> {
  const source = registered.get(`${name}-upload`)?.["source"] as {
    readonly path?: Promise<string>;
    readonly text?: Promise<string>;
  };
  return (await source.path) ?? (await source.text);
}

async function writeManifest(hosts: object): Promise<void> {
  const manifest = { baked: bakedIn(await baked(hosts)) };
  writeFileSync(join(base, imageFiles.manifest), JSON.stringify(manifest));
}

test("agents of a service share what is baked, in the folders that up names, with the checksums of the archives", async () => {
  const [service, ...others] = await baked(onImage());
  expect(others).toEqual([]);
  expect(service?.service).toBe("tseeder-agent");
  expect(service?.files["profile.conf"]).toContain("SERVICE='tseeder-agent'\n");
  expect(Object.keys(service?.files ?? {})).toEqual(
    expect.arrayContaining(["bin/unpack", "bin/lib.sh", "bin/lib-record.sh"]),
  );
  const archives = service?.archives ?? [];
  expect(archives.map(({ folder }) => folder)).toEqual([
    expect.stringMatching(/^\/opt\/tseeder-agent\/runtimes\/bun-\d+\.\d+\.\d+$/),
    expect.stringMatching(/^\/opt\/tseeder-agent\/releases\/[0-9a-f]{16}$/),
  ]);
  await build(onImage(), "missing");
  for (const [index, name] of [RUNTIME, RELEASE].entries()) {
    const { unpack, checksum } = archives[index] ?? { unpack: () => ["?"], checksum: "?" };
    const words = unpack("FILE");
    expect(words).toContain(checksum);
    const run = String(registered.get(`${name}-unpack`)?.["create"]);
    expect(run.replace(/"\$HOME"\S+/, "FILE")).toContain(`/bin/unpack ${words.join(" ")}`);
  }
});

test("only what local hosts run is baked, and no release whose packages its host installs", async () => {
  const office = {
    provider: "ssh",
    address: "203.0.113.7",
    hostKey: HOST_KEY,
    agents: { three: { runtime: "node" } },
  };
  const [service] = await baked({ ...onImage(), office });
  expect(service?.archives.map(({ folder }) => folder.replace(/[^/]+$/, ""))).toEqual([
    "/opt/tseeder-agent/runtimes/",
    "/opt/tseeder-agent/releases/",
  ]);
  const onHost = settings(onImage());
  for (const { agents } of onHost.hosts)
    for (const agent of agents)
      Object.assign(agent, { profile: { ...agent.profile, install: "host" } });
  const [withoutRelease] = await bakedFor(onHost, ROOT, () => undefined);
  expect(withoutRelease?.archives.map(({ folder }) => folder.split("/")[3])).toEqual(["runtimes"]);
});

test("a host with an agent-ready image is asked for its first runtime and release, whatever the manifest says", async () => {
  writeFileSync(join(base, imageFiles.manifest), '{"baked":{}}');
  await build(onImage(), "here");
  for (const [kind, name] of [
    ["runtime", RUNTIME],
    ["release", RELEASE],
  ] as const) {
    const offer = registered.get(`${name}-offer`);
    expect(offer).not.toHaveProperty("update");
    expect(offer?.["create"]).toMatch(new RegExp(`/bin/offer ${kind} \\S+ # on machine`));
    expect(await sent(name)).toBe(WORD);
  }
  // A baked tree that was changed, or is another one by now, is missing.
  await writeManifest(onImage());
  await build(onImage(), "missing");
  for (const name of [RUNTIME, RELEASE]) expect(await sent(name)).toMatch(/\.tgz$/);
});

test("a preview shows what the manifest promises: a word for what is baked, the archive for what is not", async () => {
  await writeManifest(onImage());
  await build(onImage());
  for (const name of [RUNTIME, RELEASE]) expect(await sent(name)).toBe(WORD);
  rmSync(join(base, imageFiles.manifest));
  await build(onImage());
  for (const name of [RUNTIME, RELEASE]) expect(await sent(name)).toMatch(/\.tgz$/);
});

test("a host with another image is not asked for its runtime, nor for its first release", async () => {
  await build({ "vm-1": { ...onImage()["vm-1"], image: "debian-12" } }, "here");
  expect([...registered.keys()].filter((name) => name.endsWith("-offer"))).toEqual([
    `${RELEASE}-offer`,
  ]);
  expect(registered.get(`${RELEASE}-offer`)).not.toHaveProperty("create");
  expect(await sent(RUNTIME)).toMatch(/\.tgz$/);
});
