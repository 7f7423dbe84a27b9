/**
 * A droplet at DigitalOcean. Its firewall goes by a tag of its own: the droplet is born with the tag,
 * so that no moment passes without the firewall.
 */
import * as digitalocean from "@pulumi/digitalocean";
import type * as pulumi from "@pulumi/pulumi";
import type { KeyPair } from "./identity";
import { sources } from "./inbound";
import { CloudHost, tagList, type CloudHostArgs, type Labels } from "./vm";

export interface DigitalOceanHostArgs extends CloudHostArgs {
  readonly key: digitalocean.SshKey;
  /** Id of the VPC. @default - the region's own */
  readonly network: string | undefined;
}

/** Every port; a firewall without outbound rules would close all of them. */
const OUTBOUND = ["tcp", "udp", "icmp"].map((protocol) => ({
  protocol,
  ...(protocol === "icmp" ? {} : { portRange: "1-65535" }),
  destinationAddresses: ["0.0.0.0/0", "::/0"],
}));

/**
 * The operator's key at DigitalOcean, where a droplet without one gets a password by mail. One for all
 * hosts of a stack: DigitalOcean refuses the same key a second time in an account.
 */
export function digitalOceanKey(name: string, operatorKey: KeyPair): digitalocean.SshKey {
  return new digitalocean.SshKey(name, { publicKey: operatorKey.publicKey });
}

export class DigitalOceanHost extends CloudHost {
  constructor(name: string, args: DigitalOceanHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:DigitalOceanHost", name, args, options, ({ child, userData }) => {
      const tag = new digitalocean.Tag(`${name}-tag`, { name: ownTag(args.labels) }, child);
      const firewall = new digitalocean.Firewall(
        `${name}-firewall`,
        {
          tags: [tag.name],
          inboundRules: args.inbound.map((rule) => ({
            protocol: "tcp",
            portRange: String(rule.port),
            sourceAddresses: sources(rule),
          })),
          outboundRules: OUTBOUND,
        },
        child,
      );
      const droplet = new digitalocean.Droplet(
        `${name}-droplet`,
        {
          size: args.size,
          image: args.image,
          region: args.region,
          ...(args.network === undefined ? {} : { vpcUuid: args.network }),
          sshKeys: [args.key.id],
          tags: [tag.name, ...tagList(args.labels).map(tagText)],
          ipv6: true,
          // Opens the web console by a way in of DigitalOcean's own.
          dropletAgent: false,
          userData,
        },
        {
          ...child,
          protect: args.protect,
          ignoreChanges: ["sshKeys", "image", "userData"],
          dependsOn: [firewall],
        },
      );
      return { server: droplet, address: droplet.ipv4Address, ready: [firewall] };
    });
  }
}

function ownTag({ project, stack, host }: Labels): string {
  return tagText(`${project}:${stack}:${host}`);
}

/** Tags hold letters, digits, colons, dashes and underscores. */
function tagText(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9:_-]/g, "-");
}
