/** What the conformance suite expects of each provider. */
import type * as pulumi from "@pulumi/pulumi";
import type { CloudProvider } from "../../../components/host/offers";
import type { FleetOutputs } from "../../../stacks/outputs";

type Inputs = Readonly<Record<string, unknown>>;

export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Inputs;
}

export interface World {
  readonly registered: readonly Registered[];
  readonly options: ReadonlyMap<string, pulumi.CustomResourceOptions>;
  readonly find: (name: string) => Registered;
  readonly outputs: FleetOutputs;
}

export interface Expected {
  /** Name of the VM's resource. */
  readonly server: string;
  readonly firewalls: readonly string[];
  /** `type name < parent` of all that is the provider's. */
  readonly resources: readonly string[];
  /** Inputs by resource, secrets replaced. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** `port range` of everything that is open inbound. */
  readonly openings: (world: World) => string[];
  /** `reveal` unwraps a secret, and fails where there is none. */
  readonly userData: (inputs: Inputs, reveal: (value: unknown) => unknown) => unknown;
  readonly image: (inputs: Inputs) => unknown;
  /** Size, and the disk in GiB where it is not part of the size. */
  readonly sizeOf: (inputs: Inputs) => unknown[];
  readonly labels: (inputs: Inputs) => unknown;
  readonly labelsOfProdEu: unknown;
  readonly ignored: readonly string[];
  readonly shared: readonly string[];
  readonly recommended: readonly unknown[];
  readonly arm64: readonly unknown[];
  readonly debian12: string;
  readonly ownImage: string;
  /** A check of the VM's inputs, or why there is none. */
  readonly disk: string | ((inputs: Inputs) => boolean);
  readonly metadata: string | ((inputs: Inputs) => boolean);
  readonly rights: string | ((inputs: Inputs) => boolean);
}

const OFFICE = "198.51.100.0/24";
const KEY = "ssh-ed25519 AAAAoperator-key";
const LABELS = { project: "agent-fleet", stack: "test", host: "vm-1" };
const PROD_EU = { project: "agent-fleet", stack: "Prod.eu", host: "vm-1" };
/** Nothing else can be set there. */
const NO_RIGHTS = "has none";

const rulesOf = (inputs: Inputs, key: string) => inputs[key] as readonly Inputs[];
const texts = (value: unknown) => value as readonly string[];
const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown>)[key], value);

