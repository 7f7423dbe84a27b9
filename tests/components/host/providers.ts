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
  /** The resource that takes the cloud-init document. @default - the VM itself */
  readonly document?: { readonly name: string; readonly ignored: readonly string[] };
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
  readonly debian12: unknown;
  readonly ownImage: { readonly asked: string | number; readonly seen: unknown };
  /** A check, or why it is not so. */
  readonly closedAtBirth: string | ((world: World) => boolean);
  /** A network that exists, and what is seen of it; or why it cannot be given. */
  readonly network:
    | string
    | {
        readonly id: string;
        readonly used: (world: World) => unknown;
        readonly seen: unknown;
        /** What the stack then does not make. @default - it makes the same */
        readonly without?: readonly string[];
      };
  /** A check of the VM's inputs, or why there is none. */
  readonly disk: string | ((inputs: Inputs) => boolean);
  readonly metadata: string | ((inputs: Inputs) => boolean);
  readonly rights: string | ((inputs: Inputs) => boolean);
}

const OFFICE = "198.51.100.0/24";
const KEY = "ssh-ed25519 AAAAoperator-key";
const LABELS = { project: "agent-fleet", stack: "test", host: "vm-1" };
const PROD_EU = { project: "agent-fleet", stack: "Prod.eu", host: "vm-1" };
const TAGS = ["project:agent-fleet", "stack:test", "host:vm-1"];
const TAGS_PROD_EU = ["project:agent-fleet", "stack:Prod.eu", "host:vm-1"];
const AZURE_PLACE = { resourceGroupName: "group", location: "westeurope", tags: LABELS };
const AZURE_SUBNET =
  "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/hosts";
/** Nothing else can be set there. */
const NO_RIGHTS = "has none";

/** Resources that the VM waits for. */
const waitsFor = ({ options }: World, server: string) =>
  ([] as unknown[])
    .concat(options.get(server)?.dependsOn ?? [])
    .map((each) => (each as { __name: string }).__name);

