/**
 * The stack configuration as types: every key, what it may hold, what absence does.
 * `stacks/stack.schema.json` (editors) and docs/configuration.md are generated from here.
 */
import { z } from "zod";
import { extraUnitName } from "../components/agent/extra-units";
import { downloadedSchema } from "../components/agent/program";
import { toolName } from "../components/agent/tools";
import { flag, form, integer } from "../components/expected";
import { ANYWHERE, rangeProblem } from "../components/host/cidr";
import {
  IMAGES,
  OFFERS,
  PLAIN_SIZE,
  PLAIN_SIZE_TEXT,
  type CloudProvider,
} from "../components/host/offers";
import { ADDRESS, ADDRESS_EXPECTED } from "./address";

/** Every provider that this version can deliver, in the order in which errors list them. */
export const PROVIDERS = [
  "local",
  "ssh",
  "hcloud",
  "digitalocean",
  "aws",
  "gcp",
  "azure",
  "linode",
  "vultr",
  "ovh",
  "proxmox",
] as const;
export type Provider = (typeof PROVIDERS)[number];

export const NAME_PATTERN = /^[a-z][a-z0-9-]{0,30}$/;
const NAME =
  "a name of small letters, digits and dashes that starts with a letter, at most 31 long";

/** One of the names, or what the pattern takes. */
const either = (own: RegExp, names: readonly string[]) =>
  new RegExp(`^(?:${names.map((name) => name.replace(".", "\\.")).join("|")})$|${own.source}`);

export const portSchema = integer(1024, 65535, "a port between 1024 and 65535");

const envValueSchema = z.union([z.string(), z.number(), z.boolean()], {
  error: "expected a text, a number, true or false",
});

const envSchema = z
  .record(form(/^[A-Z_][A-Z0-9_]*$/, "a variable name like R2_BUCKET"), envValueSchema, {
    error: "expected variables, like { R2_BUCKET: rdm-files }",
  })
  .describe("Env variables that are not secret. Secret ones belong into agent-fleet:secrets.");

const limitsSchema = z
  .strictObject({
    memory: form(/^[1-9][0-9]*[KMGT]?$/, "a size such as 512M or 2G")
      .optional()
      .describe("MemoryMax of the unit, such as 2G. Default: no limit."),
    cpu: form(/^[1-9][0-9]*%$/, "a share such as 50% or 150% (100% is one CPU)")
      .optional()
      .describe("CPUQuota of the unit, such as 150%. Default: no limit."),
  })
  .describe("Limits of one agent.");

const profileSchema = z
  .string({ error: "expected a profile's name or the path of a profile file" })
  .describe("A name under assets/profiles, or a path to your own file. Default: tseeder.");
const sourceSchema = z
  .string({ error: "expected a source" })
  .describe(
    "Where the agent's code comes from: a folder, `git+https://<host>/<repo>#<commit>:<folder>`, `npm:<name>@<version>` or `https://<host>/<file>.tgz#sha256=<hex>`.",
  );
const runtimeSchema = z
  .enum(["bun", "node"], { error: "expected bun or node" })
  .describe("The runtime to run the agent with. Default: the profile's first.");
const healthTimeoutSchema = integer(5, 3600, "seconds between 5 and 3600").describe(
  "Seconds until the agent must be available. Default: 120.",
);

const drainSchema = integer(0, 86_400, "seconds between 0 and 86400").describe(
  "Seconds that a running agent gets to end its jobs before it is stopped; 0: none. Default: the profile's (300).",
);

