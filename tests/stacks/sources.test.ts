import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildRelease } from "../../components/agent/release-archive";
import { pinnedRuntime } from "../../components/agent/runtimes";
import { sourceText } from "../../components/agent/source";
import { loadProfile, loadRuntimes } from "../../stacks/assets";
import type { AgentSettings, FleetSettings } from "../../stacks/fleet-settings";
import { fetchSources } from "../../stacks/sources";
import { Mirror } from "../toolchain/support/mirror";

const ROOT = join(__dirname, "../..");
const profile = loadProfile(ROOT, "tseeder");

let base: string;
let server: Mirror;
const files: Record<string, Buffer> = {};
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "sources-"));
  server = new Mirror(files);
  await server.start();
});
afterEach(() => {
  server.end();
  rmSync(base, { recursive: true });
});

/** A tarball of one file on the server. */
function tarball(name: string, file: string): AgentSettings["source"] {
  const folder = join(base, name);
  mkdirSync(join(folder, "src"), { recursive: true });
  writeFileSync(join(folder, "src", file), "1;\n");
  writeFileSync(join(folder, "package.json"), '{"name":"agent"}\n');
  const archive = join(base, `${name}.tgz`);
  execFileSync("tar", ["-czf", archive, "-C", folder, ...readdirSync(folder)]);
  const content = (files[`${name}.tgz`] = readFileSync(archive));
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { kind: "tarball", url: `${server.url}/${name}.tgz`, sha256 };
}

function fleet(sources: Readonly<Record<string, AgentSettings["source"]>>): FleetSettings {
  const agents = Object.entries(sources).map(([name, source]) => {
    const sourcePath = `hosts.vm-1.agents.${name}.source`;
    return { name, source, sourcePath, profile } as AgentSettings;
  });
  return { stack: "test", hosts: [{ agents }] } as unknown as FleetSettings;
}

const fetchFor = (sources: Readonly<Record<string, AgentSettings["source"]>>) =>
  fetchSources(fleet(sources), join(base, "cache"), () => undefined);

test("agents of one source share one fetch, also a failed one; a folder is taken where it is", async () => {
  const source = tarball("good", "index.ts");
  const folder = { kind: "folder", path: join(ROOT, "examples/compute-agent") } as const;
  const folders = await fetchFor({ a: source, b: source, c: folder });
  expect(server.asked).toEqual(["good.tgz"]);
  expect([...folders.keys()]).toEqual([sourceText(source), folder.path]);
  expect(folders.get(folder.path)).toBe(folder.path);
  const none = { kind: "tarball", url: `${server.url}/none.tgz`, sha256: "0".repeat(64) } as const;
  await expect(fetchFor({ a: none, b: none })).rejects.toThrow("agents.b.source: got");
  expect(server.asked).toEqual(["good.tgz", "none.tgz"]);
});

test("all sources that cannot be had are told at once, each with its path in the stack file", async () => {
  const good = tarball("good", "index.ts");
  const none = { kind: "tarball", url: `${server.url}/none.tgz`, sha256: "0".repeat(64) } as const;
  const empty = tarball("empty", "other.ts");
  await expect(fetchFor({ a: none, b: good, c: empty })).rejects.toThrow(
    [
      "configuration of stack test:",
      `  hosts.vm-1.agents.a.source: got "${sourceText(none)}", which cannot be downloaded (the server says 404); correct the address, or open the way to it`,
      `  hosts.vm-1.agents.c.source: got "${sourceText(empty)}", which has no src/index.ts; profile tseeder starts that file, give its folder`,
    ].join("\n"),
  );
});

test("the same code is the same release, from a folder or from elsewhere", async () => {
  const source = tarball("good", "index.ts");
  const fetched = (await fetchFor({ a: source })).get(sourceText(source)) ?? "";
  const bun = pinnedRuntime(loadRuntimes(ROOT), "bun", "linux-amd64");
  const idOf = async (folder: string, cache: string) => {
    const install = { where: "operator", runtime: bun, platform: "amd64", localBun: bun } as const;
    const args = { source: folder, install, cache: join(base, cache), say: () => undefined };
    return (await buildRelease(args)).id;
  };
  expect(await idOf(fetched, "one")).toBe(await idOf(join(base, "good"), "two"));
});
