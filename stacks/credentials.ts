/** Whether a provider's credentials are there, by name alone: no value is read. */
import { OFFERS, type CloudProvider } from "../components/host/offers";

/** What the check may look at. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Every key of the stack's configuration, such as `hcloud:token`. */
  readonly configKeys: readonly string[];
  /** Whether there is such a file; `~` is the operator's home. */
  readonly hasFile: (path: string) => boolean;
}

/** One thing that a provider needs, and the ways to give it; the first two are named to a person. */
interface Need {
  readonly what: string;
  readonly env: readonly string[];
  readonly config: readonly string[];
  readonly files?: readonly string[];
  /** True where the setting may be read by everybody. @default false */
  readonly open?: boolean;
  /** The first setting where it is a part of a larger one, such as `proxmoxve:ssh.username`. */
  readonly path?: string;
}

/** Stand for all of OpenStack's settings. */
const OPENSTACK = { env: ["OS_CLOUD"], config: ["openstack:cloud"] };

/** As the providers' own documentation lists them (www.pulumi.com/registry/packages/…/installation-configuration). */
const NEEDS: Readonly<Record<CloudProvider, readonly Need[]>> = {
  hcloud: [{ what: "an API token", env: ["HCLOUD_TOKEN"], config: ["hcloud:token"] }],
  digitalocean: [
    {
      what: "an API token",
      env: ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"],
      config: ["digitalocean:token"],
    },
  ],
  aws: [
    {
      what: "credentials",
      env: [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SHARED_CREDENTIALS_FILE",
      ],
      open: true,
      // The role of an EC2 instance counts where the check for it is on.
      config: ["aws:profile", "aws:accessKey", "aws:skipMetadataApiCheck"],
      files: ["~/.aws/credentials", "~/.aws/config"],
    },
  ],
  gcp: [
    {
      what: "credentials",
      env: [
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CREDENTIALS",
        "GOOGLE_CLOUD_KEYFILE_JSON",
        "GCLOUD_KEYFILE_JSON",
        "GOOGLE_OAUTH_ACCESS_TOKEN",
      ],
      config: ["gcp:credentials", "gcp:accessToken"],
      files: ["~/.config/gcloud/application_default_credentials.json"],
    },
    {
      what: "a project",
      env: ["GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"],
      config: ["gcp:project"],
      open: true,
    },
  ],
  azure: [
    {
      what: "credentials (az login, or a service principal)",
      env: ["ARM_CLIENT_ID", "AZURE_CLIENT_ID", "ARM_USE_MSI", "ARM_USE_OIDC"],
      config: ["azure-native:clientId", "azure-native:useMsi", "azure-native:useOidc"].concat(
        "azure-native:useDefaultAzureCredential",
      ),
      files: ["~/.azure/azureProfile.json"],
      open: true,
    },
    {
      what: "a subscription",
      env: ["ARM_SUBSCRIPTION_ID", "AZURE_SUBSCRIPTION_ID"],
      config: ["azure-native:subscriptionId"],
      files: ["~/.azure/azureProfile.json"],
      open: true,
    },
  ],
  linode: [{ what: "an API token", env: ["LINODE_TOKEN"], config: ["linode:token"] }],
  vultr: [{ what: "an API key", env: ["VULTR_API_KEY"], config: ["vultr:apiKey"] }],
  // OpenStack's own names, as OVH's panel writes them into openrc.sh.
  ovh: [
    {
      what: "the address of its identity service",
      env: ["OS_AUTH_URL", ...OPENSTACK.env],
      config: ["openstack:authUrl", ...OPENSTACK.config],
      open: true,
    },
    {
      what: "an OpenStack user",
      env: ["OS_USERNAME", "OS_USER_ID", "OS_APPLICATION_CREDENTIAL_ID", "OS_TOKEN"].concat(
        OPENSTACK.env,
      ),
      config: [
        "openstack:userName",
        "openstack:userId",
        "openstack:applicationCredentialId",
      ].concat(OPENSTACK.config),
      open: true,
    },
    {
      what: "the password of that user",
      env: ["OS_PASSWORD", "OS_APPLICATION_CREDENTIAL_SECRET", "OS_TOKEN", ...OPENSTACK.env],
      config: ["openstack:password", "openstack:applicationCredentialSecret"].concat(
        OPENSTACK.config,
      ),
    },
  ],
  proxmox: [
    {
      what: "the address of its API",
      env: ["PROXMOX_VE_ENDPOINT"],
      config: ["proxmoxve:endpoint"],
      open: true,
    },
    { what: "an API token", env: ["PROXMOX_VE_API_TOKEN"], config: ["proxmoxve:apiToken"] },
    // Its API takes no snippets, so that the cloud-init document goes to the node by SSH.
    {
      what: "the SSH user of its node",
      env: ["PROXMOX_VE_SSH_USERNAME"],
      config: ["proxmoxve:ssh"],
      path: "proxmoxve:ssh.username",
      open: true,
    },
    {
      what: "the SSH key of its node",
      env: ["PROXMOX_VE_SSH_PRIVATE_KEY", "PROXMOX_VE_SSH_AGENT", "PROXMOX_VE_SSH_PASSWORD"],
      config: ["proxmoxve:ssh"],
      path: "proxmoxve:ssh.privateKey",
    },
  ],
};

/** For tunnels and the hostnames of agents (www.pulumi.com/registry/packages/cloudflare/installation-configuration). */
const CLOUDFLARE_NEEDS: readonly Need[] = [
  {
    what: "an API token",
    env: ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY"],
    config: ["cloudflare:apiToken", "cloudflare:apiKey"],
  },
];

/** What is missing, each with what to do. */
export function missingCredentials(provider: CloudProvider, around: Surroundings): string[] {
  return missing(OFFERS[provider].title, NEEDS[provider], around);
}

export function missingCloudflareCredentials(around: Surroundings): string[] {
  return missing("Cloudflare", CLOUDFLARE_NEEDS, around);
}

function missing(title: string, needs: readonly Need[], around: Surroundings): string[] {
  return needs
    .filter((need) => !isMet(need, around))
    .map(({ what, env, config, path, open = false }) => {
      const [variable = ""] = env;
      const key = path === undefined ? config[0] : `--path '${path}'`;
      const secret = open ? "" : "--secret ";
      return `${title} needs ${what} and there is none; set ${variable}, or run: pulumi config set ${secret}${key ?? ""}`;
    });
}

function isMet({ env, config, files = [] }: Need, around: Surroundings): boolean {
  return (
    env.some((name) => (around.env[name] ?? "") !== "") ||
    config.some((key) => around.configKeys.includes(key)) ||
    files.some((file) => around.hasFile(file))
  );
}
