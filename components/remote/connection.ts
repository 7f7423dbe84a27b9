/** How a host is reached over SSH. Every connection pins the ed25519 key of the machine at its end. */
import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

export interface Jump {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly hostKey: string;
}

export interface Connection {
  /** Host name or IP address; of a VM that a cloud makes it is known once the VM is there. */
  readonly address: pulumi.Input<string>;
  readonly port: number;
  readonly user: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: pulumi.Input<string>;
  /** The operator's private key. @default - the SSH agent at SSH_AUTH_SOCK */
  readonly privateKey?: pulumi.Input<string> | undefined;
  /** Jump host. @default - none */
  readonly bastion?: Jump | undefined;
}

/** Attempts before a step gives up, and seconds for each. */
interface Patience {
  readonly dialErrorLimit: number;
  readonly perDialTimeout: number;
}

/** A busy machine may need long to answer. */
const RUNNING: Patience = { dialErrorLimit: 10, perDialTimeout: 20 };
/**
 * A VM of the stack has been contacted once, but may have been restarted since. 5 minutes where each attempt
 * fails at once, as the plugin pauses 5 s between two, and 10 where nothing answers. Without a limit the
 * resource's own timeout would end it, and nobody be told what was in the way.
 */
export const BOOTING: Patience = { dialErrorLimit: 60, perDialTimeout: 5 };

/** The connection as @pulumi/command takes it. */
export function connectionArgs(
  connection: Connection,
  patience: Patience = RUNNING,
): types.input.remote.ConnectionArgs {
  const { bastion, privateKey } = connection;
  const identity = privateKey === undefined ? {} : { privateKey: pulumi.secret(privateKey) };
  return {
    host: connection.address,
    port: connection.port,
    user: connection.user,
    hostKey: connection.hostKey,
    ...identity,
    ...patience,
    ...(bastion === undefined
      ? {}
      : {
          proxy: {
            host: bastion.address,
            port: bastion.port,
            user: bastion.user,
            hostKey: bastion.hostKey,
            ...identity,
            ...patience,
          },
        }),
  };
}