/** What an agent may say for itself, or agent-fleet:defaults for all. */
const everyAgent = {
  profile: profileSchema.optional(),
  source: sourceSchema.optional(),
  runtime: runtimeSchema.optional(),
  program: downloadedSchema
    .optional()
    .describe(
      "The files of a profile's own program. Default: the profile's; in defaults they are for profiles that name none.",
    ),
  units: z
    .record(extraUnitName, downloadedSchema, {
      error: "expected units, like { buildkitd: { version: …, downloads: … } }",
    })
    .optional()
    .describe(
      "The files of the programs of a profile's `units`, by the units' names. Default: the profile's; in defaults they are for profiles that name none.",
    ),
  tools: z
    .record(toolName, downloadedSchema, {
      error: "expected tools, like { railpack: { version: …, downloads: … } }",
    })
    .optional()
    .describe(
      "The files of a profile's `tools`, by their names. Default: the profile's; in defaults they are for profiles that name none.",
    ),
  env: envSchema.optional(),
  limits: limitsSchema.optional(),
  healthTimeoutSeconds: healthTimeoutSchema.optional(),
  drainSeconds: drainSchema.optional(),
};

export const agentSchema = z
  .strictObject({
    port: portSchema.optional().describe("TCP port of the agent. Default: the profile's (8787)."),
    ...everyAgent,
    enabled: flag.optional().describe("false: installed, stopped and disabled. Default: true."),
  })
  .describe("One agent; {} takes everything from agent-fleet:defaults.");

const agentsSchema = z.record(form(NAME_PATTERN, NAME), agentSchema, {
  error: "expected agents, such as { agent-vm-1: {} }",
});

const archSchema = z
  .enum(["amd64", "arm64"], { error: "expected amd64 or arm64" })
  .describe("CPU architecture of the machine. Default: amd64 (local: this machine's own).");

const exposureSchema = z
  .enum(["private", "tunnel", "cloudflare"], {
    error: "expected one of private, tunnel, cloudflare",
  })
  .describe(
    "How the agents are reached from outside: private (from privateFrom), tunnel (a Cloudflare Tunnel, nothing inbound), cloudflare (from Cloudflare's published ranges). Default: tunnel where agent-fleet:cloudflare is given and privateFrom is not, else private.",
  );

/** A range in CIDR form, with what to write where it is none. */
const range = z
  .string({ error: "expected a range such as 198.51.100.0/24" })
  .superRefine((value, context) => {
    const message = rangeProblem(value);
    if (message !== undefined) {
      context.addIssue({ code: "custom", message, input: value });
    }
  });

/** The same where the whole internet may be meant. */
const rangeOrAnywhere = z
  .string({ error: `expected a range such as 198.51.100.0/24, or ${ANYWHERE}` })
  .superRefine((value, context) => {
    const message = value === ANYWHERE ? undefined : rangeProblem(value);
    if (message !== undefined) {
      const words = /internet/.test(message) ? `, or write ${ANYWHERE} if everybody may try` : "";
      context.addIssue({ code: "custom", message: message + words, input: value });
    }
  });

const atLeastOne = "expected at least one range such as 198.51.100.0/24";

const everyHost = {
  exposure: exposureSchema.optional(),
  privateFrom: z
    .array(range, { error: "expected ranges, like [10.0.0.0/8]" })
    .min(1, { error: atLeastOne })
    .optional()
    .describe(
      "Ranges that may reach the agents' ports with exposure private. Default: none, only the host itself (local: and this machine).",
    ),
  hostFirewall: flag
    .optional()
    .describe(
      "false: the firewall on the host is left alone, and the agents' ports are open on each of its interfaces. Default: true.",
    ),
  arch: archSchema.optional(),
  runtimeDelivery: z
    .enum(["upload", "download"], { error: "expected upload or download" })
    .optional()
    .describe(
      "upload: the runtime is sent over SSH. download: the host fetches it itself and checks it. Default: upload.",
    ),
  tryUnknownOs: flag
    .optional()
    .describe("true: go on where the operating system is not a known one. Default: false."),
  protect: flag
    .optional()
    .describe("true: this VM is neither deleted nor replaced. Default: false."),
  agents: agentsSchema.describe("The agents on this host: agent name → agent."),
};

const HOST_KEY = "an ed25519 public key, like ssh-ed25519 AAAA…";
const hostKeySchema = form(/^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5[A-Za-z0-9+/=]+( .*)?$/, HOST_KEY);
const USER_PATTERN = /^[a-z_][a-z0-9_-]{0,31}$/;
const USER = "a user name";

