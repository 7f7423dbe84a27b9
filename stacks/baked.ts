/** What an agent-ready image has of a stack's agents, so that `up` need not send it. */
import { fetchRuntime } from "../components/agent/download";
import { hostFolder } from "../components/agent/host-scripts";
import type { Profile } from "../components/agent/profile";
import { renderProfileConf } from "../components/agent/profile-conf";
import { releaseWords, runtimeWords } from "../components/agent/unpack-words";
import type { BakedArchive, BakedService } from "../vm/agent/baked";
import { cacheFolder } from "../vm/cache";
import { hostFiles } from "./assets";
import { buildAll, type AgentBuild } from "./builds";
import type { FleetSettings } from "./fleet-settings";

/**
 * Runtimes and releases of the agents on local hosts, each once. No release whose packages its host installs: that
 * needs a host.
 * @throws pulumi.RunError naming the agent whose code cannot be had or built.
 */
export async function bakedFor(
  settings: FleetSettings,
  root: string,
  say: (line: string) => void,
): Promise<BakedService[]> {
  const hosts = settings.hosts.filter(({ config }) => config.provider === "local");
  const builds = await buildAll({ ...settings, hosts }, root, say);
  const agents = hosts.flatMap((host) => host.agents);
  const profiles = new Map(agents.map(({ profile }) => [profile.service, profile]));
  const services: BakedService[] = [];
  for (const [service, profile] of profiles) {
    const archives = new Map<string, BakedArchive>();
    for (const agent of agents.filter((each) => each.profile.service === service)) {
      const build = builds.get(agent.name);
      const ofAgent = build === undefined ? [] : await archivesOf(agent.profile, build);
      for (const archive of ofAgent) archives.set(archive.folder, archive);
    }
    services.push({ service, files: scriptsOf(root, profile), archives: [...archives.values()] });
  }
  return services;
}

async function archivesOf(
  { service, install }: Profile,
  { runtime, release }: AgentBuild,
): Promise<BakedArchive[]> {
  const ofRuntime = {
    folder: hostFolder(service, "runtime", runtime.id),
    checksum: `${runtime.checksum.algorithm}:${runtime.checksum.hex}`,
    file: await fetchRuntime(runtime, cacheFolder()),
    unpack: (file: string) => runtimeWords(runtime, file),
  };
  const ofRelease = {
    folder: hostFolder(service, "release", release.id),
    checksum: `sha256:${release.sha256}`,
    file: release.file,
    unpack: (file: string) => releaseWords(release, file),
  };
  return install === "host" ? [ofRuntime] : [ofRuntime, ofRelease];
}

function scriptsOf(root: string, profile: Profile): Record<string, string> {
  const scripts = Object.entries(hostFiles(root)).map(
    ([path, { content }]) => [path, content] as const,
  );
  return { ...Object.fromEntries(scripts), "profile.conf": renderProfileConf(profile) };
}
