/** A server at Hetzner Cloud. The firewall is on it from its first second. */
import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";
import type { KeyPair } from "./identity";
import { sources } from "./inbound";
import { CloudHost, type CloudHostArgs } from "./vm";

export interface HetznerHostArgs extends CloudHostArgs {
  readonly key: hcloud.SshKey;
}

/**
 * The operator's key at Hetzner, where a server without one gets a password by mail. One for all
 * hosts of a stack: Hetzner refuses the same key a second time in a project.
 */
export function hetznerKey(
  name: string,
  operatorKey: KeyPair,
  labels: Readonly<Record<string, string>>,
): hcloud.SshKey {
  return new hcloud.SshKey(name, { publicKey: operatorKey.publicKey, labels });
}

export class HetznerHost extends CloudHost {
  constructor(name: string, args: HetznerHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:HetznerHost", name, args, options, ({ child, userData }) => {
      const labels = { ...args.labels };
      const firewall = new hcloud.Firewall(
        `${name}-firewall`,
        {
          labels,
          rules: args.inbound.map((rule) => ({
            description: rule.name,
            direction: "in",
            protocol: "tcp",
            port: String(rule.port),
            sourceIps: sources(rule),
          })),
        },
        child,
      );
      const server = new hcloud.Server(
        `${name}-server`,
        {
          serverType: args.size,
          image: args.image,
          location: args.region,
          sshKeys: [args.key.id],
          // Ids are texts everywhere else, and numbers here.
          firewallIds: [firewall.id.apply(Number)],
          userData,
          labels,
        },
        {
          ...child,
          protect: args.protect,
          ignoreChanges: ["sshKeys", "image", "userData"],
        },
      );
      return { server, address: server.ipv4Address, ready: [firewall] };
    });
  }
}
