/** The Pulumi CLI: an installed one, the official download, or built from the Go module proxy. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { arch, platform } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { downloadFile, downloadText, Unreachable } from "./download";
import { type Official } from "./official";
import { installStandIn, placeFolder, standIn } from "./standin";
import { GO_AT_LEAST, GO_EXACT, PULUMI, PULUMI_AT_LEAST, PULUMI_BELOW_MAJOR } from "./versions";

export type CliSource = "installed" | "official download" | "built from the Go module proxy";
export type LanguageSource = "installed" | "official download" | "stand-in";
export type Say = (line: string) => void;

export interface Cli {
  /** Absolute path of the program. */
  readonly pulumi: string;
  readonly version: string;
  readonly source: CliSource;
  readonly language: LanguageSource;
}

const LANGUAGE_HOST = "pulumi-language-nodejs";

/** The one that is there already: a few stat calls, no process but for an installed one not seen before. */
export function presentCli(cache: string, path: string): Cli | undefined {
  return installed(cache, path) ?? downloaded(cache) ?? built(cache);
}

/** As presentCli, and gets one where there is none; the language host stand-in is kept current. */
export async function obtainCli(
  cache: string,
  path: string,
  official: Official,
  say: Say,
): Promise<Cli> {
  const present = presentCli(cache, path);
  if (present !== undefined) {
    if (present.language === "stand-in") {
      await installLanguageHost(dirname(present.pulumi));
    }
    return present;
  }
  const refused = await download(cache, official, say);
  if (refused === undefined) {
    return requireCli(downloaded(cache));
  }
  say(`Pulumi ${PULUMI}: ${refused}; building it from the Go module proxy instead`);
  await build(cache, path, refused, say);
  return requireCli(built(cache));
}

function requireCli(cli: Cli | undefined): Cli {
  if (cli === undefined) {
    throw new Error("the Pulumi CLI disappeared while it was installed; run the command again");
  }
  return cli;
}

// --- installed -------------------------------------------------------------------------------

function installed(cache: string, path: string): Cli | undefined {
  const pulumi = onPath("pulumi", path);
  if (pulumi === undefined) {
    return undefined;
  }
  const beside = join(dirname(realpathSync(pulumi)), LANGUAGE_HOST);
  const language = executable(beside) ?? onPath(LANGUAGE_HOST, path);
  const version = language === undefined ? undefined : versionOf(pulumi, cache);
  return version === undefined || !fits(version)
    ? undefined
    : { pulumi, version, source: "installed", language: "installed" };
}

export function fits(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = PULUMI_AT_LEAST.split(".").map(Number);
  return major < PULUMI_BELOW_MAJOR && major >= leastMajor && minor >= leastMinor;
}

/** Asked once per program: remembered by path, size and time of change. */
function versionOf(pulumi: string, cache: string): string | undefined {
  const { size, mtimeMs } = statSync(pulumi);
  const key = [pulumi, size, mtimeMs].join(" ");
  const memory = join(cache, "engine", "installed");
  try {
    const [known, version] = readFileSync(memory, "utf8").split("\n");
    if (known === key) {
      return version;
    }
  } catch {
    // Not asked yet.
  }
  let version: string;
  try {
    version = execFileSync(pulumi, ["version"], {
      encoding: "utf8",
      timeout: 20_000,
      env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      stdio: ["ignore", "pipe", "ignore"],
    })
      .trim()
      .replace(/^v/, "");
  } catch {
    return undefined;
  }
  mkdirSync(dirname(memory), { recursive: true });
  writeFileSync(`${memory}.${process.pid.toString()}`, `${key}\n${version}\n`);
  renameSync(`${memory}.${process.pid.toString()}`, memory);
  return version;
}

