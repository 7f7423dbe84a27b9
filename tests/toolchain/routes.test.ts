import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { arch, platform, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { archiveSource, inspectEngine, obtainEngine } from "../../toolchain/engine";
import { type PluginName, PULUMI } from "../../toolchain/versions";
import { Mirror } from "./support/mirror";
import { freePort } from "./support/sshd";

let folder: string;
let said: string[];
let mirror: Mirror | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fleet-routes-"));
  mkdirSync(join(folder, "bin"));
  said = [];
  mirror = undefined;
});
afterEach(() => {
  mirror?.end();
  rmSync(folder, { recursive: true });
});

const ARCHIVE = `pulumi-v${PULUMI}-${platform()}-${arch()}.tar.gz`;
const CHECKSUMS = `pulumi-${PULUMI}-checksums.txt`;
const cache = () => join(folder, "cache");

/** Only what a test puts into bin/ is on PATH, and nothing of this machine's home is seen. */
const environment = (url: string) => ({
  HOME: folder,
  PATH: join(folder, "bin"),
  AGENT_FLEET_CACHE: cache(),
  AGENT_FLEET_PULUMI_MIRROR: url,
});

const obtain = (url: string, plugins: PluginName[] = []) =>
  obtainEngine({
    plugins,
    say: (line) => said.push(line),
    env: environment(url),
    project: join(folder, "project"),
  });

const unreachable = async () => `http://127.0.0.1:${(await freePort()).toString()}`;

