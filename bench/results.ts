/** What a run of the benchmarks leaves: bench/results/<date>-<commit>.json, from which the page is made. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const METHODS = { fleet: "agent-fleet", ansible: "Ansible", floor: "ssh script" } as const;
export type Method = keyof typeof METHODS;

export const CASES = {
  first: "first install",
  nothing: "nothing changed",
  env: "one env value of one agent",
  release: "new release on all four",
} as const;
export type Case = keyof typeof CASES;

/** Seconds of each repetition, in the order in which they were run. */
export type Times = Readonly<Record<Case, readonly number[]>>;

export interface Preview {
  readonly agents: number;
  readonly seconds: readonly number[];
  /** Peak resident memory of the largest process, in MiB. */
  readonly peakMiB: readonly number[];
  /** What that process was, such as `program`. */
  readonly largest: string;
  readonly resources: number;
}

/** A preview of one host in a cloud with two agents, which loads the cloud's SDK. */
export interface ProviderPreview {
  readonly provider: string;
  readonly seconds: readonly number[];
}

export interface Results {
  /** ISO 8601, UTC. */
  readonly begun: string;
  /** Short hash, with `+` where the tree had changes. */
  readonly commit: string;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly system: string;
    /** How the VM ran: kvm, hvf, or tcg (emulated). */
    readonly accel: string;
    readonly vm: string;
    /** Load of this machine, averaged over one minute, when the run began. */
    readonly loadBefore: number;
  };
  readonly versions: Readonly<Record<string, string>>;
  /** Without a method whose program could not be had. */
  readonly installs: Readonly<Partial<Record<Method, Times>>>;
  readonly previews: readonly Preview[];
  /** @default - an older run, which did not measure it */
  readonly providers?: readonly ProviderPreview[];
}

export const RESULTS = join(__dirname, "results");

/** The newest run, with its file's name; undefined where there was none. */
export function newestResults(
  folder = RESULTS,
): { readonly name: string; readonly results: Results } | undefined {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const name = names
    .filter((entry) => entry.endsWith(".json"))
    .sort()
    .at(-1);
  return name === undefined
    ? undefined
    : { name, results: JSON.parse(readFileSync(join(folder, name), "utf8")) as Results };
}