/** The images of local VMs that are made where there is none. */
export const LOCAL_IMAGES = ["debian-11", "debian-12", "debian-13"] as const;
const LOCAL_IMAGE = `${LOCAL_IMAGES.join(", ")} or the agent-rootfs.ext4 of ./fleet image build`;

export const localHostSchema = z.strictObject({
  provider: z.literal("local").describe("A QEMU VM on this machine."),
  size: form(
    either(PLAIN_SIZE, ["minimum", "recommended"]),
    `minimum, recommended, or ${PLAIN_SIZE_TEXT}`,
  )
    .optional()
    .describe(
      "minimum (2 vCPU, 4 GB, 100 GB), recommended (4, 8, 500), or such as 2cpu-1gb-10gb. Default: minimum.",
    ),
  image: form(either(/^.+\.ext4$/, LOCAL_IMAGES), LOCAL_IMAGE)
    .optional()
    .describe(`${LOCAL_IMAGE}. Default: debian-12.`),
  ...everyHost,
});

export const sshHostSchema = z.strictObject({
  provider: z.literal("ssh").describe("A machine that exists already."),
  address: form(ADDRESS, ADDRESS_EXPECTED).describe("Host name or IP address of the machine."),
  hostKey: hostKeySchema.describe(
    "The machine's ed25519 host key; ./fleet scan shows it, to be confirmed.",
  ),
  ssh: z
    .strictObject({
      user: form(USER_PATTERN, USER)
        .optional()
        .describe(
          "Login user; others than root need sudo without password. Default: agent-fleet:ssh.user.",
        ),
      port: integer(1, 65535, "a port between 1 and 65535")
        .optional()
        .describe("SSH port. Default: 22."),
      bastion: form(
        /^([a-z_][a-z0-9_-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?$/,
        "[user@]host[:port]",
      )
        .optional()
        .describe("Jump host, [user@]host[:port]. Default: none."),
      bastionHostKey: hostKeySchema.optional().describe("The jump host's ed25519 host key."),
    })
    .optional()
    .describe("How this machine is reached."),
  ...everyHost,
});

/** A VM in a cloud: the same keys everywhere, with the provider's own names. */
function cloudHostSchema<P extends CloudProvider>(provider: P) {
  const offer = OFFERS[provider];
  const images = `${IMAGES.join(", ")} or ${offer.ownImageText}`;
  const region =
    offer.regions === undefined
      ? form(offer.ownRegion, offer.ownRegionText)
      : z.enum(offer.regions as [string, ...string[]], {
          error: `expected one of ${offer.regions.join(", ")}`,
        });
  return z.strictObject({
    provider: z.literal(provider),
    size: cloudSizeSchema(provider),
    region: region.optional().describe(`${offer.ownRegionText}. Default: ${offer.defaultRegion}.`),
    image: form(either(offer.ownImage, IMAGES), images)
      .optional()
      .describe(`${images}. Default: ubuntu-24.04.`),
    ...everyHost,
  });
}

function cloudSizeSchema(provider: CloudProvider) {
  const { sizes, ownSize, ownSizeText } = OFFERS[provider];
  return form(either(ownSize, ["minimum", "recommended"]), `minimum, recommended or ${ownSizeText}`)
    .optional()
    .describe(
      `minimum (${named(sizes.minimum)}), recommended (${named(sizes.recommended)}), or ${ownSizeText}. Default: minimum.`,
    );
}

/** `cpx32, arm64: cax31` */
function named({ amd64 = "none", arm64 }: { amd64?: string; arm64?: string }): string {
  return arm64 === undefined ? amd64 : `${amd64}, arm64: ${arm64}`;
}

/** The network that exists for a VM to be in, and what happens without one. */
function networkSchema(provider: CloudProvider, absence: string) {
  const { pattern = /^$/, text: expectation = "nothing" } = OFFERS[provider].network ?? {};
  return { network: form(pattern, expectation).optional().describe(`${expectation}. ${absence}`) };
}

export const hcloudHostSchema = cloudHostSchema("hcloud");
export const digitaloceanHostSchema = cloudHostSchema("digitalocean").extend(
  networkSchema("digitalocean", "Default: the region's default VPC."),
);
export const awsHostSchema = cloudHostSchema("aws").extend(
  networkSchema("aws", "Default: the region's default VPC."),
);
export const gcpHostSchema = cloudHostSchema("gcp");
export const azureHostSchema = cloudHostSchema("azure").extend(
  networkSchema("azure", "Default: a network of the stack's own."),
);
export const linodeHostSchema = cloudHostSchema("linode");
export const vultrHostSchema = cloudHostSchema("vultr");
export const ovhHostSchema = cloudHostSchema("ovh");

const STORAGE = "a storage's name such as local-lvm";
const storageSchema = form(/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/, STORAGE);

/** What Proxmox VE has in place of regions and images. */
export const proxmoxHostSchema = z.strictObject({
  provider: z.literal("proxmox"),
  size: cloudSizeSchema("proxmox"),
  node: form(OFFERS.proxmox.ownRegion, OFFERS.proxmox.ownRegionText)
    .optional()
    .describe("The node that has the template and runs the VM. Default: pve."),
  template: integer(100, 999_999_999, "a template's number between 100 and 999999999")
    .optional()
    .describe(
      "Number of the template; it has cloud-init, qemu-guest-agent and its disk at scsi0. Default: 9000.",
    ),
  linkedClone: flag
    .optional()
    .describe("true: the VM's disk is made on top of the template's. Default: false, a full copy."),
  storage: storageSchema
    .optional()
    .describe(
      "Storage of the VM's disk; with linkedClone the one that the template is in. Default: local-lvm.",
    ),
  snippets: storageSchema
    .optional()
    .describe(
      "Storage that takes snippets, for the cloud-init document; the node is reached by SSH for it. Default: local.",
    ),
  ...networkSchema("proxmox", "Default: vmbr0."),
  ...everyHost,
});

/** Anything with a provider; the union by provider gives each host its own keys. */
export const hostSchemas = {
  local: localHostSchema,
  ssh: sshHostSchema,
  hcloud: hcloudHostSchema,
  digitalocean: digitaloceanHostSchema,
  aws: awsHostSchema,
  gcp: gcpHostSchema,
  azure: azureHostSchema,
  linode: linodeHostSchema,
  vultr: vultrHostSchema,
  ovh: ovhHostSchema,
  proxmox: proxmoxHostSchema,
} satisfies Record<Provider, z.ZodObject>;

const HOSTS = "expected hosts, such as { vm-1: { provider: local, agents: { agent-vm-1: {} } } }";
export const hostsSchema = z
  .record(
    form(NAME_PATTERN, NAME),
    z.discriminatedUnion("provider", [
      localHostSchema,
      sshHostSchema,
      hcloudHostSchema,
      digitaloceanHostSchema,
      awsHostSchema,
      gcpHostSchema,
      azureHostSchema,
      linodeHostSchema,
      vultrHostSchema,
      ovhHostSchema,
      proxmoxHostSchema,
    ]),
    { error: HOSTS },
  )
  .refine((hosts) => Object.keys(hosts).length > 0, { error: HOSTS });

const secretValue = z.string({ error: "expected a text" });
const secretsSchema = z.record(
  form(/^[A-Z_][A-Z0-9_]*$/, "a variable name like WORKER_CLUSTER_TOKEN"),
  secretValue,
  { error: "expected secret variables" },
);

const id = (what: string, where: string) =>
  form(/^[0-9a-f]{32}$/, `the ${what}'s id, 32 digits 0-9 and a-f; ${where}`);

const cloudflareSchema = z
  .strictObject({
    accountId: id("account", "the dashboard's address has it, dash.cloudflare.com/<id>").describe(
      "Id of the Cloudflare account that gets the tunnels.",
    ),
    zoneId: id("zone", "the zone's overview in the dashboard has it").describe(
      "Id of the zone that the domain is in.",
    ),
    domain: form(
      /^(?=.{4,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
      "a domain in small letters such as example.com",
    ).describe(
      "An agent's hostname is <agent>.<domain>. The zone itself, or a name in it; Cloudflare's Universal SSL covers the names directly below the zone alone, others need a certificate of their own there.",
    ),
    access: flag
      .optional()
      .describe(
        "true: Cloudflare Access stands before the agents' hostnames and lets in whoever sends the stack's service token alone; it is in the outputs access.clientId and access.clientSecret, to be sent as CF-Access-Client-Id and CF-Access-Client-Secret. Default: false.",
      ),
  })
  .describe(
    "Cloudflare account and zone for exposure tunnel. The token in CLOUDFLARE_API_TOKEN needs Cloudflare Tunnel: Edit on the account and DNS: Edit on the zone; for access also Access: Service Tokens: Edit and Access: Apps and Policies: Edit on the account.",
  );

const BATCH = "a number of agents, or a share of the fleet from 1% to 100%";
const rolloutSchema = z
  .strictObject({
    canary: integer(0, 1000, "a number of agents between 0 and 1000")
      .optional()
      .describe("Agents that are changed first; all others wait for them. Default: 1."),
    batch: z
      .union([integer(1, 10_000, BATCH), form(/^([1-9][0-9]?|100)%$/, BATCH)], {
        error: `expected ${BATCH}`,
      })
      .optional()
      .describe(
        "Agents that are changed together after the canaries: a number, or a share of the whole fleet, rounded up. Default: 25%.",
      ),
    pauseSeconds: integer(0, 3600, "seconds between 0 and 3600")
      .optional()
      .describe(
        "Seconds that a changed agent waits after the wave before it, in which a fault of that wave can show. Default: 0.",
      ),
  })
  .describe(
    "The order in which agents are changed: canaries, then batches. A wave that fails stops all behind it. Default: all at once.",
  );

/** The whole configuration of a stack, keys without the project's name. */
export const stackSchema = z.strictObject({
  hosts: hostsSchema.describe("Host name → host."),
  defaults: z
    .strictObject(everyAgent)
    .optional()
    .describe("What each agent gets unless it says otherwise."),
  secrets: secretsSchema.optional().describe("Secret env variables for every agent."),
  agentSecrets: z
    .record(form(NAME_PATTERN, NAME), secretsSchema, { error: "expected agent name → secrets" })
    .optional()
    .describe("Secret env variables for one agent; they win over agent-fleet:secrets."),
  ssh: z
    .strictObject({
      user: form(USER_PATTERN, USER)
        .optional()
        .describe("Login user of every host. Default: root (gcp and azure: fleet)."),
      allowFrom: z
        .array(rangeOrAnywhere, { error: "expected ranges, like [198.51.100.0/24]" })
        .min(1, { error: atLeastOne })
        .optional()
        .describe(
          "Ranges that may reach port 22 of hosts in a cloud; anywhere is the whole internet. Default: the address that this machine is seen from.",
        ),
    })
    .optional()
    .describe("SSH settings of every host."),
  sshPrivateKey: form(/^-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a private key in PEM or OpenSSH form")
    .optional()
    .describe(
      "The operator's private key (a secret). Default: the SSH agent for hosts that exist; a key of the stack's own for VMs it makes.",
    ),
  cloudflare: cloudflareSchema.optional(),
  rollout: rolloutSchema.optional(),
  keepReleases: integer(1, 100, "a number of releases between 1 and 100")
    .optional()
    .describe("Releases kept on a host. Default: 3."),
  verify: z
    .enum(["asked", "always"], { error: "expected asked or always" })
    .optional()
    .describe(
      "always: each ./fleet up compares the hosts with what was deployed first, as up --verify does. Default: asked.",
    ),
  purgeData: flag
    .optional()
    .describe("true: destroy removes the agents' state under /var/lib too. Default: false."),
});

export type StackConfig = z.infer<typeof stackSchema>;
export type HostConfig = z.infer<(typeof hostSchemas)[Provider]>;
export type AgentConfig = z.infer<typeof agentSchema>;