/** A program that does as it is told; what it was called with is in <name>.calls. */
function program(path: string, body: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "$@" >>"$0.calls"\n${body}\n`, { mode: 0o755 });
}
const bin = (name: string) => join(folder, "bin", name);
const calls = (name: string) =>
  existsSync(`${bin(name)}.calls`) ? readFileSync(`${bin(name)}.calls`, "utf8").split("\n") : [];

function fakeGo(version = "go1.26.0"): void {
  program(
    bin("go"),
    `if [ "$1" = env ]; then echo ${version}; exit; fi
     while [ "$1" != -o ]; do shift; done
     printf '#!/bin/sh\\necho built\\n' >"$2"
     /bin/chmod 755 "$2"`,
  );
}

function officialArchive(): Buffer {
  const source = join(folder, "official");
  program(join(source, "pulumi", "pulumi"), "echo official");
  program(join(source, "pulumi", "pulumi-language-nodejs"), ":");
  execFileSync("tar", ["czf", join(folder, "a.tgz"), "-C", source, "pulumi"]);
  return readFileSync(join(folder, "a.tgz"));
}

async function serve(archive: Buffer, sum: string): Promise<string> {
  mirror = new Mirror({ [ARCHIVE]: archive, [CHECKSUMS]: `${sum}  ${ARCHIVE}\n` });
  await mirror.start();
  return mirror.url;
}

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("an installed CLI", () => {
  const install = (version: string) => {
    program(bin("pulumi"), `echo ${version}`);
    program(bin("pulumi-language-nodejs"), ":");
  };

  test("of a fitting version is taken before anything is downloaded, and asked once", async () => {
    install("v3.230.1");
    const url = await serve(Buffer.from(""), "");
    for (let run = 0; run < 2; run++) {
      expect(await obtain(url)).toMatchObject({
        pulumi: bin("pulumi"),
        source: { cli: "installed", language: "installed" },
      });
    }
    expect(calls("pulumi")).toEqual(["version", ""]);
    expect(mirror?.asked).toEqual([]);
    expect(said).toEqual([]);
  });

  test.each(["v3.217.9", "v4.0.0"])("of version %s is left aside", async (version) => {
    install(version);
    fakeGo();
    expect((await obtain(await unreachable())).source.cli).toBe("built from the Go module proxy");
  });

  test("without its language host is left aside", async () => {
    program(bin("pulumi"), "echo v3.225.0");
    fakeGo();
    expect((await obtain(await unreachable())).source.cli).toBe("built from the Go module proxy");
  });
});

describe("the official download", () => {
  test("is unpacked when its checksum is the published one; a second run asks nobody", async () => {
    const archive = officialArchive();
    const url = await serve(archive, sha256(archive));
    const engine = await obtain(url);
    expect(engine.source).toMatchObject({
      cli: "official download",
      language: "official download",
    });
    expect(execFileSync(engine.pulumi, { encoding: "utf8" })).toBe("official\n");
    expect(mirror?.asked).toEqual([CHECKSUMS, ARCHIVE]);
    expect(said.at(-1)).toContain("SHA-256 verified");

    said.length = 0;
    expect(await obtain(url)).toEqual(engine);
    expect(mirror?.asked).toHaveLength(2);
    expect(said).toEqual([]);
    expect(readdirSync(join(cache(), "engine"))).toEqual([`${PULUMI}-official`]);
  });

  test("with another checksum is refused, said, and leaves nothing behind", async () => {
    fakeGo();
    const url = await serve(officialArchive(), "0".repeat(64));
    expect((await obtain(url)).source.cli).toBe("built from the Go module proxy");
    expect(said.join("\n")).toMatch(
      /refused: its SHA-256 is [0-9a-f]{64}, the published one is 0{64}/,
    );
    expect(readdirSync(join(cache(), "engine"))).toEqual([`${PULUMI}-registry`]);
  });

  test("without a published checksum is not even fetched", async () => {
    fakeGo();
    mirror = new Mirror({ [ARCHIVE]: officialArchive(), [CHECKSUMS]: "" });
    await mirror.start();
    expect((await obtain(mirror.url)).source.cli).toBe("built from the Go module proxy");
    expect(mirror.asked).toEqual([CHECKSUMS]);
  });

  test("of a plugin is tried by the CLI itself, and only where the server answers", async () => {
    program(bin("pulumi"), 'if [ "$1" = version ]; then echo v3.225.0; else exit 1; fi');
    program(bin("pulumi-language-nodejs"), ":");
    fakeGo();
    const url = await serve(Buffer.from(""), "");
    const { source } = await obtain(url, ["tls"]);
    expect(calls("pulumi")[1]).toBe(`plugin install resource tls 5.6.1 --server ${url}`);
    expect(source.plugins.tls).toMatch(/^stand-in \(the official download failed/);

    rmSync(join(cache(), "pulumi-home"), { recursive: true });
    rmSync(`${bin("pulumi")}.calls`);
    const blocked = await obtain(await unreachable(), ["tls"]);
    expect(blocked.source.plugins.tls).toBe("stand-in (the official download cannot be reached)");
    expect(calls("pulumi")).toEqual([]);
  });
});

describe("from registries alone", () => {
  test("the CLI is built with its version, beside the language host stand-in; a second run does nothing", async () => {
    fakeGo();
    const url = await unreachable();
    const engine = await obtain(url);
    const build = calls("go").find((line) => line.startsWith("build")) ?? "";
    expect(build).toContain(`version.Version=${PULUMI}`);
    expect(build).toContain("-mod=readonly");
    expect(engine.source).toEqual({
      cli: "built from the Go module proxy",
      language: "stand-in",
      plugins: {},
    });
    const host = join(dirname(engine.pulumi), "pulumi-language-nodejs");
    expect(statSync(host).mode & 0o111).not.toBe(0);
    const before = calls("go").length;
    said.length = 0;
    expect(await obtain(url)).toEqual(engine);
    expect(calls("go")).toHaveLength(before);
    expect(said).toEqual([]);
  });

  test("a language host of before, which was a script, gives way", async () => {
    fakeGo();
    const url = await unreachable();
    const { pulumi } = await obtain(url);
    const host = join(dirname(pulumi), "pulumi-language-nodejs");
    rmSync(host);
    program(host, "exec node language-host/pulumi-language-nodejs");
    await obtain(url);
    expect(execFileSync(host, { encoding: "utf8" })).toBe("built\n");
  });

  test("two runs at once end with one working engine and no leftovers", async () => {
    fakeGo();
    const url = await unreachable();
    const [one, two] = await Promise.all([obtain(url, ["tls"]), obtain(url, ["tls"])]);
    expect(one.pulumi).toBe(two.pulumi);
    expect(execFileSync(one.pulumi, { encoding: "utf8" })).toBe("built\n");
    expect(readdirSync(join(cache(), "engine"))).toEqual([`${PULUMI}-registry`]);
    expect(readdirSync(join(cache(), "pulumi-home", "plugins"))).toEqual(["resource-tls-v5.6.1"]);
  });

  test.each([
    ["no Go", undefined, "Go is not installed"],
    ["an old Go", "go1.19.8", "Go 1.19.8 is too old"],
  ])("with %s the error says every way out", async (_what, version, text) => {
    if (version !== undefined) {
      fakeGo(version);
    }
    const failed = obtain(await unreachable());
    await expect(failed).rejects.toThrow(text);
    await expect(failed).rejects.toThrow("AGENT_FLEET_PULUMI_MIRROR");
    await expect(failed).rejects.toThrow("install Go 1.25.6 or newer");
  });

  test("a failed build shows the end of its output and leaves nothing behind", async () => {
    program(
      bin("go"),
      'if [ "$1" = env ]; then echo go1.26.0; exit; fi; echo no proxy >&2; exit 1',
    );
    await expect(obtain(await unreachable())).rejects.toThrow(/exit code 1[^]*no proxy/);
    expect(readdirSync(join(cache(), "engine"))).toEqual([]);
  });
});

describe("a cloud's plugin", () => {
  test("has no stand-in: where its download is out of reach the error names the ways out", async () => {
    fakeGo();
    const archive = `pulumi-resource-hcloud-v1.41.0-${platform()}-${arch() === "arm64" ? "arm64" : "amd64"}.tar.gz`;
    await expect(obtain(await unreachable(), ["hcloud"])).rejects.toThrow(
      [
        "pulumi-resource-hcloud 1.41.0: the official download cannot be reached, and it has no stand-in. One of these helps:",
        `  a mirror that has ${archive}: AGENT_FLEET_PULUMI_MIRROR=https://mirror.example.com ./fleet …`,
        "  the archive, fetched elsewhere from https://github.com/pulumi/pulumi-hcloud/releases/tag/v1.41.0:",
        `    ./fleet plugin install resource hcloud 1.41.0 --file ${archive}`,
      ].join("\n"),
    );
    expect(existsSync(join(cache(), "pulumi-home/plugins/resource-hcloud-v1.41.0"))).toBe(false);
  });

  test("that others than Pulumi publish comes from their releases, or from the mirror", async () => {
    expect(archiveSource("hcloud", { plugins: undefined })).toBeUndefined();
    expect(archiveSource("vultr", { plugins: undefined })).toBe(
      "github://api.github.com/dirien/pulumi-vultr",
    );
    expect(archiveSource("vultr", { plugins: "https://mirror" })).toBe("https://mirror");
    fakeGo();
    const failed = obtain(await unreachable(), ["vultr"]);
    await expect(failed).rejects.toThrow(
      "https://github.com/dirien/pulumi-vultr/releases/tag/v2.21.0:",
    );
  });

  test("that is installed is taken", async () => {
    fakeGo();
    const place = join(cache(), "pulumi-home/plugins/resource-hcloud-v1.41.0");
    program(join(place, "pulumi-resource-hcloud"), ":");
    const { source } = await obtain(await unreachable(), ["hcloud"]);
    expect(source.plugins.hcloud).toBe("installed");
  });
});

