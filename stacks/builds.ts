/** What is built or fetched on this machine before any resource is registered: releases and runtimes. */
import { relative } from "node:path";
import { buildRelease, type Release } from "../components/agent/release-archive";
import { archiveUrl, digestOf, fetchRuntime } from "../components/agent/download";
import { pinnedProgram } from "../components/agent/program";
import { pinnedRuntime, type PinnedRuntime, type Runtimes } from "../components/agent/runtimes";
import type { RuntimeArgs } from "../components/agent/runtime";
import { sourceText } from "../components/agent/source";
import type { LocalFile } from "../components/remote/step";
import { userError } from "../components/user-error";
import { cacheFolder } from "../vm/cache";
import { extraUnit, loadRuntimes } from "./assets";
import type { AgentSettings, FleetSettings, HostSettings } from "./fleet-settings";
import { localArch } from "./local-arch";
import { fetchSources, type Folders } from "./sources";

export interface AgentBuild {
  readonly runtime: PinnedRuntime;
  readonly runtimeFrom: ProgramFrom;
  readonly release: Release;
  /** The units that its profile brings. */
  readonly units: readonly ExtraUnitBuild[];
  /** The tools that it brings. */
  readonly tools: readonly ToolBuild[];
}

export interface ToolBuild {
  readonly name: string;
  readonly program: PinnedRuntime;
  readonly from: ProgramFrom;
}

export interface ExtraUnitBuild extends ToolBuild {
  /** Its text. */
  readonly text: string;
}

type ProgramFrom = RuntimeArgs["from"];

export interface BuildArgs {
  readonly root: string;
  readonly cache: string;
  readonly runtimes: Runtimes;
  readonly folders: Folders;
  /** The platform of this machine, such as `linux-amd64`. */
  readonly localPlatform: string;
  readonly say: (line: string) => void;
}

/**
 * Agent → what was built for it.
 * @throws pulumi.RunError naming the agent whose code cannot be had or built.
 */
export async function buildAll(
  settings: FleetSettings,
  root: string,
  say: (line: string) => void,
): Promise<Map<string, AgentBuild>> {
  const cache = cacheFolder();
  const args = {
    root,
    cache,
    runtimes: loadRuntimes(root),
    folders: await fetchSources(settings, cache, say),
    localPlatform: `${process.platform}-${localArch()}`,
    say,
  };
  const builds = new Map<string, AgentBuild>();
  const made = new Map<string, AgentBuild>();
  for (const host of settings.hosts) {
    for (const agent of host.agents) {
      try {
        const key = buildKey(host, agent);
        const build = made.get(key) ?? (await buildAgent(args, host, agent));
        made.set(key, build);
        builds.set(agent.name, build);
      } catch (error) {
        throw userError(`${agent.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return builds;
}

/**
 * Builds for one agent; what agents share comes from the cache.
 * @throws Error naming the agent's source where it cannot be built.
 */
export async function buildAgent(
  { root, cache, runtimes, folders, localPlatform, say }: BuildArgs,
  host: HostSettings,
  agent: AgentSettings,
): Promise<AgentBuild> {
  const platform = `linux-${host.arch}`;
  const runtime = programOf(runtimes, agent, platform);
  const source = sourceText(agent.source);
  const release = await buildRelease({
    source: folders.get(source) ?? source,
    install: {
      where: agent.profile.install,
      runtime,
      platform: host.arch,
      localBun: pinnedRuntime(runtimes, "bun", localPlatform),
    },
    cache,
    say: (line) => {
      say(`${agent.source.kind === "folder" ? relative(root, source) || "." : source}: ${line}`);
    },
  });
  const units: ExtraUnitBuild[] = [];
  for (const [name, unit] of Object.entries(agent.profile.units)) {
    const program = pinnedProgram(unit.program, platform);
    const text = extraUnit(root, agent.profile.service, name, unit);
    units.push({ name, text, program, from: await fromWhere(host, program, cache) });
  }
  const tools: ToolBuild[] = [];
  for (const [name, files] of Object.entries(agent.profile.tools)) {
    const program = pinnedProgram({ binary: name, ...files }, platform);
    tools.push({ name, program, from: await fromWhere(host, program, cache) });
  }
  return { runtime, runtimeFrom: await fromWhere(host, runtime, cache), release, units, tools };
}

/** The program as a file here; or its URL for hosts that download themselves. */
async function fromWhere(
  { config }: HostSettings,
  program: PinnedRuntime,
  cache: string,
): Promise<ProgramFrom> {
  return config.runtimeDelivery === "download"
    ? { url: await archiveUrl(program) }
    : { file: await hashed(await fetchRuntime(program, cache)) };
}

/** What runs the agent: a runtime, or the profile's own program. */
function programOf(
  runtimes: Runtimes,
  { profile, runtime = "bun" }: AgentSettings,
  platform: string,
): PinnedRuntime {
  return profile.program === undefined
    ? pinnedRuntime(runtimes, runtime, platform)
    : pinnedProgram(profile.program, platform);
}

/** Equal for agents that share what is built for them. */
export function buildKey(
  { arch, config }: HostSettings,
  { source, runtime, profile }: AgentSettings,
): string {
  const { install, program, units, tools } = profile;
  const programs = [runtime, program, units, tools];
  return JSON.stringify([source, programs, install, arch, config.runtimeDelivery]);
}

async function hashed(path: string): Promise<LocalFile> {
  return { path, sha256: await digestOf(path, "sha256") };
}
