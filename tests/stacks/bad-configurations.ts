/** Configurations that must be refused: what is wrong, and the line that says so. */

export interface BadConfiguration {
  readonly fault: string;
  /** Keys under `agent-fleet:`; merged over a good configuration, `undefined` removes one. */
  readonly change: Readonly<Record<string, unknown>>;
  /** Lines of the error, without the indentation; exactly these. */
  readonly lines: readonly string[];
}

const local = (agents: unknown, more: object = {}) => ({
  hosts: { "vm-1": { provider: "local", agents, ...more } },
});
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKmqtPDBv0Ht5TdsjIcYzrfVnrrQS2jvv6P9o5vPXsAF";
const ssh = (more: object) => ({
  hosts: {
    office: { provider: "ssh", address: "203.0.113.7", hostKey: KEY, agents: { a: {} }, ...more },
  },
});

const cloud = (provider: string, more: object = {}, ssh?: object) => ({
  hosts: { "vm-1": { provider, agents: { a: {} }, ...more } },
  ...(ssh === undefined ? {} : { ssh }),
});

const ID = "0123456789abcdef".repeat(2);
const CLOUDFLARE = { accountId: ID, zoneId: ID, domain: "example.com" };

const LAN = { allowFrom: ["192.168.1.0/24"] };

export const BAD_CONFIGURATIONS: readonly BadConfiguration[] = [
  {
    fault: "no hosts",
    change: { hosts: undefined },
    lines: [
      "hosts: got nothing, expected hosts, such as { vm-1: { provider: local, agents: { agent-vm-1: {} } } }",
    ],
  },
  {
    fault: "hosts without a host",
    change: { hosts: {} },
    lines: [
      "hosts: got {}, expected hosts, such as { vm-1: { provider: local, agents: { agent-vm-1: {} } } }",
    ],
  },
  {
    fault: "a misspelt key at the top",
    change: { keepRelease: 3 },
    lines: ['keepRelease: unknown key; did you mean "keepReleases"? Correct or remove it'],
  },
  {
    fault: "a misspelt key of a host",
    change: local({ a: {} }, { imgae: "debian-12" }),
    lines: ['hosts.vm-1.imgae: unknown key; did you mean "image"? Correct or remove it'],
  },
  {
    fault: "an image of a local VM that is neither a name nor a file",
    change: local({ a: {} }, { image: "debian-14" }),
    lines: [
      'hosts.vm-1.image: got "debian-14", expected debian-11, debian-12, debian-13 or the agent-rootfs.ext4 of ./fleet image build',
    ],
  },
  {
    fault: "a misspelt key of an agent",
    change: local({ a: { prot: 8787 } }),
    lines: ['hosts.vm-1.agents.a.prot: unknown key; did you mean "port"? Correct or remove it'],
  },
  {
    fault: "an unknown provider",
    change: { hosts: { "vm-1": { provider: "locl", agents: { a: {} } } } },
    lines: [
      'hosts.vm-1.provider: got "locl", expected one of local, ssh, hcloud, digitalocean, aws, gcp, azure, linode, vultr, ovh, proxmox; did you mean "local"?',
    ],
  },
  {
    fault: "two agents with one port on one VM",
    change: local({ a: {}, b: {} }),
    lines: ["hosts.vm-1.agents.b.port: 8787 is taken by a on this host; give each agent its own"],
  },
  {
    fault: "two agents with one name in the fleet",
    change: {
      hosts: {
        "vm-1": { provider: "local", agents: { a: {} } },
        "vm-2": { provider: "local", agents: { a: {} } },
      },
    },
    lines: [
      "hosts.vm-2.agents.a: the name a is taken by an agent on vm-1; give each agent of the fleet its own",
    ],
  },
  {
    fault: "a port below 1024",
    change: local({ a: { port: 80 } }),
    lines: ["hosts.vm-1.agents.a.port: got 80, expected a port between 1024 and 65535"],
  },
  {
    fault: "a port that is no number",
    change: local({ a: { port: "http" } }),
    lines: ['hosts.vm-1.agents.a.port: got "http", expected a port between 1024 and 65535'],
  },
  {
    fault: "an agent's name that systemd, DNS and the file system would not share",
    change: local({ Agent_1: {} }),
    lines: [
      'hosts.vm-1.agents.Agent_1: got the name "Agent_1", expected a name of small letters, digits and dashes that starts with a letter, at most 31 long',
    ],
  },
  {
    fault: "a line break in an env value",
    change: { defaults: { source: "examples/compute-agent", env: { R2_BUCKET: "a\nb" } } },
    lines: [
      'defaults.env.R2_BUCKET: got "a\\nb", expected a value without line breaks; remove the line break (often one at the end)',
    ],
  },
  {
    fault: "a token with white space around it",
    change: { secrets: { WORKER_CLUSTER_TOKEN: "token ", CALLBACK_SIGNING_SECRET: "s" } },
    lines: [
      "secrets.WORKER_CLUSTER_TOKEN: got a value (not shown) with white space around it, expected none; set it again: pulumi config set --secret --path 'agent-fleet:secrets.WORKER_CLUSTER_TOKEN'",
    ],
  },
  {
    fault: "a token with a line break at its end",
    change: { secrets: { WORKER_CLUSTER_TOKEN: "token\n", CALLBACK_SIGNING_SECRET: "s" } },
    lines: [
      "secrets.WORKER_CLUSTER_TOKEN: got a value (not shown), expected a value without line breaks; remove the line break (often one at the end); set it again: pulumi config set --secret --path 'agent-fleet:secrets.WORKER_CLUSTER_TOKEN'",
    ],
  },
  {
    fault: "a missing secret",
    change: { secrets: { WORKER_CLUSTER_TOKEN: "t" } },
    lines: [
      "secrets.CALLBACK_SIGNING_SECRET: got nothing, expected a value (Key that signs the agent's callbacks to the control plane); ./fleet init test makes one, or set it: pulumi config set --secret --path 'agent-fleet:secrets.CALLBACK_SIGNING_SECRET'",
    ],
  },
  {
    fault: "a secret as plain text in env",
    change: {
      defaults: { source: "examples/compute-agent", env: { R2_SECRET_ACCESS_KEY: "hunter2" } },
    },
    lines: [
      "defaults.env.R2_SECRET_ACCESS_KEY: is a secret and must not stand in the file as plain text; remove it, change its value, and run: pulumi config set --secret --path 'agent-fleet:secrets.R2_SECRET_ACCESS_KEY'",
    ],
  },
  {
    fault: "secrets for an agent that does not exist",
    change: { agentSecrets: { "agent-1": { R2_ACCESS_KEY_ID: "x" } } },
    lines: [
      'agentSecrets.agent-1: no agent has this name; did you mean "agent-a"?; correct or remove it',
    ],
  },
  {
    fault: "a trailing slash in a URL",
    change: {
      defaults: {
        source: "examples/compute-agent",
        env: { R2_ENDPOINT: "https://r2.example.com/" },
      },
    },
    lines: [
      'defaults.env.R2_ENDPOINT: got "https://r2.example.com/", expected a URL without a trailing slash; remove the slash',
    ],
  },
  {
    fault: "the port set as an env variable",
    change: local({ a: { env: { PORT: 9000 } } }),
    lines: ["hosts.vm-1.agents.a.env.PORT: is set by port; remove it here"],
  },
  {
    fault: "a source that does not exist",
    change: { defaults: { source: "examples/nothing" } },
    lines: [
      'defaults.source: got "examples/nothing", which is not a folder here; give the folder of the agent\'s code',
    ],
  },
  {
    fault: "a source without its entry point",
    change: { defaults: { source: "docs" } },
    lines: [
      'defaults.source: got "docs", which has no src/index.ts; profile tseeder starts that file, give its folder',
    ],
  },
  {
    fault: "a package without its form",
    change: { defaults: { source: "opencode-ai@1.18.33" } },
    lines: [
      'defaults.source: got "opencode-ai@1.18.33", which is not a folder here; write npm:opencode-ai@1.18.33 for the package',
    ],
  },
  {
    fault: "a branch in place of a commit, with a password in the address",
    change: local({ a: { source: "git+https://me:canary@git.example/r#main" } }),
    lines: [
      'hosts.vm-1.agents.a.source: got "git+https://…@git.example/r#main", which has a password or a token in it; remove it, and let git\'s own credential helper keep it',
    ],
  },
  {
    fault: "a tarball without its hash",
    change: { defaults: { source: "https://files.example/agent.tgz" } },
    lines: [
      'defaults.source: got "https://files.example/agent.tgz", expected the file\'s SHA-256, 64 digits 0-9 and a-f: https://files.example/agent.tgz#sha256=<hex>; sha256sum tells it of a file that you trust',
    ],
  },
  {
    fault: "no source",
    change: { defaults: {} },
    lines: ["defaults.source: got nothing, expected the folder of the agent's code; add it"],
  },
  {
    fault: "an unknown profile",
    change: { defaults: { source: "examples/compute-agent", profile: "tsedeer" } },
    lines: [
      'defaults.profile: got "tsedeer", expected one of limahost, opencode, proxmox-agent, techulus, tseeder or a file; did you mean "tseeder"?',
    ],
  },
  {
    fault: "an exposure that the configuration cannot deliver",
    change: local({ a: {} }, { exposure: "tunnel" }),
    lines: [
      'hosts.vm-1.exposure: got "tunnel", which needs a Cloudflare account and zone; add agent-fleet:cloudflare with accountId, zoneId and domain, or write private',
    ],
  },
  {
    fault: "a way from Cloudflare to a VM that it cannot reach",
    change: local({ a: {} }, { exposure: "cloudflare" }),
    lines: [
      'hosts.vm-1.exposure: got "cloudflare", but Cloudflare cannot reach a VM on this machine; write tunnel or private',
    ],
  },
  {
    fault: "an exposure whose ports nothing would close",
    change: ssh({ exposure: "cloudflare", hostFirewall: false }),
    lines: [
      "hosts.office.hostFirewall: got false, but with exposure cloudflare nothing else closes the agents' ports of a machine that exists; remove the key, or write exposure: private",
    ],
  },
  {
    fault: "ids and a domain that Cloudflare cannot have",
    change: {
      ...local({ a: {} }),
      cloudflare: { accountId: "me@example.com", zoneId: ID.toUpperCase(), domain: "example" },
    },
    lines: [
      `cloudflare.accountId: got "me@example.com", expected the account's id, 32 digits 0-9 and a-f; the dashboard's address has it, dash.cloudflare.com/<id>`,
      `cloudflare.zoneId: got "${ID.toUpperCase()}", expected the zone's id, 32 digits 0-9 and a-f; the zone's overview in the dashboard has it`,
      'cloudflare.domain: got "example", expected a domain in small letters such as example.com',
    ],
  },
  {
    fault: "an account without its zone",
    change: { ...local({ a: {} }), cloudflare: { accountId: ID, domain: "example.com" } },
    lines: [
      "cloudflare.zoneId: got nothing, expected the zone's id, 32 digits 0-9 and a-f; the zone's overview in the dashboard has it",
    ],
  },
  {
    fault: "an agent on the port of the tunnel beside it",
    change: { ...local({ a: { port: 20250 } }), cloudflare: CLOUDFLARE },
    lines: ["hosts.vm-1.agents.a.port: 20250 is taken by the tunnel on this host; give another"],
  },
  {
    fault: "Cloudflare Access where no hostname leads",
    change: {
      ...local({ a: {} }, { exposure: "private" }),
      cloudflare: { ...CLOUDFLARE, access: true },
    },
    lines: [
      "cloudflare.access: got true, but it guards the hostnames of tunnels alone and no host has one; write exposure: tunnel on a host, or remove it",
    ],
  },
  {
    fault: "an exposure that there is not",
    change: cloud("hcloud", { exposure: "public" }),
    lines: ['hosts.vm-1.exposure: got "public", expected one of private, tunnel, cloudflare'],
  },
  {
    fault: "a way in for nobody",
    change: cloud("hcloud", { privateFrom: [] }),
    lines: ["hosts.vm-1.privateFrom: got [], expected at least one range such as 198.51.100.0/24"],
  },
  {
    fault: "a size that nobody offers",
    change: local({ a: {} }, { size: "huge" }),
    lines: [
      'hosts.vm-1.size: got "huge", expected minimum, recommended, or <vCPUs>cpu-<memory>gb-<disk>gb such as 2cpu-1gb-10gb',
    ],
  },
  {
    fault: "a memory limit without a unit that systemd knows",
    change: local({ a: { limits: { memory: "2 GB" } } }),
    lines: ['hosts.vm-1.agents.a.limits.memory: got "2 GB", expected a size such as 512M or 2G'],
  },
  {
    fault: "an existing machine without a pinned host key",
    change: ssh({ hostKey: undefined }),
    lines: [
      "hosts.office.hostKey: got nothing, expected an ed25519 public key, like ssh-ed25519 AAAA…",
    ],
  },
  {
    fault: "an RSA host key as the pin",
    change: ssh({ hostKey: "ssh-rsa AAAAB3NzaC1yc2E=" }),
    lines: [
      'hosts.office.hostKey: got "ssh-rsa AAAAB3NzaC1yc2E=", expected an ed25519 public key, like ssh-ed25519 AAAA…',
    ],
  },
  {
    fault: "a jump host without a pinned host key",
    change: ssh({ ssh: { bastion: "jump.example.com" } }),
    lines: [
      "hosts.office.ssh.bastionHostKey: got nothing, expected the ed25519 host key of jump.example.com, as every SSH connection is pinned; ./fleet scan shows it, confirm it on the machine",
    ],
  },
  {
    fault: "a misspelt key of the rollout",
    change: { rollout: { canry: 1 } },
    lines: ['rollout.canry: unknown key; did you mean "canary"? Correct or remove it'],
  },
  {
    fault: "a batch that is neither a number nor a share",
    change: { rollout: { batch: "a quarter" } },
    lines: [
      'rollout.batch: got "a quarter", expected a number of agents, or a share of the fleet from 1% to 100%',
    ],
  },
  {
    fault: "a batch of nobody",
    change: { rollout: { batch: 0 } },
    lines: [
      "rollout.batch: got 0, expected a number of agents, or a share of the fleet from 1% to 100%",
    ],
  },
  {
    fault: "a batch above the whole fleet",
    change: { rollout: { batch: "150%" } },
    lines: [
      'rollout.batch: got "150%", expected a number of agents, or a share of the fleet from 1% to 100%',
    ],
  },
  {
    fault: "a pause of days",
    change: { rollout: { pauseSeconds: 100000 } },
    lines: ["rollout.pauseSeconds: got 100000, expected seconds between 0 and 3600"],
  },
  {
    fault: "a canary as a flag",
    change: { rollout: { canary: true } },
    lines: ["rollout.canary: got true, expected a number of agents between 0 and 1000"],
  },
  {
    fault: "protection of a machine that the stack does not own",
    change: ssh({ protect: true }),
    lines: [
      "hosts.office.protect: a machine that exists already is never deleted or replaced by this stack; remove the key",
    ],
  },
  {
    fault: "several faults in one file",
    change: {
      hosts: {
        "vm-1": { provider: "local", agents: { a: { port: 80 }, b: {}, c: {} } },
        "vm-2": { provider: "sssh", agents: {} },
      },
      defaults: { source: "examples/nothing" },
      secrets: { WORKER_CLUSTER_TOKEN: "t" },
      keepReleases: 0,
    },
    lines: [
      "hosts.vm-1.agents.a.port: got 80, expected a port between 1024 and 65535",
      'hosts.vm-2.provider: got "sssh", expected one of local, ssh, hcloud, digitalocean, aws, gcp, azure, linode, vultr, ovh, proxmox; did you mean "ssh"?',
      "keepReleases: got 0, expected a number of releases between 1 and 100",
      'defaults.source: got "examples/nothing", which is not a folder here; give the folder of the agent\'s code',
      "secrets.CALLBACK_SIGNING_SECRET: got nothing, expected a value (Key that signs the agent's callbacks to the control plane); ./fleet init test makes one, or set it: pulumi config set --secret --path 'agent-fleet:secrets.CALLBACK_SIGNING_SECRET'",
      "hosts.vm-1.agents.c.port: 8787 is taken by b on this host; give each agent its own",
    ],
  },
  {
    fault: "a location that Hetzner does not have",
    change: cloud("hcloud", { region: "fsn11" }),
    lines: [
      'hosts.vm-1.region: got "fsn11", expected one of fsn1, nbg1, hel1, ash, hil, sin; did you mean "fsn1"?',
    ],
  },
  {
    fault: "a region where Google wants a zone",
    change: cloud("gcp", { region: "europe-west4" }),
    lines: ['hosts.vm-1.region: got "europe-west4", expected a zone such as europe-west4-a'],
  },
  {
    fault: "another provider's size",
    change: cloud("hcloud", { size: "s-2vcpu-4gb" }),
    lines: [
      'hosts.vm-1.size: got "s-2vcpu-4gb", expected minimum, recommended or a server type such as cpx32',
    ],
  },
  {
    fault: "an Arm size on a host that is not",
    change: cloud("aws", { size: "t4g.medium" }),
    lines: [
      'hosts.vm-1.size: got "t4g.medium", which is an arm64 size while the host is amd64; set arch: arm64, or give a size that is amd64',
    ],
  },
  {
    fault: "an architecture that the provider does not have",
    change: cloud("digitalocean", { arch: "arm64" }),
    lines: ['hosts.vm-1.arch: got "arm64", which DigitalOcean does not have; remove the key'],
  },
  {
    fault: "a size that the provider does not have for an architecture",
    change: cloud("hcloud", { arch: "arm64", size: "recommended" }),
    lines: [
      'hosts.vm-1.size: got "recommended", which Hetzner Cloud does not have for arm64; give a server type such as cpx32',
    ],
  },
  {
    fault: "an image's name that the provider does not know",
    change: cloud("digitalocean", { image: "ubuntu-26.04" }),
    lines: [
      "hosts.vm-1.image: got \"ubuntu-26.04\", expected ubuntu-24.04, ubuntu-22.04, debian-12 or an image's slug such as rockylinux-9-x64, or a snapshot's number",
    ],
  },
  {
    fault: "an image that cannot plant a host key",
    change: cloud("gcp", { image: "debian-12" }),
    lines: [
      'hosts.vm-1.image: got "debian-12", expected one of ubuntu-24.04, ubuntu-22.04: Google\'s Debian images have no cloud-init, which plants the host key',
    ],
  },
  {
    fault: "port 22 open to everybody, not said in words",
    change: cloud("hcloud", {}, { allowFrom: ["0.0.0.0/0"] }),
    lines: [
      'ssh.allowFrom.0: got "0.0.0.0/0", which is the internet, or most of it; give your own ranges, or write anywhere if everybody may try',
    ],
  },
  {
    fault: "a port in an address",
    change: ssh({ address: "203.0.113.7:2222" }),
    lines: [
      'hosts.office.address: got "203.0.113.7:2222", expected a host name or an IP address, without a port',
    ],
  },
  {
    fault: "an address in place of a range",
    change: cloud("hcloud", {}, { allowFrom: ["198.51.100.7"] }),
    lines: [
      'ssh.allowFrom.0: got "198.51.100.7", expected a range; write 198.51.100.7/32 for this one address',
    ],
  },
  {
    fault: "no range by which a host's IPv4 address could be reached",
    change: cloud("hcloud", {}, { allowFrom: ["2001:db8::/48"] }),
    lines: [
      'ssh.allowFrom: got ["2001:db8::/48"], expected an IPv4 range too, as hosts are reached at their IPv4 address; add the range of this machine',
    ],
  },
  {
    fault: "agents open to everybody",
    change: cloud("hcloud", { privateFrom: ["0.0.0.0/0"] }),
    lines: [
      'hosts.vm-1.privateFrom.0: got "0.0.0.0/0", which is the internet, or most of it; give your own ranges',
    ],
  },
  {
    fault: "a range for an exposure that has none",
    change: {
      ...cloud("hcloud", { exposure: "tunnel", privateFrom: ["10.0.0.0/8"] }),
      cloudflare: CLOUDFLARE,
    },
    lines: ["hosts.vm-1.privateFrom: goes with exposure private alone; remove one of them"],
  },
  {
    fault: "an account that Azure does not make",
    change: cloud("azure", {}, { user: "root" }),
    lines: [
      'ssh.user: got "root", of which Azure makes no account; give another name, or remove the key for fleet',
    ],
  },
  {
    fault: "an Arm size of Azure on a host that is not",
    change: cloud("azure", { size: "Standard_D4pds_v6" }),
    lines: [
      'hosts.vm-1.size: got "Standard_D4pds_v6", which is an arm64 size while the host is amd64; set arch: arm64, or give a size that is amd64',
    ],
  },
  {
    fault: "a network's name where its id is wanted",
    change: cloud("azure", { network: "office" }),
    lines: [
      'hosts.vm-1.network: got "office", expected a subnet\'s id, /subscriptions/…/virtualNetworks/…/subnets/…',
    ],
  },
  {
    fault: "a network where the provider takes none",
    change: cloud("hcloud", { network: "4711" }),
    lines: [
      "hosts.vm-1.network: unknown key (known: provider, size, region, image, exposure, privateFrom, hostFirewall, arch, runtimeDelivery, tryUnknownOs, protect, agents); correct or remove it",
    ],
  },
  {
    fault: "a region and an image at Proxmox VE, which has nodes and templates",
    change: cloud("proxmox", { region: "pve", image: "ubuntu-24.04" }, LAN),
    lines: [
      "hosts.vm-1.region: unknown key (known: provider, size, node, template, linkedClone, storage, snippets, network, exposure, privateFrom, hostFirewall, arch, runtimeDelivery, tryUnknownOs, protect, agents); correct or remove it",
      "hosts.vm-1.image: unknown key (known: provider, size, node, template, linkedClone, storage, snippets, network, exposure, privateFrom, hostFirewall, arch, runtimeDelivery, tryUnknownOs, protect, agents); correct or remove it",
    ],
  },
  {
    fault: "a template's name, a storage and a node that cannot be",
    change: cloud("proxmox", { template: "debian", storage: "local/lvm", node: "pve 1" }, LAN),
    lines: [
      'hosts.vm-1.node: got "pve 1", expected a node\'s name such as pve',
      'hosts.vm-1.template: got "debian", expected a template\'s number between 100 and 999999999',
      'hosts.vm-1.storage: got "local/lvm", expected a storage\'s name such as local-lvm',
    ],
  },
  {
    fault: "nobody who may reach port 22 in the operator's own network",
    change: cloud("proxmox"),
    lines: [
      "ssh.allowFrom: got nothing, expected the ranges that may reach port 22 of a VM at Proxmox VE; it is in your own network, where this machine has another address than on the internet: pulumi config set --path 'agent-fleet:ssh.allowFrom[0]' 192.168.1.0/24",
    ],
  },
  {
    fault: "an architecture that Proxmox VE does not have here",
    change: cloud("proxmox", { arch: "arm64" }, LAN),
    lines: ['hosts.vm-1.arch: got "arm64", which Proxmox VE does not have; remove the key'],
  },
  {
    fault: "another provider's region",
    change: cloud("ovh", { region: "fsn1" }),
    lines: ['hosts.vm-1.region: got "fsn1", expected a region such as GRA11'],
  },
  {
    fault: "plans and types of other providers",
    change: {
      hosts: {
        "vm-1": { provider: "vultr", size: "g6-standard-4", agents: { a: {} } },
        "vm-2": { provider: "linode", size: "vc2-4c-8gb", agents: { b: {} } },
      },
    },
    lines: [
      'hosts.vm-1.size: got "g6-standard-4", expected minimum, recommended or a plan such as vc2-4c-8gb',
      'hosts.vm-2.size: got "vc2-4c-8gb", expected minimum, recommended or a type such as g6-standard-4',
    ],
  },
];
