/** What each cloud calls the sizes, images and regions that a stack may ask for. */

export type CloudProvider =
  "hcloud" | "digitalocean" | "aws" | "gcp" | "azure" | "linode" | "vultr" | "ovh" | "proxmox";
export type Arch = "amd64" | "arm64";

export const IMAGES = ["ubuntu-24.04", "ubuntu-22.04", "debian-12"] as const;
export type ImageName = (typeof IMAGES)[number];

/** Names per architecture. @default - the provider has none */
type PerArch = Readonly<Partial<Record<Arch, string>>>;

export interface Offer {
  /** The provider as a person knows it. */
  readonly title: string;
  readonly sizes: Readonly<Record<"minimum" | "recommended", PerArch>>;
  /** The provider's own size names. */
  readonly ownSize: RegExp;
  readonly ownSizeText: string;
  /** The architecture that a size of the provider's own name has. */
  readonly archOf: (size: string) => Arch;
  readonly images: Readonly<Record<ImageName, PerArch>>;
  /** Why an image is not there. @default - all are */
  readonly noImage?: string;
  readonly ownImage: RegExp;
  readonly ownImageText: string;
  readonly defaultRegion: string;
  /** All regions, where there are few. @default - `ownRegion` alone decides */
  readonly regions?: readonly string[];
  readonly ownRegion: RegExp;
  readonly ownRegionText: string;
  /** Who logs in by default. */
  readonly user: string;
  /** Whether the provider makes no such account, whatever the image. @default - it makes every account */
  readonly refusesUser?: (user: string) => boolean;
  /** A network that exists, by its id, for the VM to be in. @default - cannot be given */
  readonly network?: { readonly pattern: RegExp; readonly text: string };
}

/** Sizes of machines that have none of their own: vCPUs, memory and disk. */
export const PLAIN_SIZE = /^[1-9][0-9]?cpu-[1-9][0-9]{0,2}gb-[1-9][0-9]{0,3}gb$/;
export const PLAIN_SIZE_TEXT = "<vCPUs>cpu-<memory>gb-<disk>gb such as 2cpu-1gb-10gb";

export interface MachineSize {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
}

/** `2cpu-4gb-100gb` in numbers. */
export function plainSize(size: string): MachineSize {
  const [cpus = 2, memoryGb = 4, diskGiB = 100] = (size.match(/\d+/g) ?? []).map(Number);
  return { cpus, memoryMiB: memoryGb * 1024, diskGiB };
}

const both = (name: string): PerArch => ({ amd64: name, arm64: name });

/** Owners and names of the images that Canonical and Debian publish on AWS. */
const canonical = (path: string) => (arch: Arch) =>
  `099720109477/ubuntu/images/${path}-${arch}-server-*`;
const ubuntu2404 = canonical("hvm-ssd-gp3/ubuntu-noble-24.04");
const ubuntu2204 = canonical("hvm-ssd/ubuntu-jammy-22.04");
const debian12 = (arch: Arch) => `136693071363/debian-12-${arch}-*`;
const perArch = (name: (arch: Arch) => string): PerArch => ({
  amd64: name("amd64"),
  arm64: name("arm64"),
});

