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

/** Seconds for one attempt to connect; a busy machine may need long to answer. */
const DIAL_SECONDS = 20;
/** Attempts before a step gives up; the first step of a host waits longer, see `HostSetup`. */
const DIAL_ATTEMPTS = 10;

/**
 * The connection as @pulumi/command takes it.
 * `dialErrorLimit` -1 means: try until the resource's own timeout ends it.
 */
export function connectionArgs(
  connection: Connection,
  dialErrorLimit: number = DIAL_ATTEMPTS,
): types.input.remote.ConnectionArgs {
  const { bastion, privateKey } = connection;
  const identity = privateKey === undefined ? {} : { privateKey: pulumi.secret(privateKey) };
  return {
    host: connection.address,
    port: connection.port,
    user: connection.user,
    hostKey: connection.hostKey,
    ...identity,
    dialErrorLimit,
    perDialTimeout: DIAL_SECONDS,
    ...(bastion === undefined
      ? {}
      : {
          proxy: {
            host: bastion.address,
            port: bastion.port,
            user: bastion.user,
            hostKey: bastion.hostKey,
            ...identity,
            dialErrorLimit,
            perDialTimeout: DIAL_SECONDS,
          },
        }),
  };
}
