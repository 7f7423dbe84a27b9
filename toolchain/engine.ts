/** How the engine is obtained: CLI, language host, plugins, and the environment they run in. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Cli, type CliSource, type LanguageSource, obtainCli, presentCli } from "./cli";
import { findGo, GO_HELPS, type Say } from "./go";
import { officialDownloads, type Official, reachable } from "./official";
import { createPlaces, places, PROJECT } from "./places";
import { installStandIn, standIn } from "./standin";
import { type PluginName, PLUGINS, publicationOf, publishedByOthers, STAND_INS } from "./versions";

export type { PluginName } from "./versions";

export type PluginSource = "installed" | "official download" | `stand-in (${string})`;

export interface Engine {
  /** Absolute path of the Pulumi CLI. */
  readonly pulumi: string;
  /** To be merged into the environment of the CLI. */
  readonly env: Readonly<Record<string, string>>;
  readonly source: {
    readonly cli: CliSource;
    readonly language: LanguageSource;
    readonly plugins: Readonly<Partial<Record<PluginName, PluginSource>>>;
  };
}

export interface EngineRequest {
  readonly plugins: readonly PluginName[];
  /** Gets one line at a time; nothing is said when everything is there. */
  readonly say: Say;
  /** @default - this process's */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The folder that keeps the state. @default - this clone */
  readonly project?: string;
}

/**
 * Gets what is missing and says so. When all is there it makes a few stat calls, starts no process
 * and opens no connection.
 *
 * @throws Error with what to install when no route works
 */
export async function obtainEngine(request: EngineRequest): Promise<Engine> {
  const { plugins, say, env = process.env, project = PROJECT } = request;
  const where = places(env, project);
  createPlaces(where);
  const official = officialDownloads(env);
  const cli = await obtainCli(where.cache, env["PATH"] ?? "", official, say);
  const engineEnv = {
    PULUMI_HOME: where.home,
    // A missing plugin then matters only when a resource needs it; the program's others stay away.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...where.backend,
  };
  const sources: Partial<Record<PluginName, PluginSource>> = {};
  for (const name of plugins) {
    sources[name] = await obtainPlugin(name, cli, { ...env, ...engineEnv }, official, say);
  }
  return {
    pulumi: cli.pulumi,
    env: engineEnv,
    source: { cli: cli.source, language: cli.language, plugins: sources },
  };
}

export interface Inspection {
  /** Undefined when the next run has to get one. */
  readonly cli: Cli | undefined;
  readonly plugins: Readonly<Partial<Record<PluginName, PluginSource | "missing">>>;
  readonly home: string;
  readonly cache: string;
  readonly backend: string;
}

/** What is there, for `doctor`: downloads, builds and creates nothing. */
export function inspectEngine(
  env: Readonly<Record<string, string | undefined>> = process.env,
  project: string = PROJECT,
): Inspection {
  const where = places(env, project);
  const state = (name: PluginName) => presentPlugin(name, where.home) ?? "missing";
  return {
    cli: presentCli(where.cache, env["PATH"] ?? ""),
    // Of the others a stack needs none or few, and this looks at no stack.
    plugins: Object.fromEntries(
      (Object.keys(PLUGINS) as PluginName[])
        .map((name) => [name, state(name)] as const)
        .filter(([name, found]) => hasStandIn(name) || found !== "missing"),
    ),
    home: where.home,
    cache: where.cache,
    backend: where.backendText,
  };
}

function pluginFolder(name: PluginName, home: string): string {
  return join(home, "plugins", `resource-${name}-v${PLUGINS[name]}`);
}

function presentPlugin(name: PluginName, home: string): PluginSource | undefined {
  const folder = pluginFolder(name, home);
  if (!existsSync(join(folder, `pulumi-resource-${name}`)) || existsSync(`${folder}.partial`)) {
    return undefined;
  }
  switch (standIn(folder)) {
    case "none":
      return "installed";
    case "current":
      return "stand-in (the official download could not be had)";
    case "outdated":
      return "stand-in (outdated, renewed by the next run)";
  }
}

async function obtainPlugin(
  name: PluginName,
  cli: Cli,
  env: Readonly<Record<string, string | undefined>>,
  official: Official,
  say: Say,
): Promise<PluginSource> {
  const home = env["PULUMI_HOME"] ?? "";
  const folder = pluginFolder(name, home);
  const program = `pulumi-resource-${name}`;
  const present = presentPlugin(name, home);
  if (present !== undefined && standIn(folder) !== "outdated") {
    return present;
  }
  const label = `${program} ${PLUGINS[name]}`;
  let reason = "the official download cannot be reached";
  if (present === undefined && (await reachable(official))) {
    say(`${label}: official download`);
    const failure = await officialPlugin(name, cli, env, official);
    if (failure === undefined) {
      return "official download";
    }
    reason = `the official download failed: ${failure}`;
  }
  if (!hasStandIn(name)) {
    throw new Error(noWayTo(name, `${reason}, and it has no stand-in`));
  }
  const found = findGo(env["PATH"] ?? "");
  if ("missing" in found) {
    const outdated = "its stand-in is outdated";
    const why = `${present === undefined ? reason : outdated}, and to build a stand-in ${found.missing}`;
    throw new Error(noWayTo(name, why, GO_HELPS));
  }
  await installStandIn(folder, program, found.go, say);
  say(
    present === undefined
      ? `${label}: ${reason}; a stand-in takes its place (toolchain/README.md)`
      : `${label}: the stand-in was renewed`,
  );
  return `stand-in (${reason})`;
}

function hasStandIn(name: PluginName): boolean {
  return (STAND_INS as readonly PluginName[]).includes(name);
}

function noWayTo(name: PluginName, reason: string, ...more: readonly string[]): string {
  const version = PLUGINS[name];
  const archive = `pulumi-resource-${name}-v${version}-${process.platform}-${process.arch === "arm64" ? "arm64" : "amd64"}.tar.gz`;
  return [
    `pulumi-resource-${name} ${version}: ${reason}. One of these helps:`,
    ...more.map((way) => `  ${way}`),
    `  a mirror that has ${archive}: AGENT_FLEET_PULUMI_MIRROR=https://mirror.example.com ./fleet …`,
    `  the archive, fetched elsewhere from https://github.com/${publicationOf(name).repository}/releases/tag/v${version}:`,
    `    ./fleet plugin install resource ${name} ${version} --file ${archive}`,
  ].join("\n");
}

/** Where the CLI is to look for the archive. @default - where it looks by itself, at Pulumi's own places */
export function archiveSource(
  name: PluginName,
  { plugins }: Pick<Official, "plugins">,
): string | undefined {
  const own = publishedByOthers(name)
    ? `github://api.github.com/${publicationOf(name).repository}`
    : undefined;
  return plugins ?? own;
}

/** @returns why it failed, or undefined */
async function officialPlugin(
  name: PluginName,
  cli: Cli,
  env: Readonly<Record<string, string | undefined>>,
  official: Official,
): Promise<string | undefined> {
  const source = archiveSource(name, official);
  const server = source === undefined ? [] : ["--server", source];
  try {
    await promisify(execFile)(
      cli.pulumi,
      ["plugin", "install", "resource", name, PLUGINS[name], ...server],
      { env, timeout: 300_000 },
    );
    return undefined;
  } catch (error) {
    const { stderr = "", message } = error as { stderr?: string; message: string };
    const last = stderr.trim().split("\n").at(-1) ?? "";
    return last === "" ? message : last;
  }
}