export const OFFERS: Readonly<Record<CloudProvider, Offer>> = {
  hcloud: {
    title: "Hetzner Cloud",
    // The disk comes with the type, so that the disk decides: cpx32 has 4 vCPU, 8 GB, 160 GB and cax31
    // 8, 16, 160 (docs.cnap.tech/compute/providers/hetzner, 2026). cpx62 (16, 32, 640) is from the
    // line's announcement of 2025 and was not looked up. No Arm type has 500 GB.
    sizes: {
      minimum: { amd64: "cpx32", arm64: "cax31" },
      recommended: { amd64: "cpx62" },
    },
    ownSize: /^(cx|cpx|ccx|cax)[0-9]{2}$/,
    ownSizeText: "a server type such as cpx32",
    archOf: (size) => (size.startsWith("cax") ? "arm64" : "amd64"),
    images: {
      "ubuntu-24.04": both("ubuntu-24.04"),
      "ubuntu-22.04": both("ubuntu-22.04"),
      "debian-12": both("debian-12"),
    },
    ownImage: /^([a-z]+(-[a-z]+)*-[0-9]+(\.[0-9]+)?|[0-9]+)$/,
    ownImageText: "an image's name such as rocky-9, or a snapshot's number",
    defaultRegion: "fsn1",
    regions: ["fsn1", "nbg1", "hel1", "ash", "hil", "sin"],
    ownRegion: /^[a-z]{3}[0-9]?$/,
    ownRegionText: "a location",
    user: "root",
  },
  digitalocean: {
    title: "DigitalOcean",
    // The slugs name vCPUs, memory and disk; all are in @pulumi/digitalocean's DropletSlug.
    sizes: {
      minimum: { amd64: "s-2vcpu-4gb-120gb-intel" },
      recommended: { amd64: "s-8vcpu-32gb-640gb-intel" },
    },
    ownSize: /^[a-z]+[0-9_]*-[a-z0-9-]*[0-9]+gb[a-z0-9-]*$|^c[0-9]?-[0-9]+[a-z0-9-]*$/,
    ownSizeText: "a droplet size such as s-4vcpu-8gb",
    archOf: () => "amd64",
    images: {
      "ubuntu-24.04": { amd64: "ubuntu-24-04-x64" },
      "ubuntu-22.04": { amd64: "ubuntu-22-04-x64" },
      "debian-12": { amd64: "debian-12-x64" },
    },
    ownImage: /^([a-z]+(-[a-z0-9]+)*-x64|[0-9]+)$/,
    ownImageText: "an image's slug such as rockylinux-9-x64, or a snapshot's number",
    defaultRegion: "fra1",
    regions: ["nyc1", "nyc2", "nyc3", "sfo2", "sfo3", "tor1", "atl1"].concat([
      "ams3",
      "fra1",
      "lon1",
      "sgp1",
      "blr1",
      "syd1",
    ]),
    ownRegion: /^[a-z]{3}[0-9]$/,
    ownRegionText: "a region",
    user: "root",
    network: {
      pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      text: "a VPC's id, such as 0a1b2c3d-0123-4567-89ab-0123456789ab",
    },
  },
  aws: {
    title: "AWS EC2",
    // t3.medium and t4g.medium have 2 vCPU and 4 GiB, c6i.xlarge and c7g.xlarge 4 and 8
    // (docs.aws.amazon.com/ec2/latest/instancetypes); the disk is a volume of its own.
    sizes: {
      minimum: { amd64: "t3.medium", arm64: "t4g.medium" },
      recommended: { amd64: "c6i.xlarge", arm64: "c7g.xlarge" },
    },
    ownSize:
      /^[a-z]+[0-9]+[a-z0-9-]*\.(nano|micro|small|medium|large|metal|[0-9]*xlarge|metal-[0-9]+xl)$/,
    ownSizeText: "an instance type such as t3.medium",
    // Graviton families have a g right after their generation: t4g, c7gn, m6gd.
    archOf: (size) => (/^(a1|[a-z]+[0-9]+g)/.test(size) ? "arm64" : "amd64"),
    images: {
      "ubuntu-24.04": perArch(ubuntu2404),
      "ubuntu-22.04": perArch(ubuntu2204),
      "debian-12": perArch(debian12),
    },
    ownImage: /^ami-[0-9a-f]{8,17}$/,
    ownImageText: "an id such as ami-0123456789abcdef0",
    defaultRegion: "eu-central-1",
    ownRegion: /^[a-z]{2}(-[a-z]+)+-[0-9]$/,
    ownRegionText: "a region such as eu-central-1",
    user: "root",
    network: {
      pattern: /^subnet-[0-9a-f]{8,17}$/,
      text: "a subnet's id such as subnet-0123456789abcdef0",
    },
  },
  gcp: {
    title: "Google Cloud",
    // e2-medium has 2 vCPU and 4 GB, e2-standard-4 4 and 16, t2a-standard-2 and -4 2 and 8, 4 and 16
    // (cloud.google.com/compute/docs/general-purpose-machines); the disk is a volume of its own.
    sizes: {
      minimum: { amd64: "e2-medium", arm64: "t2a-standard-2" },
      recommended: { amd64: "e2-standard-4", arm64: "t2a-standard-4" },
    },
    ownSize: /^[a-z][0-9]+[a-z]?-[a-z]+[a-z0-9-]*$/,
    ownSizeText: "a machine type such as e2-medium",
    archOf: (size) => (/^(t2a|c4a|n4a)-/.test(size) ? "arm64" : "amd64"),
    images: {
      "ubuntu-24.04": {
        amd64: "ubuntu-os-cloud/ubuntu-2404-lts-amd64",
        arm64: "ubuntu-os-cloud/ubuntu-2404-lts-arm64",
      },
      "ubuntu-22.04": {
        amd64: "ubuntu-os-cloud/ubuntu-2204-lts",
        arm64: "ubuntu-os-cloud/ubuntu-2204-lts-arm64",
      },
      "debian-12": {},
    },
    noImage: "Google's Debian images have no cloud-init, which plants the host key",
    ownImage: /^(projects\/)?[a-z][a-z0-9-]+\/[a-z0-9/-]+$/,
    ownImageText: "<project>/<family or image> such as ubuntu-os-cloud/ubuntu-2404-lts-amd64",
    defaultRegion: "europe-west4-a",
    ownRegion: /^[a-z]+-[a-z]+[0-9]+-[a-z]$/,
    ownRegionText: "a zone such as europe-west4-a",
    // Google's images do not let root log in.
    user: "fleet",
  },
  azure: {
    title: "Azure",
    // B2ls_v2 and B2pls_v2 have 2 vCPU and 4 GB, B4ls_v2 and B4pls_v2 4 and 8
    // (aspire.dev, Aspire.Hosting.Azure.Kubernetes.AksNodeVmSizes); the disk is its own. The images'
    // names are from memory.
    sizes: {
      minimum: { amd64: "Standard_B2ls_v2", arm64: "Standard_B2pls_v2" },
      recommended: { amd64: "Standard_B4ls_v2", arm64: "Standard_B4pls_v2" },
    },
    ownSize: /^Standard_[A-Z]+[0-9]+(-[0-9]+)?[a-z]*(_[A-Za-z0-9]+)*$/,
    ownSizeText: "a VM size such as Standard_B2ls_v2",
    // A p after the number of vCPUs is Arm: B2pls_v2, D4pds_v6.
    archOf: (size) => (/^Standard_[A-Z]+[0-9]+(-[0-9]+)?[a-z]*p/.test(size) ? "arm64" : "amd64"),
    images: {
      "ubuntu-24.04": {
        amd64: "Canonical:ubuntu-24_04-lts:server:latest",
        arm64: "Canonical:ubuntu-24_04-lts:server-arm64:latest",
      },
      "ubuntu-22.04": {
        amd64: "Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest",
        arm64: "Canonical:0001-com-ubuntu-server-jammy:22_04-lts-arm64:latest",
      },
      "debian-12": {
        amd64: "Debian:debian-12:12-gen2:latest",
        arm64: "Debian:debian-12:12-arm64:latest",
      },
    },
    ownImage:
      /^[\w.-]+:[\w.-]+:[\w.-]+:[\w.-]+$|^\/subscriptions\/.+\/images\/[^/]+(\/versions\/[^/]+)?$/,
    ownImageText: "<publisher>:<offer>:<sku>:<version>, or the id of an image of your own",
    defaultRegion: "westeurope",
    ownRegion: /^[a-z]+[0-9]?$/,
    ownRegionText: "a location such as westeurope",
    // Azure makes no account of these names.
    user: "fleet",
    refusesUser: (user) =>
      ["root", "admin", "administrator", "guest", "user", "test"].includes(user),
    network: {
      pattern:
        /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/virtualNetworks\/[^/]+\/subnets\/[^/]+$/i,
      text: "a subnet's id, /subscriptions/…/virtualNetworks/…/subnets/…",
    },
  },
  linode: {
    title: "Linode",
    // The disk comes with the type: g6-standard-2 has 80 GB, g6-standard-4 4 vCPU, 8 GB, 160 GB. From
    // memory: g6-standard-8 with 8, 32, 640, and the images' names but for Ubuntu's.
    sizes: { minimum: { amd64: "g6-standard-4" }, recommended: { amd64: "g6-standard-8" } },
    ownSize: /^g[0-9]+-[a-z]+[a-z0-9-]*-[0-9]+$/,
    ownSizeText: "a type such as g6-standard-4",
    archOf: () => "amd64",
    images: {
      "ubuntu-24.04": { amd64: "linode/ubuntu24.04" },
      "ubuntu-22.04": { amd64: "linode/ubuntu22.04" },
      "debian-12": { amd64: "linode/debian12" },
    },
    ownImage: /^(linode\/[a-z0-9.-]+|private\/[0-9]+)$/,
    ownImageText: "an image's name such as linode/rocky9, or private/<number>",
    // From memory: it has the metadata service, which hands out the cloud-init document.
    defaultRegion: "nl-ams",
    ownRegion: /^[a-z]{2}-[a-z]+(-[0-9]+)?$/,
    ownRegionText: "a region such as nl-ams",
    user: "root",
  },
  vultr: {
    title: "Vultr",
    // vhp-2c-4gb-amd has 2 vCPU, 4 GB, 100 GB, vhp-12c-24gb-amd 12, 24, 500 (a listing of Vultr's
    // GET /v2/plans of December 2025). Of the operating systems' numbers 2136 is from memory.
    sizes: { minimum: { amd64: "vhp-2c-4gb-amd" }, recommended: { amd64: "vhp-12c-24gb-amd" } },
    ownSize: /^v[a-z0-9]+-([a-z]-)?[0-9]+c-[0-9.]+gb[a-z0-9-]*$/,
    ownSizeText: "a plan such as vc2-4c-8gb",
    archOf: () => "amd64",
    images: {
      "ubuntu-24.04": { amd64: "2284" },
      "ubuntu-22.04": { amd64: "1743" },
      "debian-12": { amd64: "2136" },
    },
    ownImage: /^([0-9]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    ownImageText: "an operating system's number, or a snapshot's id",
    defaultRegion: "fra",
    ownRegion: /^[a-z]{3}$/,
    ownRegionText: "a region such as fra",
    user: "root",
  },
  ovh: {
    title: "OVHcloud Public Cloud",
    // From memory: b3-8 has 2 vCPU and 8 GB, b3-16 4 and 16, and what images and regions are called.
    // The disk is a volume of its own.
    sizes: { minimum: { amd64: "b3-8" }, recommended: { amd64: "b3-16" } },
    ownSize: /^[a-z][a-z0-9]*-[0-9]+[a-z0-9-]*$/,
    ownSizeText: "a flavor such as b3-8",
    archOf: () => "amd64",
    images: {
      "ubuntu-24.04": { amd64: "Ubuntu 24.04" },
      "ubuntu-22.04": { amd64: "Ubuntu 22.04" },
      "debian-12": { amd64: "Debian 12" },
    },
    ownImage: /^[A-Z][A-Za-z0-9 ._-]+$/,
    ownImageText: 'an image\'s name such as "Rocky Linux 9"',
    defaultRegion: "GRA11",
    ownRegion: /^[A-Z]{2,}[0-9]*(-[A-Z0-9]+)*$/,
    ownRegionText: "a region such as GRA11",
    user: "root",
  },
  proxmox: {
    title: "Proxmox VE",
    sizes: {
      minimum: { amd64: "2cpu-4gb-100gb" },
      recommended: { amd64: "4cpu-8gb-500gb" },
    },
    ownSize: PLAIN_SIZE,
    ownSizeText: PLAIN_SIZE_TEXT,
    archOf: () => "amd64",
    // What is on the disk is the template's business.
    images: { "ubuntu-24.04": {}, "ubuntu-22.04": {}, "debian-12": {} },
    ownImage: /^[1-9][0-9]{2,8}$/,
    ownImageText: "a template's number",
    defaultRegion: "pve",
    ownRegion: /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/,
    ownRegionText: "a node's name such as pve",
    user: "root",
    network: { pattern: /^[A-Za-z][A-Za-z0-9_.-]{0,14}$/, text: "a bridge such as vmbr0" },
  },
};
