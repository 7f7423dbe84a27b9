/** The contract between a machine, however it came to be, and what is installed on it. */
import type * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../remote/connection";

export interface Host {
  /** Name in the stack file. */
  readonly name: string;
  readonly connection: Connection;
  /** Identity of the machine: another one means that everything is installed again. */
  readonly machine: pulumi.Input<string>;
  /** What must be there before the first connection. @default - nothing, the machine exists */
  readonly ready: readonly pulumi.Resource[];
  /** The machine's own resource where the stack owns it: nothing needs uninstalling once it is deleted. */
  readonly ownedBy: pulumi.Resource | undefined;
  /** Base URL under which an agent's port is reached, without a trailing slash. */
  url(port: number): pulumi.Input<string>;
}

/** What every provider gets to know of its host. */
export interface HostArgs {
  /** Ports of the agents on this host. */
  readonly ports: readonly number[];
  readonly user: string;
}
