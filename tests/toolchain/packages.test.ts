import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { missingPackages, obtainPackages } from "../../toolchain/packages";
import { type PluginName, PLUGINS, publicationOf } from "../../toolchain/versions";

const ROOT = join(__dirname, "../..");
let project: string;
let said: string[];

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "fleet-packages-"));
  mkdirSync(join(project, "node_modules"));
  mkdirSync(join(project, "bin"));
  said = [];
});
afterEach(() => {
  rmSync(project, { recursive: true });
});

/** A registry that serves this one package, by an `npm` of ours; its checksum. */
function serve(name: string, version: string): string {
  const source = join(project, "served/package");
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, "package.json"), JSON.stringify({ name, version }));
  const archive = join(project, "served.tgz");
  execFileSync("tar", ["-czf", archive, "-C", dirname(source), "package"]);
  const npm = `#!/bin/sh
echo "$@" >>"${project}/calls"
for last; do :; done
cp "${archive}" "$last/served.tgz" && echo '[{"filename":"served.tgz"}]'
`;
  writeFileSync(join(project, "bin/npm"), npm, { mode: 0o755 });
  return `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
}

function lock(packages: Readonly<Record<string, object>>): void {
  const entries = Object.entries(packages).map(
    ([name, each]) => [`node_modules/${name}`, each] as const,
  );
  writeFileSync(
    join(project, "package-lock.json"),
    JSON.stringify({ packages: Object.fromEntries(entries) }),
  );
}

const calls = () =>
  existsSync(join(project, "calls"))
    ? readFileSync(join(project, "calls"), "utf8").split("\n")
    : [];
const obtain = () =>
  obtainPackages(project, ["@cloud/sdk"], (line) => said.push(line), {
    PATH: `${join(project, "bin")}:${process.env["PATH"] ?? ""}`,
  });

test("a package that is not there is fetched at the locked version, said once, and not again", async () => {
  lock({ "@cloud/sdk": { version: "1.2.3", integrity: serve("@cloud/sdk", "1.2.3") } });
  await obtain();
  await obtain();
  expect(said).toEqual(["@cloud/sdk 1.2.3: installing it, as this stack uses it"]);
  expect(calls()[0]).toMatch(
    /^pack @cloud\/sdk@1\.2\.3 --json --ignore-scripts --pack-destination /,
  );
  expect(calls()).toHaveLength(2);
  expect(readdirSync(join(project, "node_modules"))).toEqual(["@cloud"]);
});

test("another version than the locked one is replaced", async () => {
  lock({ "@cloud/sdk": { version: "1.2.4", integrity: serve("@cloud/sdk", "1.2.4") } });
  const old = join(project, "node_modules/@cloud/sdk");
  mkdirSync(old, { recursive: true });
  writeFileSync(join(old, "package.json"), JSON.stringify({ version: "1.2.3" }));
  writeFileSync(join(old, "left-over"), "");
  await obtain();
  expect(readdirSync(old)).toEqual(["package.json"]);
});

test("a download with another checksum is refused and leaves nothing behind", async () => {
  serve("@cloud/sdk", "1.2.3");
  lock({ "@cloud/sdk": { version: "1.2.3", integrity: "sha512-other" } });
  await expect(obtain()).rejects.toThrow(
    /^@cloud\/sdk 1\.2\.3: the download's checksum is sha512-.*, package-lock\.json has sha512-other; the registry serves something else, look at: npm config get registry$/,
  );
  expect(readdirSync(join(project, "node_modules"))).toEqual([]);
});

test("a registry that does not answer is named as the cause", async () => {
  lock({ "@cloud/sdk": { version: "1.2.3", integrity: serve("@cloud/sdk", "1.2.3") } });
  writeFileSync(
    join(project, "bin/npm"),
    "#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n",
    { mode: 0o755 },
  );
  await expect(obtain()).rejects.toThrow(
    "@cloud/sdk@1.2.3: npm could not fetch it (npm error code ENOTFOUND); the npm registry has to be reachable: npm config get registry",
  );
});

test("a package that says v1.2.3 of itself is there", () => {
  lock({ "@cloud/sdk": { version: "1.2.3", integrity: "a" } });
  const folder = join(project, "node_modules/@cloud/sdk");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ version: "v1.2.3" }));
  expect(missingPackages(project, "@cloud/sdk")).toEqual([]);
});

test("what a package needs at run time comes with it, types do not", () => {
  lock({
    "@cloud/sdk": {
      version: "1.2.3",
      integrity: "a",
      dependencies: { mime: "^2.0.0", "@types/express": "^4.16.0" },
    },
    mime: { version: "2.6.0", integrity: "b" },
  });
  expect(missingPackages(project, "@cloud/sdk").map(({ name }) => name)).toEqual([
    "@cloud/sdk",
    "mime",
  ]);
});

test.each(Object.entries(PLUGINS) as [PluginName, string][])(
  "package and plugin of %s have one version, %s",
  (name, version) => {
    const file = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, { version: string } | undefined>;
    };
    expect(file.packages[`node_modules/${publicationOf(name).sdk}`]?.version).toBe(version);
  },
);

test("the lock names no address, so that every registry will do", () => {
  expect(readFileSync(join(ROOT, "package-lock.json"), "utf8")).not.toContain('"resolved"');
});
