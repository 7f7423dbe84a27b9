/** A Linode. The firewall is on it from its first second. */
import { Firewall } from "@pulumi/linode/firewall";
import { Instance } from "@pulumi/linode/instance";
import type * as pulumi from "@pulumi/pulumi";
import { base64, CloudHost, tagList, type CloudHostArgs, type Labels } from "./vm";

export class LinodeHost extends CloudHost {
  constructor(name: string, args: CloudHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:LinodeHost", name, args, options, ({ child, userData }) => {
      const label = ownLabel(args.labels);
      const tags = tagList(args.labels).map((tag) => tag.slice(0, 50));
      const firewall = new Firewall(
        `${name}-firewall`,
        {
          label,
          tags,
          inboundPolicy: "DROP",
          inbounds: args.inbound.map((rule) => ({
            label: rule.name,
            action: "ACCEPT",
            protocol: "TCP",
            ports: String(rule.port),
            ipv4s: [...rule.ipv4],
            ipv6s: [...rule.ipv6],
          })),
          outboundPolicy: "ACCEPT",
        },
        child,
      );
      const instance = new Instance(
        `${name}-instance`,
        {
          label,
          tags,
          type: args.size,
          image: args.image,
          region: args.region,
          // Ids are texts everywhere else, and numbers here.
          firewallId: firewall.id.apply(Number),
          diskEncryption: "enabled",
          // Without a key Linode wants a password for root.
          authorizedKeys: [args.operatorKey.publicKey],
          metadatas: [{ userData: base64(userData) }],
        },
        {
          ...child,
          protect: args.protect,
          ignoreChanges: ["authorizedKeys", "image", "metadatas"],
        },
      );
      const address = instance.ipv4s.apply((addresses) => publicAddress(addresses));
      return { server: instance, address, ready: [firewall] };
    });
  }
}

/** At most 32 letters, digits, dashes, dots and underscores, no two marks in a row; unique in an account. */
function ownLabel({ stack, host }: Labels): string {
  return `${host}-${stack}`
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .slice(0, 32)
    .replace(/-$/, "");
}

/** Where private networking is on, one of the addresses is in 192.168.128.0/17. */
function publicAddress(addresses: readonly string[]): string {
  return addresses.find((address) => !address.startsWith("192.168.")) ?? "";
}
