/** The Pulumi CLI: an installed one, the official download, or built from the Go module proxy. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { downloadFile, downloadText, Unreachable } from "./download";
import { findGo, GO_HELPS, goBuild, type Say } from "./go";
import { type Official } from "./official";
import { executable, onPath } from "./path";
import { installStandIn, placeFolder, standIn } from "./standin";
import { PULUMI, PULUMI_AT_LEAST, PULUMI_BELOW_MAJOR } from "./versions";

export type CliSource = "installed" | "official download" | "built from the Go module proxy";
export type LanguageSource = "installed" | "official download" | "stand-in";

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
      await installLanguageHost(dirname(present.pulumi), path, say);
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
  const go = requireGo(
    path,
    `Pulumi ${PULUMI} cannot be had: none is installed, ${refused}, and to build it`,
  );
  const folder = join(cache, "engine", `new-${randomBytes(6).toString("hex")}`);
  mkdirSync(folder, { recursive: true });
  try {
    say(`Pulumi ${PULUMI}: go build, about two minutes on two cores, once per version`);
    await goBuild({
      go,
      what: `Pulumi ${PULUMI}`,
      module: join(__dirname, "cli"),
      program: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
      output: join(folder, "pulumi"),
      // Without it the CLI has no version and refuses projects.
      variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": PULUMI },
      say,
    });
    await installLanguageHost(folder, path, say);
    placeFolder(folder, builtFolder(cache));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The CLI takes the language host that lies beside it without a warning, so a link there points
 * into the folder of the stand-in.
 */
async function installLanguageHost(folder: string, path: string, say: Say): Promise<void> {
  const home = join(folder, "language-host");
  if (standIn(home) !== "current") {
    const go = requireGo(path, `${LANGUAGE_HOST} cannot be renewed: to build its stand-in`);
    await installStandIn(home, LANGUAGE_HOST, go, say);
  }
  const beside = join(folder, LANGUAGE_HOST);
  const inside = join("language-host", LANGUAGE_HOST);
  if (linkAt(beside) !== inside) {
    const temporary = `${beside}.${process.pid.toString()}`;
    symlinkSync(inside, temporary);
    renameSync(temporary, beside);
  }
}

function linkAt(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

/** @param why the beginning of the error's sentence */
function requireGo(path: string, why: string): string {
  const found = findGo(path);
  if ("go" in found) {
    return found.go;
  }
  throw new Error(
    [
      `${why} ${found.missing}.`,
      "  Any one of these helps:",
      `    install Pulumi ${PULUMI_AT_LEAST} or newer, below ${PULUMI_BELOW_MAJOR.toString()}, with its Node.js language host`,
      `    ${GO_HELPS}`,
      "    name a mirror of the official downloads in AGENT_FLEET_PULUMI_MIRROR",
    ].join("\n"),
  );
}