describe("a plugin stand-in", () => {
  const plugins = () => join(cache(), "pulumi-home", "plugins", "resource-tls-v5.6.1");

  test("says that it is one, is kept, and is renewed when its source has changed", async () => {
    fakeGo();
    const url = await unreachable();
    await obtain(url, ["tls"]);
    expect(said.filter((line) => line.includes("stand-in"))).toHaveLength(1);
    expect(readFileSync(join(plugins(), "STAND-IN"), "utf8")).toMatch(/^This is a stand-in/);
    const built = statSync(join(plugins(), "pulumi-resource-tls")).mtimeMs;

    said.length = 0;
    await obtain(url, ["tls"]);
    expect(said).toEqual([]);
    expect(statSync(join(plugins(), "pulumi-resource-tls")).mtimeMs).toBe(built);

    writeFileSync(join(plugins(), "STAND-IN"), "source sha256:of an older one\n");
    await obtain(url, ["tls"]);
    expect(said).toEqual(["pulumi-resource-tls 5.6.1: the stand-in was renewed"]);
  });

  test("cannot be built without Go, which is said with every way out", async () => {
    program(bin("pulumi"), "echo v3.225.0");
    program(bin("pulumi-language-nodejs"), ":");
    const failed = obtain(await unreachable(), ["tls"]);
    await expect(failed).rejects.toThrow(
      "pulumi-resource-tls 5.6.1: the official download cannot be reached, and to build a stand-in Go is not installed. One of these helps:",
    );
    await expect(failed).rejects.toThrow("install Go 1.25.6 or newer");
    await expect(failed).rejects.toThrow("AGENT_FLEET_PULUMI_MIRROR");
    await expect(failed).rejects.toThrow("./fleet plugin install resource tls 5.6.1 --file");
    expect(existsSync(plugins())).toBe(false);
  });

  test("never takes the place of an installed plugin", async () => {
    fakeGo();
    program(join(plugins(), "pulumi-resource-tls"), ":");
    expect((await obtain(await unreachable(), ["tls"])).source.plugins.tls).toBe("installed");
    expect(existsSync(join(plugins(), "STAND-IN"))).toBe(false);
  });
});

test("doctor's look creates nothing", () => {
  const seen = inspectEngine(environment("http://127.0.0.1:1"), join(folder, "project"));
  expect(seen).toMatchObject({
    cli: undefined,
    plugins: { command: "missing", tls: "missing" },
    home: join(cache(), "pulumi-home"),
  });
  expect(readdirSync(folder)).toEqual(["bin"]);
});
