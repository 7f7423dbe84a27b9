import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildRelease, type Release } from "../../components/agent/release-archive";
import { pinnedRuntime } from "../../components/agent/runtimes";
import { sourceFiles } from "../../components/agent/source-files";
import { loadRuntimes } from "../../stacks/assets";

const runtimes = loadRuntimes(join(__dirname, "../.."));
const bun = pinnedRuntime(runtimes, "bun", "linux-amd64");

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "release-"));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

function source(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(base, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

async function build(folder: string, cache = "cache"): Promise<Release> {
  return buildRelease({
    source: folder,
    install: { where: "operator", runtime: bun, platform: "amd64", localBun: bun },
    cache: join(base, cache),
    say: () => undefined,
  });
}

const content = (release: Release) =>
  execFileSync("tar", ["-tzf", release.file], { encoding: "utf8" }).trim().split("\n").sort();

const AGENT = { "src/index.ts": "console.log(1);\n", "package.json": '{"name":"a"}\n' };

test("secrets, history and packages of this machine stay out of a release", async () => {
  const folder = source("agent", {
    ...AGENT,
    ".env": "TOKEN=1",
    ".env.production": "TOKEN=1",
    ".env.example": "TOKEN=",
    ".git/config": "",
    "node_modules/x/index.js": "",
    "src/node_modules/y/index.js": "",
    ".npmrc": "//registry/:_authToken=1",
    "keys/id_ed25519": "",
    "keys/server.pem": "",
    "agent.log": "",
  });
  expect(content(await build(folder))).toEqual([
    ".env.example",
    "package.json",
    "src/",
    "src/index.ts",
  ]);
});

test("the same files give the same release in another folder, at another time, from another cache", async () => {
  const one = source("one", AGENT);
  const other = source("other", AGENT);
  utimesSync(join(other, "src/index.ts"), new Date(0), new Date(0));
  chmodSync(join(other, "package.json"), 0o600);
  const [a, b] = [await build(one, "cache-1"), await build(other, "cache-2")];
  expect([b.id, b.sha256]).toEqual([a.id, a.sha256]);
});

test.each([
  ["a changed file", { ...AGENT, "src/index.ts": "console.log(2);\n" }],
  ["a new file", { ...AGENT, "src/new.ts": "" }],
  [
    "a renamed file",
    { "src/index.ts": AGENT["src/index.ts"], "package.jsonc": AGENT["package.json"] },
  ],
])("%s gives another release", async (_, files) => {
  const before = await build(source("before", AGENT));
  const after = await build(source("after", files));
  expect(after.id).not.toBe(before.id);
});

test("an unchanged source is not built again", async () => {
  const folder = source("agent", AGENT);
  const first = await build(folder);
  writeFileSync(first.file, "marked");
  const second = await build(folder);
  expect(second).toEqual(first);
  expect(execFileSync("cat", [second.file], { encoding: "utf8" })).toBe("marked");
});

test("a link out of the source is refused, one inside is kept", () => {
  const folder = source("agent", AGENT);
  symlinkSync("src/index.ts", join(folder, "main.ts"));
  expect(sourceFiles(folder).find(({ path }) => path === "main.ts")?.kind).toBe("link");
  symlinkSync("../../secret", join(folder, "src/out"));
  expect(() => sourceFiles(folder)).toThrow(/the link src\/out leads to .*outside the folder/);
});
