import { join } from "node:path";
import type { CloudProvider } from "../../components/host/offers";
import { checkStack } from "../../stacks/check";
import { missingCredentials, type Surroundings } from "../../stacks/credentials";
import { formatProblems } from "../../stacks/problems";

const NOTHING: Surroundings = { env: {}, configKeys: [], hasFile: () => false };

test.each<[CloudProvider, string[]]>([
  [
    "hcloud",
    [
      "Hetzner Cloud needs an API token and there is none; set HCLOUD_TOKEN, or run: pulumi config set --secret hcloud:token",
    ],
  ],
  [
    "digitalocean",
    [
      "DigitalOcean needs an API token and there is none; set DIGITALOCEAN_TOKEN, or run: pulumi config set --secret digitalocean:token",
    ],
  ],
  [
    "aws",
    [
      "AWS EC2 needs credentials and there is none; set AWS_ACCESS_KEY_ID, or run: pulumi config set aws:profile",
    ],
  ],
  [
    "gcp",
    [
      "Google Cloud needs credentials and there is none; set GOOGLE_APPLICATION_CREDENTIALS, or run: pulumi config set --secret gcp:credentials",
      "Google Cloud needs a project and there is none; set GOOGLE_PROJECT, or run: pulumi config set gcp:project",
    ],
  ],
  [
    "azure",
    [
      "Azure needs credentials (az login, or a service principal) and there is none; set ARM_CLIENT_ID, or run: pulumi config set azure-native:clientId",
      "Azure needs a subscription and there is none; set ARM_SUBSCRIPTION_ID, or run: pulumi config set azure-native:subscriptionId",
    ],
  ],
  [
    "linode",
    [
      "Linode needs an API token and there is none; set LINODE_TOKEN, or run: pulumi config set --secret linode:token",
    ],
  ],
  [
    "vultr",
    [
      "Vultr needs an API key and there is none; set VULTR_API_KEY, or run: pulumi config set --secret vultr:apiKey",
    ],
  ],
  [
    "ovh",
    [
      "OVHcloud Public Cloud needs the address of its identity service and there is none; set OS_AUTH_URL, or run: pulumi config set openstack:authUrl",
      "OVHcloud Public Cloud needs an OpenStack user and there is none; set OS_USERNAME, or run: pulumi config set openstack:userName",
      "OVHcloud Public Cloud needs the password of that user and there is none; set OS_PASSWORD, or run: pulumi config set --secret openstack:password",
    ],
  ],
  [
    "proxmox",
    [
      "Proxmox VE needs the address of its API and there is none; set PROXMOX_VE_ENDPOINT, or run: pulumi config set proxmoxve:endpoint",
      "Proxmox VE needs an API token and there is none; set PROXMOX_VE_API_TOKEN, or run: pulumi config set --secret proxmoxve:apiToken",
      "Proxmox VE needs the SSH user of its node and there is none; set PROXMOX_VE_SSH_USERNAME, or run: pulumi config set --path 'proxmoxve:ssh.username'",
      "Proxmox VE needs the SSH key of its node and there is none; set PROXMOX_VE_SSH_PRIVATE_KEY, or run: pulumi config set --secret --path 'proxmoxve:ssh.privateKey'",
    ],
  ],
])("%s without credentials names the variable and the setting", (provider, expected) => {
  expect(missingCredentials(provider, NOTHING)).toEqual(expected);
});

test.each<[CloudProvider, Partial<Surroundings>]>([
  ["hcloud", { env: { HCLOUD_TOKEN: "t" } }],
  ["hcloud", { configKeys: ["hcloud:token"] }],
  ["digitalocean", { env: { DIGITALOCEAN_ACCESS_TOKEN: "t" } }],
  ["aws", { env: { AWS_PROFILE: "work" } }],
  ["aws", { configKeys: ["aws:profile"] }],
  ["aws", { hasFile: (path) => path === "~/.aws/credentials" }],
  ["gcp", { env: { GOOGLE_CREDENTIALS: "{}", GOOGLE_CLOUD_PROJECT: "p" } }],
  ["azure", { env: { ARM_CLIENT_ID: "c", ARM_SUBSCRIPTION_ID: "s" } }],
  ["azure", { hasFile: (path) => path === "~/.azure/azureProfile.json" }],
  ["linode", { env: { LINODE_TOKEN: "t" } }],
  ["vultr", { configKeys: ["vultr:apiKey"] }],
  ["ovh", { env: { OS_AUTH_URL: "https://…", OS_USERNAME: "u", OS_PASSWORD: "p" } }],
  ["ovh", { env: { OS_CLOUD: "ovh" } }],
  [
    "proxmox",
    {
      env: { PROXMOX_VE_ENDPOINT: "https://…", PROXMOX_VE_API_TOKEN: "t" },
      configKeys: ["proxmoxve:ssh"],
    },
  ],
])("%s has its credentials by %j", (provider, given) => {
  expect(missingCredentials(provider, { ...NOTHING, ...given })).toEqual([]);
});

test("an empty variable is no credential", () => {
  expect(missingCredentials("hcloud", { ...NOTHING, env: { HCLOUD_TOKEN: "" } })).toHaveLength(1);
});

test("missing credentials are said with all other problems, before anything is touched", () => {
  const result = checkStack({
    stack: "test",
    root: `${__dirname}/../..`,
    localArch: "amd64",
    values: {
      hosts: { "vm-1": { provider: "hcloud", region: "fsn2", agents: { a: {} } } },
      defaults: { source: "examples/compute-agent" },
      secrets: { WORKER_CLUSTER_TOKEN: "t", CALLBACK_SIGNING_SECRET: "s" },
    },
    surroundings: NOTHING,
  });
  expect("problems" in result && formatProblems("test", result.problems).split("\n")).toEqual([
    "configuration of stack test:",
    '  hosts.vm-1.region: got "fsn2", expected one of fsn1, nbg1, hel1, ash, hil, sin; did you mean "fsn1"?',
    "  hosts.vm-1.provider: Hetzner Cloud needs an API token and there is none; set HCLOUD_TOKEN, or run: pulumi config set --secret hcloud:token",
  ]);
});

test("a tunnel without Cloudflare's token is refused by the variable's name; a host without a tunnel needs none", () => {
  const id = "0123456789abcdef".repeat(2);
  const problems = (exposure: string, env: Readonly<Record<string, string>>) => {
    const result = checkStack({
      stack: "test",
      values: {
        hosts: { "vm-1": { provider: "local", exposure, agents: { a: {}, b: { port: 8788 } } } },
        defaults: { source: "examples/compute-agent" },
        secrets: { WORKER_CLUSTER_TOKEN: "t", CALLBACK_SIGNING_SECRET: "s" },
        cloudflare: { accountId: id, zoneId: id, domain: "example.com" },
      },
      root: join(__dirname, "../.."),
      localArch: "amd64",
      surroundings: { ...NOTHING, env },
    });
    return "problems" in result ? formatProblems("test", result.problems).split("\n").slice(1) : [];
  };
  expect(problems("tunnel", {})).toEqual([
    "  cloudflare: Cloudflare needs an API token and there is none; set CLOUDFLARE_API_TOKEN, or run: pulumi config set --secret cloudflare:apiToken",
  ]);
  expect(problems("tunnel", { CLOUDFLARE_API_TOKEN: "t" })).toEqual([]);
  expect(problems("private", {})).toEqual([]);
});