function onPath(name: string, path: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    const found = folder === "" ? undefined : executable(join(folder, name));
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function executable(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}

// --- official download -----------------------------------------------------------------------

function downloadedFolder(cache: string): string {
  return join(cache, "engine", `${PULUMI}-official`);
}

function downloaded(cache: string): Cli | undefined {
  const pulumi = join(downloadedFolder(cache), "pulumi");
  return existsSync(pulumi)
    ? { pulumi, version: PULUMI, source: "official download", language: "official download" }
    : undefined;
}

/** @returns why it was not possible, or undefined when it was */
async function download(cache: string, official: Official, say: Say): Promise<string | undefined> {
  const file = `pulumi-v${PULUMI}-${platform()}-${arch()}.tar.gz`;
  const folder = join(cache, "engine", `new-${randomBytes(6).toString("hex")}`);
  try {
    say(`Pulumi ${PULUMI}: asking for the official download`);
    const wanted = checksumOf(file, await downloadText(official.checksums));
    mkdirSync(folder, { recursive: true });
    const archive = join(folder, file);
    const told = every10Seconds();
    const got = await downloadFile(`${official.releases}/${file}`, archive, (bytes, total) => {
      if (told()) {
        say(`Pulumi ${PULUMI}: ${megabytes(bytes)} of ${megabytes(total)} MB`);
      }
    });
    if (got !== wanted) {
      return (
        `the official download was refused: its SHA-256 is ${got}, ` +
        `the published one is ${wanted}`
      );
    }
    const { extract } = await import("tar");
    await extract({ file: archive, cwd: folder });
    placeFolder(join(folder, "pulumi"), downloadedFolder(cache));
    say(`Pulumi ${PULUMI}: official download, SHA-256 verified`);
    return undefined;
  } catch (error) {
    const message = (error as Error).message;
    if (error instanceof Unreachable) {
      official.reachable = false;
      return `the official download cannot be reached (${message})`;
    }
    return `the official download failed (${message})`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checksumOf(file: string, checksums: string): string {
  for (const line of checksums.split("\n")) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === file && sum !== undefined && /^[0-9a-f]{64}$/.test(sum)) {
      return sum;
    }
  }
  throw new Error(`no checksum of ${file} is published`);
}

function megabytes(bytes: number): string {
  return Math.round(bytes / 1e6).toString();
}

function every10Seconds(): () => boolean {
  let last = Date.now();
  return () => {
    const due = Date.now() - last >= 10_000;
    if (due) {
      last = Date.now();
    }
    return due;
  };
}

// --- from registries alone -------------------------------------------------------------------

function builtFolder(cache: string): string {
  return join(cache, "engine", `${PULUMI}-registry`);
}

function built(cache: string): Cli | undefined {
  const pulumi = join(builtFolder(cache), "pulumi");
  return existsSync(pulumi)
    ? { pulumi, version: PULUMI, source: "built from the Go module proxy", language: "stand-in" }
    : undefined;
}

async function build(cache: string, path: string, refused: string, say: Say): Promise<void> {
  const go = requireGo(path, refused);
  const folder = join(cache, "engine", `new-${randomBytes(6).toString("hex")}`);
  mkdirSync(folder, { recursive: true });
  try {
    say(`Pulumi ${PULUMI}: go build, about two minutes on two cores, once per version`);
    await compile(go, join(folder, "pulumi"), say);
    await installLanguageHost(folder);
    placeFolder(folder, builtFolder(cache));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The CLI takes the language host that lies beside it without a warning, so a link there points at
 * the folder of the stand-in.
 */
async function installLanguageHost(folder: string): Promise<void> {
  const home = join(folder, "language-host");
  if (standIn(home) !== "current") {
    await installStandIn(home, LANGUAGE_HOST, "language-host/main.ts");
  }
  const beside = join(folder, LANGUAGE_HOST);
  if (!existsSync(beside)) {
    const temporary = `${beside}.${process.pid.toString()}`;
    writeFileSync(
      temporary,
      `#!/bin/sh\nexec node "$(dirname "$0")/language-host/${LANGUAGE_HOST}" "$@"\n`,
      { mode: 0o755 },
    );
    renameSync(temporary, beside);
  }
}

function requireGo(path: string, refused: string): string {
  const go = onPath("go", path);
  const version = go === undefined ? undefined : goVersion(go);
  if (go !== undefined && version !== undefined && atLeast(version, GO_AT_LEAST)) {
    return go;
  }
  const found = version === undefined ? "Go is not installed" : `Go ${version} is too old`;
  throw new Error(
    [
      `Pulumi ${PULUMI} cannot be had: none is installed, ${refused}, and to build it ${found}.`,
      "  Any one of these helps:",
      `    install Pulumi ${PULUMI_AT_LEAST} or newer, below ${PULUMI_BELOW_MAJOR.toString()}, with its Node.js language host`,
      `    install Go ${GO_EXACT} or newer (from ${GO_AT_LEAST} on it fetches the exact one itself;` +
        " that of Debian 12 and Ubuntu 22.04 is too old, bookworm-backports has a newer one)",
      "    name a mirror of the official downloads in AGENT_FLEET_PULUMI_MIRROR",
    ].join("\n"),
  );
}

function goVersion(go: string): string | undefined {
  try {
    const text = execFileSync(go, ["env", "GOVERSION"], { encoding: "utf8", timeout: 20_000 });
    return /go(\d+(?:\.\d+)*)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function atLeast(version: string, least: string): boolean {
  return version.localeCompare(least, undefined, { numeric: true }) >= 0;
}

function compile(go: string, output: string, say: Say): Promise<void> {
  const flags = [
    "-s -w",
    // Without it the CLI has no version and refuses projects.
    `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${PULUMI}`,
  ].join(" ");
  const started = Date.now();
  const child = spawn(
    go,
    [
      ...["build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", output],
      "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    ],
    {
      cwd: join(__dirname, "cli"),
      env: { ...process.env, GO111MODULE: "on", GOWORK: "off", CGO_ENABLED: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const lines = lastLines(child);
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1000);
    say(`Pulumi ${PULUMI}: still building, ${seconds.toString()} s`);
  }, 10_000);
  return new Promise((resolve, reject) => {
    child.on("error", (error) => {
      clearInterval(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearInterval(timer);
      if (code === 0) {
        resolve();
      } else {
        reject(
          new Error(
            `go build of Pulumi ${PULUMI} failed (exit code ${String(code)}); the end of its output:\n` +
              lines().join("\n") +
              "\n  GOPROXY must name a reachable Go module proxy (go env GOPROXY)",
          ),
        );
      }
    });
  });
}

function lastLines(child: ChildProcess): () => string[] {
  let text = "";
  const add = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000);
  };
  child.stdout?.on("data", add);
  child.stderr?.on("data", add);
  return () => text.trimEnd().split("\n").slice(-15);
}
