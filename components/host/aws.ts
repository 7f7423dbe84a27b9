/** An EC2 instance, in the default VPC of its region or a subnet that exists: encrypted disk, IMDSv2 only, no role. */
import { getAmiOutput } from "@pulumi/aws/ec2/getAmi";
import { getSubnetOutput } from "@pulumi/aws/ec2/getSubnet";
import { Instance } from "@pulumi/aws/ec2/instance";
import { KeyPair as AwsKeyPair } from "@pulumi/aws/ec2/keyPair";
import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import { Provider } from "@pulumi/aws/provider";
import * as pulumi from "@pulumi/pulumi";
import type { KeyPair } from "./identity";
import { CloudHost, type CloudHostArgs, type Labels } from "./vm";

export interface AwsHostArgs extends CloudHostArgs {
  readonly provider: Provider;
  readonly key: AwsKeyPair;
  readonly diskGib: number;
  /** Id of the subnet. @default - one of the region's default VPC */
  readonly network: string | undefined;
}

/** `pulumi config` of the provider itself, keys without `aws:`. */
export type AwsConfig = Readonly<
  Partial<Record<"profile" | "accessKey" | "secretKey" | "token", pulumi.Input<string>>> & {
    skipMetadataApiCheck?: boolean;
  }
>;

/** One provider a region, so that a region is a host's own business and needs no setting elsewhere. */
export function awsProvider(name: string, region: string, config: AwsConfig): Provider {
  const { secretKey, token, ...plain } = config;
  return new Provider(name, {
    region,
    ...plain,
    ...(secretKey === undefined ? {} : { secretKey: pulumi.secret(secretKey) }),
    ...(token === undefined ? {} : { token: pulumi.secret(token) }),
  });
}

/** The operator's key in one region, for all hosts of the stack there. */
export function awsKey(
  name: string,
  operatorKey: KeyPair,
  labels: Omit<Labels, "host">,
  provider: Provider,
): AwsKeyPair {
  return new AwsKeyPair(
    name,
    { publicKey: operatorKey.publicKey, tags: { ...labels } },
    { provider },
  );
}

export class AwsHost extends CloudHost {
  constructor(name: string, args: AwsHostArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:host:AwsHost", name, args, options, ({ child: { parent }, userData }) => {
      const child = { parent, provider: args.provider };
      const tags = { Name: `${args.labels.stack}-${name}`, ...args.labels };
      const firewall = new SecurityGroup(
        `${name}-firewall`,
        {
          description: `agent-fleet host ${name}`,
          ...(args.network === undefined
            ? {}
            : { vpcId: getSubnetOutput({ id: args.network }, child).vpcId }),
          ingress: args.inbound.map((rule) => ({
            description: rule.name,
            protocol: "tcp",
            fromPort: rule.port,
            toPort: rule.port,
            cidrBlocks: [...rule.ipv4],
            ipv6CidrBlocks: [...rule.ipv6],
          })),
          egress: [
            {
              protocol: "-1",
              fromPort: 0,
              toPort: 0,
              cidrBlocks: ["0.0.0.0/0"],
              ipv6CidrBlocks: ["::/0"],
            },
          ],
          tags,
        },
        child,
      );
      const instance = new Instance(
        `${name}-instance`,
        {
          ami: imageId(args.image, child),
          instanceType: args.size,
          keyName: args.key.keyName,
          ...(args.network === undefined ? {} : { subnetId: args.network }),
          vpcSecurityGroupIds: [firewall.id],
          associatePublicIpAddress: true,
          // A hop limit of 1 keeps containers on the host away from its metadata.
          metadataOptions: {
            httpEndpoint: "enabled",
            httpTokens: "required",
            httpPutResponseHopLimit: 1,
          },
          rootBlockDevice: {
            volumeType: "gp3",
            volumeSize: args.diskGib,
            encrypted: true,
            tags,
          },
          userData,
          userDataReplaceOnChange: false,
          tags,
        },
        {
          ...child,
          protect: args.protect,
          ignoreChanges: ["keyName", "ami", "userData"],
        },
      );
      return { server: instance, address: instance.publicIp, ready: [firewall] };
    });
  }
}

/** `ami-…` as it is; else the newest of `<owner>/<name pattern>`. */
function imageId(
  image: string,
  { parent, provider }: { parent: pulumi.Resource; provider: Provider },
) {
  if (image.startsWith("ami-")) {
    return image;
  }
  const [owner = "", ...pattern] = image.split("/");
  return getAmiOutput(
    {
      owners: [owner],
      mostRecent: true,
      filters: [{ name: "name", values: [pattern.join("/")] }],
    },
    { parent, provider },
  ).id;
}
