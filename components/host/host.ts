/** The contract between a machine, however it came to be, and what is installed on it. */
import type * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../remote/step";

export interface Host extends Machine {
  /** Name in the stack file. */
  readonly name: string;
  /** What must be there before the first connection. @default - nothing, the machine exists */
  readonly ready: readonly pulumi.Resource[];
  /** Another text when the stack has started the machine anew: its agents are waited for. @default - the stack never does */
  readonly started?: string;
  /** Ranges from which the machine's own port forwards come, to be let in. @default - it has none */
  readonly forwardsFrom?: readonly string[];
  /**
   * Folders that its image has in it, where images may have some: such a host is asked for its first runtimes and
   * releases too. @default - images have none
   */
  readonly baked?: readonly string[];
  /** Base URL under which an agent's port is reached, without a trailing slash. */
  url(port: number): pulumi.Input<string>;
}

/** What every provider gets to know of its host. */
export interface HostArgs {
  /** Ports of the agents on this host. */
  readonly ports: readonly number[];
  readonly user: string;
}
