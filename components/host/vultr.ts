/** An instance at Vultr. It is born in a firewall group that has its rules already. */
import { FirewallGroup } from "@ediri/vultr/firewallGroup";
import { FirewallRule } from "@ediri/vultr/firewallRule";
import { Instance } from "@ediri/vultr/instance";
import { SSHKey } from "@ediri/vultr/sshkey";
import type * as pulumi from "@pulumi/pulumi";
import { rangeName } from "./cidr";
import type { KeyPair } from "./identity";
import { CloudHost, tagList, type CloudHostArgs } from "./vm";

export interface VultrHostArgs extends CloudHostArgs {
  readonly key: SSHKey;
}

/** The operator's key at Vultr, for all hosts of a stack. */
export function vultrKey(name: string, operatorKey: KeyPair): SSHKey {
  return new SSHKey(name, { sshKey: operatorKey.publicKey });
}

export class VultrHost extends CloudHost {
  constructor(name: string, args: VultrHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:VultrHost", name, args, options, ({ child, userData }) => {
      const label = `${args.labels.stack}-${name}`;
      const firewall = new FirewallGroup(
        `${name}-firewall`,
        { description: `agent-fleet ${label}` },
        child,
      );
      const rules = args.inbound.flatMap((rule) =>
        [...rule.ipv4, ...rule.ipv6].map((range) => {
          const [subnet = "", size] = range.split("/");
          return new FirewallRule(
            `${name}-firewall-${rule.name}-${rangeName(range)}`,
            {
              firewallGroupId: firewall.id,
              protocol: "tcp",
              port: String(rule.port),
              ipType: range.includes(":") ? "v6" : "v4",
              subnet,
              subnetSize: Number(size),
              notes: rule.name,
            },
            child,
          );
        }),
      );
      const instance = new Instance(
        `${name}-instance`,
        {
          label,
          hostname: name,
          tags: tagList(args.labels),
          plan: args.size,
          region: args.region,
          ...source(args.image),
          sshKeyIds: [args.key.id],
          firewallGroupId: firewall.id,
          enableIpv6: true,
          activationEmail: false,
          userData,
        },
        {
          ...child,
          protect: args.protect,
          // Another operating system would be installed over what is there.
          ignoreChanges: ["sshKeyIds", "osId", "snapshotId", "userData"],
          // A group without rules may let everything in.
          dependsOn: rules,
        },
      );
      return { server: instance, address: instance.mainIp, ready: [firewall, ...rules] };
    });
  }
}

/** An operating system's number, or a snapshot's id. */
function source(image: string) {
  return /^[0-9]+$/.test(image) ? { osId: Number(image) } : { snapshotId: image };
}
