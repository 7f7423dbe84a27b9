/**
 * A machine that exists already: bare metal or any VM. Nothing is made and nothing is deleted here;
 * its identity is its ed25519 host key, so a re-installed machine counts as a new one.
 */
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { Connection, Jump } from "../remote/connection";
import type { Host, HostArgs } from "./host";

export interface SshHostArgs extends HostArgs {
  /** Host name or IP address. */
  readonly address: string;
  /** SSH port. */
  readonly port: number;
  /** `ssh-ed25519 AAAA…` of the machine. */
  readonly hostKey: string;
  /** The operator's private key. @default - the SSH agent at SSH_AUTH_SOCK */
  readonly privateKey?: pulumi.Input<string> | undefined;
  /** Jump host. @default - none */
  readonly bastion?: Jump | undefined;
}

export class SshHost extends pulumi.ComponentResource implements Host {
  readonly name: string;
  readonly connection: Connection;
  readonly machine: string;
  readonly ready: readonly pulumi.Resource[] = [];
  readonly ownedBy = undefined;
  readonly #address: string;

  constructor(name: string, args: SshHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:SshHost", name, {}, options);
    this.name = name;
    this.connection = {
      address: args.address,
      port: args.port,
      user: args.user,
      hostKey: args.hostKey,
      privateKey: args.privateKey,
      bastion: args.bastion,
    };
    this.#address = args.address;
    this.machine = createHash("sha256").update(args.hostKey).digest("hex").slice(0, 12);
    this.registerOutputs({});
  }

  url(port: number): string {
    const literal = this.#address.includes(":") ? `[${this.#address}]` : this.#address;
    return `http://${literal}:${String(port)}`;
  }
}
