/**
 * An instance in OVHcloud's Public Cloud, by its OpenStack API: OVH's own one takes either a cloud-init
 * document or security groups (docs/decisions/0011-ovh-by-openstack.md). The group is on the
 * instance from its first second, and has its rules by then.
 */
import { Instance } from "@pulumi/openstack/compute/instance";
import { getImageOutput } from "@pulumi/openstack/images/getImage";
import { SecGroup } from "@pulumi/openstack/networking/secGroup";
import { SecGroupRule } from "@pulumi/openstack/networking/secGroupRule";
import type * as pulumi from "@pulumi/pulumi";
import { rangeName } from "./cidr";
import { CloudHost, type CloudHostArgs } from "./vm";

export interface OvhHostArgs extends CloudHostArgs {
  readonly diskGib: number;
}

export class OvhHost extends CloudHost {
  constructor(name: string, args: OvhHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:OvhHost", name, args, options, ({ child, userData }) => {
      const { region } = args;
      // A new group lets everything out and nothing in.
      const firewall = new SecGroup(
        `${name}-firewall`,
        { region, description: `agent-fleet host ${name} of stack ${args.labels.stack}` },
        child,
      );
      const rules = args.inbound.flatMap((rule) =>
        [...rule.ipv4, ...rule.ipv6].map(
          (range) =>
            new SecGroupRule(
              `${name}-firewall-${rule.name}-${rangeName(range)}`,
              {
                region,
                securityGroupId: firewall.id,
                direction: "ingress",
                ethertype: range.includes(":") ? "IPv6" : "IPv4",
                protocol: "tcp",
                portRangeMin: rule.port,
                portRangeMax: rule.port,
                remoteIpPrefix: range,
                description: rule.name,
              },
              child,
            ),
        ),
      );
      const image = getImageOutput({ region, name: args.image, mostRecent: true }, child);
      const instance = new Instance(
        `${name}-instance`,
        {
          region,
          flavorName: args.size,
          blockDevices: [
            {
              sourceType: "image",
              uuid: image.id,
              destinationType: "volume",
              volumeSize: args.diskGib,
              volumeType: "high-speed",
              bootIndex: 0,
              deleteOnTermination: true,
            },
          ],
          // OVH's public network.
          networks: [{ name: "Ext-Net" }],
          securityGroups: [firewall.name],
          metadata: { ...args.labels },
          userData,
        },
        {
          ...child,
          protect: args.protect,
          // A larger disk would rebuild the VM too.
          ignoreChanges: ["blockDevices", "userData"],
          dependsOn: rules,
        },
      );
      return { server: instance, address: instance.accessIpV4, ready: [firewall, ...rules] };
    });
  }
}
