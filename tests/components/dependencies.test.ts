/** A release with dependencies, installed for real: by the pinned Bun, from the package registry. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { localExecutable } from "../../components/agent/download";
import { buildRelease } from "../../components/agent/release-archive";
import { pinnedRuntime, type Arch } from "../../components/agent/runtimes";
import { loadRuntimes } from "../../stacks/assets";
import { localArch } from "../../stacks/local-arch";
import { cacheFolder } from "../../vm/cache";

const runtimes = loadRuntimes(join(__dirname, "../.."));
const localBun = pinnedRuntime(runtimes, "bun", `${process.platform}-${localArch()}`);

let base: string;
let said: string[];
beforeAll(async () => {
  // Fetched once per machine: 50 MB.
  await localExecutable(localBun, cacheFolder());
}, 300_000);
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "dependencies-"));
  said = [];
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

/** A source folder whose package.json asks for these packages. */
function source(
  dependencies: Readonly<Record<string, string>>,
  files: Record<string, string> = {},
) {
  const folder = join(base, "source");
  const all = {
    "package.json": JSON.stringify({ name: "agent", version: "1.0.0", dependencies }),
    "src/index.ts": "",
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** Builds with a cache of the test's own, in which only Bun is there already. */
async function build(folder: string, runtime: "bun" | "node" = "bun", platform: Arch = "amd64") {
  const cache = join(base, "cache");
  if (!existsSync(join(cache, "tools"))) {
    mkdirSync(cache);
    execFileSync("ln", ["-s", cacheFolder("tools"), join(cache, "tools")]);
  }
  const release = await buildRelease({
    source: folder,
    install: {
      where: "operator",
      runtime: pinnedRuntime(runtimes, runtime, `linux-${platform}`),
      platform,
      localBun,
    },
    cache,
    say: (line) => said.push(line),
  });
  const files = execFileSync("tar", ["-tzf", release.file], { encoding: "utf8" }).split("\n");
  return { release, files };
}

test("packages are installed for the host's processor, not for this machine's", async () => {
  const folder = source({ esbuild: "0.25.0" });
  const arm = await build(folder, "bun", "arm64");
  expect(arm.files).toContain("node_modules/@esbuild/linux-arm64/bin/esbuild");
  expect(arm.files.filter((file) => /@esbuild\/(linux-x64|darwin|win32)/.test(file))).toEqual([]);
  const amd = await build(folder, "bun", "amd64");
  expect(amd.files).toContain("node_modules/@esbuild/linux-x64/bin/esbuild");
  expect(amd.release.id).not.toBe(arm.release.id);
}, 120_000);

test("a source without a lock gets one, says so, and keeps it when only its code changes", async () => {
  const first = await build(source({ "is-number": "^7.0.0" }));
  expect(said[0]).toContain("no bun.lock");
  expect(first.files).toContain("bun.lock");
  said = [];
  const second = await build(source({ "is-number": "^7.0.0" }, { "src/index.ts": "1;" }));
  expect(said).toEqual(["installing the agent's dependencies for the host's platform"]);
  const lock = ({ release }: typeof first) =>
    execFileSync("tar", ["-xzOf", release.file, "bun.lock"], { encoding: "utf8" });
  expect(lock(second)).toBe(lock(first));
}, 120_000);

test("a lock that does not fit package.json is refused, with the installer's words", async () => {
  const made = await build(source({ "is-number": "^7.0.0" }));
  const lock = execFileSync("tar", ["-xzOf", made.release.file, "bun.lock"], { encoding: "utf8" });
  const folder = source({ "is-number": "^7.0.0", "is-odd": "^3.0.0" }, { "bun.lock": lock });
  await expect(build(folder)).rejects.toThrow(/dependencies of the release: .*frozen/s);
}, 120_000);

test("install scripts of the source do not run on this machine", async () => {
  const mark = join(base, "mark");
  const folder = source({ "is-number": "7.0.0" });
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as object;
  const scripts = { preinstall: `touch ${mark}`, postinstall: `touch ${mark}` };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...manifest, scripts }));
  await build(folder);
  expect(existsSync(mark)).toBe(false);
}, 120_000);

test("an agent on Node gets the loader for TypeScript, also where it has no dependencies", async () => {
  const { files } = await build(source({}), "node", "arm64");
  expect(files).toContain("node_modules/tsx/package.json");
  expect(files).toContain("node_modules/@esbuild/linux-arm64/bin/esbuild");
}, 120_000);

test("the same source gives the same release when it is built again from nothing", async () => {
  const one = await build(source({ "is-number": "7.0.0" }));
  rmSync(join(base, "cache", "releases"), { recursive: true });
  const other = await build(source({ "is-number": "7.0.0" }));
  expect(other.release.id).toBe(one.release.id);
}, 120_000);
