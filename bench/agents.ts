/** The four agents of the benchmarks, and the archives that every method sends. */
import { join } from "node:path";
import { fetchRuntime } from "../components/agent/download";
import { buildRelease } from "../components/agent/release-archive";
import { pinnedRuntime } from "../components/agent/runtimes";
import { loadProfile, loadRuntimes } from "../stacks/assets";
import { localArch } from "../stacks/local-arch";
import { cacheFolder } from "../vm/cache";

export const PROJECT = join(__dirname, "..");
export const UNIT = join(PROJECT, "assets/systemd/tseeder-agent@.service");

export interface BenchAgent {
  readonly name: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface Archive {
  readonly id: string;
  readonly file: string;
}

/** What a method is to bring about. */
export interface Plan {
  readonly runtime: Archive;
  readonly release: Archive;
  /** The code of the release. */
  readonly source: string;
  readonly agents: readonly BenchAgent[];
  /** What an operator sets for single agents: agent → variable → value. */
  readonly set: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const AGENTS = [1, 2, 3, 4].map((number) => ({
  name: `agent-${String(number)}`,
  port: 8786 + number,
}));

/** The archives lie on this machine afterwards, so that no method's clock sees how they are made. */
export async function planFor(
  source: string,
  secrets: Readonly<Record<string, string>>,
  set: Plan["set"] = {},
): Promise<Plan> {
  const cache = cacheFolder();
  const runtimes = loadRuntimes(PROJECT);
  const runtime = pinnedRuntime(runtimes, "bun", `linux-${localArch()}`);
  const profile = loadProfile(PROJECT, "tseeder");
  const release = await buildRelease({
    source,
    install: {
      where: profile.install,
      runtime,
      platform: localArch(),
      localBun: pinnedRuntime(runtimes, "bun", `${process.platform}-${localArch()}`),
    },
    cache,
    say: () => undefined,
  });
  return {
    runtime: { id: runtime.id, file: await fetchRuntime(runtime, cache) },
    release: { id: release.id, file: release.file },
    source,
    set,
    agents: AGENTS.map(({ name, port }) => ({
      name,
      port,
      env: {
        PORT: String(port),
        WORKER_ID: name,
        ...secrets,
        R2_BUCKET: "rdm-files",
        DOWNLOAD_DIR: `/var/lib/tseeder-agent/${name}/downloads`,
        MAX_CONCURRENT_JOBS: "10",
        ...set[name],
      },
    })),
  };
}
