/** What a check of a configuration is given, and what its rules share. */
import type { Arch } from "../components/agent/runtimes";
import type { Surroundings } from "./credentials";
import type { Problem } from "./problems";
import type { StackConfig } from "./schema";

export interface CheckInput {
  readonly stack: string;
  /** The configuration, keys without the project's name. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The project's folder; relative sources and profiles start there. */
  readonly root: string;
  /** The architecture of this machine, which local VMs share. */
  readonly localArch: Arch;
  /** True where secret values are sealed, so that only their presence can be checked. @default false */
  readonly secretsSealed?: boolean;
  /** Where providers' credentials are looked for. @default - they are not */
  readonly surroundings?: Surroundings;
}

/** What the rules read, and where they put what they find. */
export interface Context extends CheckInput {
  readonly config: StackConfig;
  readonly problems: Problem[];
  /** What profiles know; a value for all agents reaches those that know it. */
  readonly variables: () => ReadonlySet<string>;
}