export const PROVIDERS: Readonly<Record<CloudProvider, Expected>> = {
  hcloud: {
    server: "vm-1-server",
    firewalls: ["vm-1-firewall"],
    resources: [
      "agent-fleet:host:HetznerHost vm-1 < stack",
      "hcloud:index/sshKey:SshKey operator-key-hcloud < stack",
      "hcloud:index/firewall:Firewall vm-1-firewall < vm-1",
      "hcloud:index/server:Server vm-1-server < vm-1",
    ],
    inputs: {
      "operator-key-hcloud": {
        publicKey: KEY,
        labels: { project: "agent-fleet", stack: "test" },
      },
      "vm-1-firewall": {
        labels: LABELS,
        rules: [
          {
            description: "ssh",
            direction: "in",
            protocol: "tcp",
            port: "22",
            sourceIps: [OFFICE],
          },
        ],
      },
      "vm-1-server": {
        serverType: "cpx32",
        image: "ubuntu-24.04",
        location: "fsn1",
        sshKeys: ["4711"],
        firewallIds: [4711],
        userData: "[secret]",
        labels: LABELS,
      },
    },
    openings: ({ find }) =>
      rulesOf(find("vm-1-firewall").inputs, "rules").flatMap(({ port, sourceIps }) =>
        texts(sourceIps).map((range) => `${String(port)} ${range}`),
      ),
    userData: ({ userData }, reveal) => reveal(userData),
    image: ({ image }) => image,
    sizeOf: ({ serverType }) => [serverType],
    labels: ({ labels }) => labels,
    labelsOfProdEu: PROD_EU,
    ignored: ["sshKeys", "image", "userData"],
    shared: ["operator-key-hcloud"],
    recommended: ["cpx62"],
    arm64: ["cax31"],
    debian12: "debian-12",
    ownImage: "rocky-9",
    disk: "no setting for it",
    metadata: "no setting for it",
    rights: NO_RIGHTS,
  },
  digitalocean: {
    server: "vm-1-droplet",
    firewalls: ["vm-1-firewall"],
    resources: [
      "agent-fleet:host:DigitalOceanHost vm-1 < stack",
      "digitalocean:index/sshKey:SshKey operator-key-digitalocean < stack",
      "digitalocean:index/tag:Tag vm-1-tag < vm-1",
      "digitalocean:index/firewall:Firewall vm-1-firewall < vm-1",
      "digitalocean:index/droplet:Droplet vm-1-droplet < vm-1",
    ],
    inputs: {
      "operator-key-digitalocean": { publicKey: KEY },
      "vm-1-tag": { name: "agent-fleet:test:vm-1" },
      "vm-1-firewall": {
        tags: ["agent-fleet:test:vm-1"],
        inboundRules: [{ protocol: "tcp", portRange: "22", sourceAddresses: [OFFICE] }],
        outboundRules: [
          {
            protocol: "tcp",
            portRange: "1-65535",
            destinationAddresses: ["0.0.0.0/0", "::/0"],
          },
          {
            protocol: "udp",
            portRange: "1-65535",
            destinationAddresses: ["0.0.0.0/0", "::/0"],
          },
          { protocol: "icmp", destinationAddresses: ["0.0.0.0/0", "::/0"] },
        ],
      },
      "vm-1-droplet": {
        size: "s-2vcpu-4gb-120gb-intel",
        image: "ubuntu-24-04-x64",
        region: "fra1",
        sshKeys: ["operator-key-digitalocean-id"],
        tags: ["agent-fleet:test:vm-1", "project:agent-fleet", "stack:test", "host:vm-1"],
        ipv6: true,
        dropletAgent: false,
        userData: "[secret]",
      },
    },
    openings: ({ find }) =>
      rulesOf(find("vm-1-firewall").inputs, "inboundRules").flatMap(
        ({ portRange, sourceAddresses }) =>
          texts(sourceAddresses).map((range) => `${String(portRange)} ${range}`),
      ),
    userData: ({ userData }, reveal) => reveal(userData),
    image: ({ image }) => image,
    sizeOf: ({ size }) => [size],
    labels: ({ tags }) => tags,
    labelsOfProdEu: [
      "agent-fleet:Prod-eu:vm-1",
      "project:agent-fleet",
      "stack:Prod-eu",
      "host:vm-1",
    ],
    ignored: ["sshKeys", "image", "userData"],
    shared: ["operator-key-digitalocean"],
    recommended: ["s-8vcpu-32gb-640gb-intel"],
    arm64: [],
    debian12: "debian-12-x64",
    ownImage: "rockylinux-9-x64",
    disk: "no setting for it",
    metadata: "no setting for it",
    rights: NO_RIGHTS,
  },
  aws: {
    server: "vm-1-instance",
    firewalls: ["vm-1-firewall"],
    resources: [
      "agent-fleet:host:AwsHost vm-1 < stack",
      "pulumi:providers:aws aws-eu-central-1 < stack",
      "aws:ec2/keyPair:KeyPair operator-key-aws-eu-central-1 < stack",
      "aws:ec2/securityGroup:SecurityGroup vm-1-firewall < vm-1",
      "aws:ec2/instance:Instance vm-1-instance < vm-1",
    ],
    inputs: {
      "operator-key-aws-eu-central-1": {
        publicKey: KEY,
        tags: { project: "agent-fleet", stack: "test" },
      },
      "vm-1-firewall": {
        description: "agent-fleet host vm-1",
        ingress: [
          {
            description: "ssh",
            protocol: "tcp",
            fromPort: 22,
            toPort: 22,
            cidrBlocks: [OFFICE],
            ipv6CidrBlocks: [],
          },
        ],
        egress: [
          {
            protocol: "-1",
            fromPort: 0,
            toPort: 0,
            cidrBlocks: ["0.0.0.0/0"],
            ipv6CidrBlocks: ["::/0"],
          },
        ],
        tags: { Name: "test-vm-1", ...LABELS },
      },
      "vm-1-instance": {
        ami: "ami-newest",
        instanceType: "t3.medium",
        keyName: "operator-key-aws-eu-central-1-name",
        vpcSecurityGroupIds: ["vm-1-firewall-id"],
        associatePublicIpAddress: true,
        metadataOptions: {
          httpEndpoint: "enabled",
          httpTokens: "required",
          httpPutResponseHopLimit: 1,
        },
        rootBlockDevice: {
          volumeType: "gp3",
          volumeSize: 100,
          encrypted: true,
          tags: { Name: "test-vm-1", ...LABELS },
        },
        userData: "[secret]",
        userDataReplaceOnChange: false,
        tags: { Name: "test-vm-1", ...LABELS },
      },
    },
    openings: ({ find }) =>
      rulesOf(find("vm-1-firewall").inputs, "ingress").flatMap(
        ({ fromPort, toPort, cidrBlocks, ipv6CidrBlocks }) =>
          [...texts(cidrBlocks), ...texts(ipv6CidrBlocks)].map(
            (range) => `${fromPort === toPort ? String(fromPort) : "several"} ${range}`,
          ),
      ),
    userData: ({ userData }, reveal) => reveal(userData),
    image: ({ ami }) => ami,
    sizeOf: ({ instanceType, rootBlockDevice }) => [
      instanceType,
      at(rootBlockDevice, "volumeSize"),
    ],
    labels: ({ tags }) => tags,
    labelsOfProdEu: { Name: "Prod.eu-vm-1", ...PROD_EU },
    ignored: ["keyName", "ami", "userData"],
    shared: ["aws-eu-central-1", "operator-key-aws-eu-central-1"],
    recommended: ["c6i.xlarge", 500],
    arm64: ["t4g.medium", 100],
    debian12: "ami-newest",
    ownImage: "ami-0123456789abcdef0",
    disk: ({ rootBlockDevice }) => at(rootBlockDevice, "encrypted") === true,
    metadata: ({ metadataOptions }) => at(metadataOptions, "httpTokens") === "required",
    rights: (inputs) => !("iamInstanceProfile" in inputs),
  },
  gcp: {
    server: "vm-1-instance",
    firewalls: ["vm-1-firewall-ssh"],
    resources: [
      "agent-fleet:host:GcpHost vm-1 < stack",
      "gcp:compute/network:Network gcp-network < stack",
      "gcp:compute/subnetwork:Subnetwork gcp-subnetwork-europe-west4 < stack",
      "gcp:compute/firewall:Firewall vm-1-firewall-ssh < vm-1",
      "gcp:compute/instance:Instance vm-1-instance < vm-1",
    ],
    inputs: {
      "gcp-network": { autoCreateSubnetworks: false },
      "gcp-subnetwork-europe-west4": {
        network: "gcp-network-id",
        region: "europe-west4",
        ipCidrRange: "10.64.0.0/20",
        stackType: "IPV4_ONLY",
      },
      "vm-1-firewall-ssh": {
        network: "gcp-network-id",
        direction: "INGRESS",
        allows: [{ protocol: "tcp", ports: ["22"] }],
        sourceRanges: [OFFICE],
        targetTags: ["test-vm-1"],
      },
      "vm-1-instance": {
        machineType: "e2-medium",
        zone: "europe-west4-a",
        bootDisk: {
          initializeParams: {
            image: "ubuntu-os-cloud/ubuntu-2404-lts-amd64",
            size: 100,
            type: "pd-balanced",
          },
        },
        networkInterfaces: [{ subnetwork: "gcp-subnetwork-europe-west4-id", accessConfigs: [{}] }],
        shieldedInstanceConfig: {
          enableSecureBoot: true,
          enableVtpm: true,
          enableIntegrityMonitoring: true,
        },
        metadata: {
          "block-project-ssh-keys": "true",
          "enable-oslogin": "false",
          "user-data": "[secret]",
        },
        tags: ["test-vm-1"],
        labels: LABELS,
        allowStoppingForUpdate: true,
      },
    },
    openings: ({ registered }) =>
      registered
        .filter(({ type }) => type === "gcp:compute/firewall:Firewall")
        .flatMap(({ inputs: { allows, sourceRanges } }) =>
          texts(sourceRanges).map((range) => `${texts(at(allows, 0, "ports")).join()} ${range}`),
        ),
    userData: ({ metadata }, reveal) => at(reveal(metadata), "user-data"),
    image: ({ bootDisk }) => at(bootDisk, "initializeParams", "image"),
    sizeOf: ({ machineType, bootDisk }) => [machineType, at(bootDisk, "initializeParams", "size")],
    labels: ({ labels }) => labels,
    labelsOfProdEu: { project: "agent-fleet", stack: "prod-eu", host: "vm-1" },
    ignored: ["bootDisk.initializeParams.image", 'metadata["user-data"]'],
    shared: ["gcp-network", "gcp-subnetwork-europe-west4"],
    recommended: ["e2-standard-4", 500],
    arm64: ["t2a-standard-2", 100],
    debian12: "",
    ownImage: "rocky-linux-cloud/rocky-linux-9",
    disk: "always, by the provider",
    metadata: "the Metadata-Flavor header is always asked for",
    rights: (inputs) => !("serviceAccount" in inputs),
  },
};