/** Text in base64; what is none comes out as nonsense. */
export const decoded = (value: unknown) => Buffer.from(String(value), "base64").toString();

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
    ownImage: { asked: "rocky-9", seen: "rocky-9" },
    closedAtBirth: ({ find }) => at(find("vm-1-server").inputs, "firewallIds", 0) === 4711,
    network: "cannot be given",
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
    ownImage: { asked: "rockylinux-9-x64", seen: "rockylinux-9-x64" },
    closedAtBirth: (world) => waitsFor(world, "vm-1-droplet").includes("vm-1-firewall"),
    network: {
      id: "0a1b2c3d-0123-4567-89ab-0123456789ab",
      used: ({ find }) => find("vm-1-droplet").inputs["vpcUuid"],
      seen: "0a1b2c3d-0123-4567-89ab-0123456789ab",
    },
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
    ownImage: { asked: "ami-0123456789abcdef0", seen: "ami-0123456789abcdef0" },
    closedAtBirth: ({ find }) =>
      at(find("vm-1-instance").inputs, "vpcSecurityGroupIds", 0) === "vm-1-firewall-id",
    network: {
      id: "subnet-0123456789abcdef0",
      used: ({ find }) => [
        find("vm-1-instance").inputs["subnetId"],
        find("vm-1-firewall").inputs["vpcId"],
      ],
      seen: ["subnet-0123456789abcdef0", "vpc-of-subnet"],
    },
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
    ownImage: { asked: "rocky-linux-cloud/rocky-linux-9", seen: "rocky-linux-cloud/rocky-linux-9" },
    // A network without rules lets nothing in.
    closedAtBirth: ({ find }) =>
      at(find("vm-1-instance").inputs, "networkInterfaces", 0, "subnetwork") ===
      "gcp-subnetwork-europe-west4-id",
    network: "cannot be given",
    disk: "always, by the provider",
    metadata: "the Metadata-Flavor header is always asked for",
    rights: (inputs) => !("serviceAccount" in inputs),
  },
  azure: {
    server: "vm-1-vm",
    firewalls: ["vm-1-firewall", "vm-1-nic"],
    resources: [
      "agent-fleet:host:AzureHost vm-1 < stack",
      "azure-native:resources:ResourceGroup azure-group-westeurope < stack",
      "azure-native:network:VirtualNetwork azure-network-westeurope < stack",
      "azure-native:network:NetworkSecurityGroup vm-1-firewall < vm-1",
      "azure-native:network:PublicIPAddress vm-1-address < vm-1",
      "azure-native:network:NetworkInterface vm-1-nic < vm-1",
      "azure-native:compute:VirtualMachine vm-1-vm < vm-1",
    ],
    inputs: {
      "azure-group-westeurope": {
        location: "westeurope",
        tags: { project: "agent-fleet", stack: "test" },
      },
      "azure-network-westeurope": {
        resourceGroupName: "group",
        location: "westeurope",
        addressSpace: { addressPrefixes: ["10.64.0.0/20"] },
        subnets: [{ name: "hosts", addressPrefix: "10.64.0.0/20" }],
        // The SDK's own defaults.
        enableDdosProtection: false,
        enableVmProtection: false,
        tags: { project: "agent-fleet", stack: "test" },
      },
      "vm-1-firewall": {
        ...AZURE_PLACE,
        securityRules: [
          {
            name: "ssh",
            priority: 100,
            direction: "Inbound",
            access: "Allow",
            protocol: "Tcp",
            sourceAddressPrefixes: [OFFICE],
            sourcePortRange: "*",
            destinationAddressPrefix: "*",
            destinationPortRange: "22",
          },
          {
            name: "nothing-else",
            priority: 4096,
            direction: "Inbound",
            access: "Deny",
            protocol: "*",
            sourceAddressPrefix: "*",
            sourcePortRange: "*",
            destinationAddressPrefix: "*",
            destinationPortRange: "*",
          },
        ],
      },
      "vm-1-address": {
        ...AZURE_PLACE,
        sku: { name: "Standard" },
        publicIPAllocationMethod: "Static",
        publicIPAddressVersion: "IPv4",
      },
      "vm-1-nic": {
        ...AZURE_PLACE,
        networkSecurityGroup: { id: "vm-1-firewall-id" },
        ipConfigurations: [
          {
            name: "primary",
            subnet: { id: "subnet-id" },
            publicIPAddress: { id: "vm-1-address-id" },
            privateIPAllocationMethod: "Dynamic",
          },
        ],
      },
      "vm-1-vm": {
        ...AZURE_PLACE,
        hardwareProfile: { vmSize: "Standard_B2ls_v2" },
        networkProfile: { networkInterfaces: [{ id: "vm-1-nic-id", primary: true }] },
        securityProfile: {
          securityType: "TrustedLaunch",
          uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
        },
        storageProfile: {
          imageReference: {
            publisher: "Canonical",
            offer: "ubuntu-24_04-lts",
            sku: "server",
            version: "latest",
          },
          osDisk: {
            createOption: "FromImage",
            deleteOption: "Delete",
            diskSizeGB: 100,
            managedDisk: { storageAccountType: "StandardSSD_LRS" },
          },
        },
        osProfile: {
          computerName: "vm-1",
          adminUsername: "fleet",
          allowExtensionOperations: false,
          customData: "[secret]",
          linuxConfiguration: {
            disablePasswordAuthentication: true,
            ssh: { publicKeys: [{ path: "/home/fleet/.ssh/authorized_keys", keyData: KEY }] },
          },
        },
      },
    },
    openings: ({ find }) =>
      rulesOf(find("vm-1-firewall").inputs, "securityRules")
        .filter(({ access }) => access === "Allow")
        .flatMap(({ destinationPortRange, sourceAddressPrefixes }) =>
          texts(sourceAddressPrefixes).map((range) => `${String(destinationPortRange)} ${range}`),
        ),
    userData: ({ osProfile }, reveal) => decoded(at(reveal(osProfile), "customData")),
    image: ({ storageProfile }) => at(storageProfile, "imageReference"),
    sizeOf: ({ hardwareProfile, storageProfile }) => [
      at(hardwareProfile, "vmSize"),
      at(storageProfile, "osDisk", "diskSizeGB"),
    ],
    labels: ({ tags }) => tags,
    labelsOfProdEu: PROD_EU,
    ignored: [
      "osProfile.customData",
      "osProfile.linuxConfiguration.ssh",
      "storageProfile.imageReference",
    ],
    shared: ["azure-group-westeurope", "azure-network-westeurope"],
    recommended: ["Standard_B4ls_v2", 500],
    arm64: ["Standard_B2pls_v2", 100],
    debian12: { publisher: "Debian", offer: "debian-12", sku: "12-gen2", version: "latest" },
    ownImage: {
      asked: "almalinux:almalinux-x86_64:9-gen2:latest",
      seen: {
        publisher: "almalinux",
        offer: "almalinux-x86_64",
        sku: "9-gen2",
        version: "latest",
      },
    },
    closedAtBirth: ({ find }) =>
      at(find("vm-1-nic").inputs, "networkSecurityGroup", "id") === "vm-1-firewall-id",
    network: {
      id: AZURE_SUBNET,
      used: ({ find }) => at(find("vm-1-nic").inputs, "ipConfigurations", 0, "subnet", "id"),
      seen: AZURE_SUBNET,
      without: ["azure-network-westeurope"],
    },
    disk: "always, by the provider",
    metadata: "the Metadata header is always asked for",
    rights: (inputs) => !("identity" in inputs),
  },
  linode: {
    server: "vm-1-instance",
    firewalls: ["vm-1-firewall"],
    resources: [
      "agent-fleet:host:LinodeHost vm-1 < stack",
      "linode:index/firewall:Firewall vm-1-firewall < vm-1",
      "linode:index/instance:Instance vm-1-instance < vm-1",
    ],
    inputs: {
      "vm-1-firewall": {
        label: "vm-1-test",
        tags: TAGS,
        inboundPolicy: "DROP",
        inbounds: [
          {
            label: "ssh",
            action: "ACCEPT",
            protocol: "TCP",
            ports: "22",
            ipv4s: [OFFICE],
            ipv6s: [],
          },
        ],
        outboundPolicy: "ACCEPT",
      },
      "vm-1-instance": {
        label: "vm-1-test",
        tags: TAGS,
        type: "g6-standard-4",
        image: "linode/ubuntu24.04",
        region: "nl-ams",
        firewallId: 4711,
        diskEncryption: "enabled",
        authorizedKeys: [KEY],
        metadatas: [{ userData: "[secret]" }],
      },
    },
    openings: ({ find }) =>
      rulesOf(find("vm-1-firewall").inputs, "inbounds").flatMap(({ ports, ipv4s, ipv6s }) =>
        [...texts(ipv4s), ...texts(ipv6s)].map((range) => `${String(ports)} ${range}`),
      ),
    userData: ({ metadatas }, reveal) => decoded(at(reveal(metadatas), 0, "userData")),
    image: ({ image }) => image,
    sizeOf: ({ type }) => [type],
    labels: ({ tags }) => tags,
    labelsOfProdEu: TAGS_PROD_EU,
    ignored: ["authorizedKeys", "image", "metadatas"],
    shared: [],
    recommended: ["g6-standard-8"],
    arm64: [],
    debian12: "linode/debian12",
    ownImage: { asked: "linode/rocky9", seen: "linode/rocky9" },
    closedAtBirth: ({ find }) => find("vm-1-instance").inputs["firewallId"] === 4711,
    network: "cannot be given",
    disk: ({ diskEncryption }) => diskEncryption === "enabled",
    metadata: "a token is always asked for",
    rights: NO_RIGHTS,
  },
  vultr: {
    server: "vm-1-instance",
    firewalls: ["vm-1-firewall", "vm-1-firewall-ssh-198.51.100.0-24"],
    resources: [
      "agent-fleet:host:VultrHost vm-1 < stack",
      "vultr:index/sSHKey:SSHKey operator-key-vultr < stack",
      "vultr:index/firewallGroup:FirewallGroup vm-1-firewall < vm-1",
      "vultr:index/firewallRule:FirewallRule vm-1-firewall-ssh-198.51.100.0-24 < vm-1",
      "vultr:index/instance:Instance vm-1-instance < vm-1",
    ],
    inputs: {
      "operator-key-vultr": { sshKey: KEY },
      "vm-1-firewall": { description: "agent-fleet test-vm-1" },
      "vm-1-firewall-ssh-198.51.100.0-24": {
        firewallGroupId: "vm-1-firewall-id",
        protocol: "tcp",
        port: "22",
        ipType: "v4",
        subnet: "198.51.100.0",
        subnetSize: 24,
        notes: "ssh",
      },
      "vm-1-instance": {
        label: "test-vm-1",
        hostname: "vm-1",
        tags: TAGS,
        plan: "vhp-2c-4gb-amd",
        region: "fra",
        osId: 2284,
        sshKeyIds: ["operator-key-vultr-id"],
        firewallGroupId: "vm-1-firewall-id",
        enableIpv6: true,
        activationEmail: false,
        userData: "[secret]",
      },
    },
    openings: ({ registered }) =>
      registered
        .filter(({ type }) => type === "vultr:index/firewallRule:FirewallRule")
        .map(({ inputs }) => {
          const { port, ipType, subnet, subnetSize } = inputs;
          const family = String(subnet).includes(":") ? "v6" : "v4";
          const range = `${String(subnet)}/${String(subnetSize)}`;
          return `${String(port)} ${ipType === family ? range : "another family"}`;
        }),
    userData: ({ userData }, reveal) => reveal(userData),
    image: ({ osId, snapshotId }) => osId ?? snapshotId,
    sizeOf: ({ plan }) => [plan],
    labels: ({ tags }) => tags,
    labelsOfProdEu: TAGS_PROD_EU,
    ignored: ["sshKeyIds", "osId", "snapshotId", "userData"],
    shared: ["operator-key-vultr"],
    recommended: ["vhp-12c-24gb-amd"],
    arm64: [],
    debian12: 2136,
    ownImage: {
      asked: "0a1b2c3d-0123-4567-89ab-0123456789ab",
      seen: "0a1b2c3d-0123-4567-89ab-0123456789ab",
    },
    closedAtBirth: (world) =>
      world.find("vm-1-instance").inputs["firewallGroupId"] === "vm-1-firewall-id" &&
      waitsFor(world, "vm-1-instance").includes("vm-1-firewall-ssh-198.51.100.0-24"),
    network: "cannot be given",
    disk: "no setting for it",
    metadata: "no setting for it",
    rights: NO_RIGHTS,
  },
  ovh: {
    server: "vm-1-instance",
    firewalls: ["vm-1-firewall", "vm-1-firewall-ssh-198.51.100.0-24"],
    resources: [
      "agent-fleet:host:OvhHost vm-1 < stack",
      "openstack:networking/secGroup:SecGroup vm-1-firewall < vm-1",
      "openstack:networking/secGroupRule:SecGroupRule vm-1-firewall-ssh-198.51.100.0-24 < vm-1",
      "openstack:compute/instance:Instance vm-1-instance < vm-1",
    ],
    inputs: {
      "vm-1-firewall": {
        region: "GRA11",
        description: "agent-fleet host vm-1 of stack test",
      },
      "vm-1-firewall-ssh-198.51.100.0-24": {
        region: "GRA11",
        securityGroupId: "vm-1-firewall-id",
        direction: "ingress",
        ethertype: "IPv4",
        protocol: "tcp",
        portRangeMin: 22,
        portRangeMax: 22,
        remoteIpPrefix: OFFICE,
        description: "ssh",
      },
      "vm-1-instance": {
        region: "GRA11",
        flavorName: "b3-8",
        blockDevices: [
          {
            sourceType: "image",
            uuid: "image-newest",
            destinationType: "volume",
            volumeSize: 100,
            volumeType: "high-speed",
            bootIndex: 0,
            deleteOnTermination: true,
          },
        ],
        networks: [{ name: "Ext-Net" }],
        securityGroups: ["group"],
        metadata: LABELS,
        userData: "[secret]",
      },
    },
    openings: ({ registered }) =>
      registered
        .filter(({ type }) => type === "openstack:networking/secGroupRule:SecGroupRule")
        .map(({ inputs: { portRangeMin, portRangeMax, ethertype, remoteIpPrefix } }) => {
          const family = String(remoteIpPrefix).includes(":") ? "IPv6" : "IPv4";
          const port = portRangeMin === portRangeMax ? String(portRangeMin) : "several";
          return `${port} ${ethertype === family ? String(remoteIpPrefix) : "another family"}`;
        }),
    userData: ({ userData }, reveal) => reveal(userData),
    image: ({ blockDevices }) => at(blockDevices, 0, "uuid"),
    sizeOf: ({ flavorName, blockDevices }) => [flavorName, at(blockDevices, 0, "volumeSize")],
    labels: ({ metadata }) => metadata,
    labelsOfProdEu: PROD_EU,
    ignored: ["blockDevices", "userData"],
    shared: [],
    recommended: ["b3-16", 500],
    arm64: [],
    debian12: "image-newest",
    ownImage: { asked: "Rocky Linux 9", seen: "image-newest" },
    closedAtBirth: (world) =>
      at(world.find("vm-1-instance").inputs, "securityGroups", 0) === "group" &&
      waitsFor(world, "vm-1-instance").includes("vm-1-firewall-ssh-198.51.100.0-24"),
    network: "cannot be given",
    disk: "no setting for it",
    metadata: "no setting for it",
    rights: NO_RIGHTS,
  },
  proxmox: {
    server: "vm-1-vm",
    firewalls: ["vm-1-firewall-rules", "vm-1-firewall"],
    resources: [
      "agent-fleet:host:ProxmoxHost vm-1 < stack",
      "proxmoxve:index/fileLegacy:FileLegacy vm-1-cloud-init < vm-1",
      "proxmoxve:index/vmLegacy:VmLegacy vm-1-vm < vm-1",
      "proxmoxve:firewall/rulesLegacy:RulesLegacy vm-1-firewall-rules < vm-1",
      "proxmoxve:firewall/optionsLegacy:OptionsLegacy vm-1-firewall < vm-1",
    ],
    inputs: {
      "vm-1-cloud-init": {
        nodeName: "pve",
        datastoreId: "local",
        contentType: "snippets",
        sourceRaw: { data: "[secret]", fileName: "agent-fleet-test-vm-1.yaml" },
      },
      "vm-1-vm": {
        nodeName: "pve",
        migrate: true,
        name: "vm-1",
        description: "agent-fleet host vm-1 of stack test",
        tags: ["host-vm-1", "project-agent-fleet", "stack-test"],
        clone: { vmId: 9000, full: true, datastoreId: "local-lvm" },
        agent: { enabled: true, timeout: "120s", waitForIp: { ipv4: true } },
        cpu: { cores: 2, type: "x86-64-v2-AES" },
        memory: { dedicated: 4096 },
        disks: [{ interface: "scsi0", datastoreId: "local-lvm", size: 100 }],
        networkDevices: [{ bridge: "vmbr0", firewall: true }],
        initialization: {
          datastoreId: "local-lvm",
          userDataFileId: "vm-1-cloud-init-id",
          ipConfigs: [{ ipv4: { address: "dhcp" } }],
        },
        stopOnDestroy: true,
      },
      "vm-1-firewall-rules": {
        nodeName: "pve",
        vmId: 123,
        rules: [
          {
            type: "in",
            action: "ACCEPT",
            proto: "tcp",
            dport: "22",
            source: OFFICE,
            comment: "ssh",
          },
        ],
      },
      "vm-1-firewall": {
        nodeName: "pve",
        vmId: 123,
        enabled: true,
        inputPolicy: "DROP",
        outputPolicy: "ACCEPT",
        dhcp: true,
        ndp: true,
      },
    },
    openings: ({ find }) =>
      rulesOf(find("vm-1-firewall-rules").inputs, "rules").flatMap(({ dport, source }) =>
        String(source)
          .split(",")
          .map((range) => `${String(dport)} ${range}`),
      ),
    document: { name: "vm-1-cloud-init", ignored: ["sourceRaw"] },
    userData: ({ sourceRaw }, reveal) => at(reveal(sourceRaw), "data"),
    image: ({ clone }) => at(clone, "vmId"),
    sizeOf: ({ cpu, memory, disks }) => [
      at(cpu, "cores"),
      at(memory, "dedicated"),
      at(disks, 0, "size"),
    ],
    labels: ({ tags }) => tags,
    labelsOfProdEu: ["host-vm-1", "project-agent-fleet", "stack-prod.eu"],
    ignored: ["clone", "initialization"],
    shared: [],
    recommended: [4, 8192, 500],
    arm64: [],
    debian12: "",
    ownImage: { asked: 9001, seen: 9001 },
    closedAtBirth: "closed once it is made, before the first connection",
    network: {
      id: "vmbr7",
      used: ({ find }) => at(find("vm-1-vm").inputs, "networkDevices", 0, "bridge"),
      seen: "vmbr7",
    },
    disk: "no setting for it",
    metadata: "has none",
    rights: NO_RIGHTS,
  },
};
