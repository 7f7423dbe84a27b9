/**
 * A Compute Engine instance: shielded, without a service account, in a network of the stack's own,
 * because Google's default network lets the whole internet at port 22.
 */
import { Firewall } from "@pulumi/gcp/compute/firewall";
import { Instance } from "@pulumi/gcp/compute/instance";
import { Network } from "@pulumi/gcp/compute/network";
import { Subnetwork } from "@pulumi/gcp/compute/subnetwork";
import type * as pulumi from "@pulumi/pulumi";
import { CloudHost, type CloudHostArgs } from "./vm";

export interface GcpHostArgs extends CloudHostArgs {
  readonly network: Network;
  readonly subnetwork: Subnetwork;
  readonly diskGib: number;
  /** False where the machine type cannot: Arm. */
  readonly secureBoot: boolean;
}

/** A network without any rule: what is not opened for a host is closed. */
export function gcpNetwork(name: string): Network {
  return new Network(name, { autoCreateSubnetworks: false });
}

/** IPv4 only: what has no IPv6 address needs no IPv6 rule. */
export function gcpSubnetwork(name: string, region: string, network: Network): Subnetwork {
  return new Subnetwork(name, {
    network: network.id,
    region,
    ipCidrRange: "10.64.0.0/20",
    stackType: "IPV4_ONLY",
  });
}

export class GcpHost extends CloudHost {
  constructor(name: string, args: GcpHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:GcpHost", name, args, options, ({ child, userData }) => {
      const tag = `${labelValue(args.labels.stack).slice(0, 31)}-${name}`;
      const firewalls = args.inbound
        .filter(({ ipv4 }) => ipv4.length > 0)
        .map(
          (rule) =>
            new Firewall(
              `${name}-firewall-${rule.name}`,
              {
                network: args.network.id,
                direction: "INGRESS",
                allows: [{ protocol: "tcp", ports: [String(rule.port)] }],
                sourceRanges: [...rule.ipv4],
                targetTags: [tag],
              },
              child,
            ),
        );
      const instance = new Instance(
        `${name}-instance`,
        {
          machineType: args.size,
          zone: args.region,
          bootDisk: {
            initializeParams: { image: args.image, size: args.diskGib, type: "pd-balanced" },
          },
          networkInterfaces: [{ subnetwork: args.subnetwork.id, accessConfigs: [{}] }],
          shieldedInstanceConfig: {
            enableSecureBoot: args.secureBoot,
            enableVtpm: true,
            enableIntegrityMonitoring: true,
          },
          metadata: {
            // Only the key in the cloud-init document lets in, none of the project's or of an account.
            "block-project-ssh-keys": "true",
            "enable-oslogin": "false",
            "user-data": userData,
          },
          tags: [tag],
          labels: Object.fromEntries(
            Object.entries(args.labels).map(([key, value]) => [key, labelValue(String(value))]),
          ),
          // A new size restarts the VM, and does not rebuild it.
          allowStoppingForUpdate: true,
        },
        {
          ...child,
          protect: args.protect,
          ignoreChanges: ["bootDisk.initializeParams.image", 'metadata["user-data"]'],
        },
      );
      const address = instance.networkInterfaces.apply(
        ([first]) => first?.accessConfigs?.[0]?.natIp ?? "",
      );
      return { server: instance, address, ready: firewalls };
    });
  }
}

/** Labels and tags hold small letters, digits and dashes. */
function labelValue(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-");
}
