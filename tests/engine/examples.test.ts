/**
 * Every file of examples/stacks under the real engine, up to its plan. The clouds' plugins are the
 * stand-in that takes whatever it is given: what a cloud itself would refuse is not seen here.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Clone } from "../e2e/support/clone";
import { placeAnyCloud } from "../toolchain/support/any-cloud";

/** Per example the cloud's plugin, credentials that nobody asks for, and what the plan has in that cloud. */
const CLOUDS = {
  aws: {
    plugin: "aws",
    env: { AWS_ACCESS_KEY_ID: "x" },
    makes: ["aws:ec2:SecurityGroup", "aws:ec2:KeyPair", "aws:ec2:Instance"],
  },
  azure: {
    plugin: "azure-native",
    env: { ARM_CLIENT_ID: "x", ARM_SUBSCRIPTION_ID: "x" },
    makes: [
      "azure-native:resources:ResourceGroup",
      "azure-native:network:PublicIPAddress",
      "azure-native:network:VirtualNetwork",
      "azure-native:network:NetworkSecurityGroup",
      "azure-native:network:NetworkInterface",
      "azure-native:compute:VirtualMachine",
    ],
  },
  digitalocean: {
    plugin: "digitalocean",
    env: { DIGITALOCEAN_TOKEN: "x" },
    makes: [
      "digitalocean:index:SshKey",
      "digitalocean:index:Tag",
      "digitalocean:index:Firewall",
      "digitalocean:index:Droplet",
    ],
  },
  gcp: {
    plugin: "gcp",
    env: { GOOGLE_CREDENTIALS: "x", GOOGLE_PROJECT: "x" },
    makes: [
      "gcp:compute:Network",
      "gcp:compute:Subnetwork",
      "gcp:compute:Firewall",
      "gcp:compute:Instance",
    ],
  },
  hcloud: {
    plugin: "hcloud",
    env: { HCLOUD_TOKEN: "x" },
    makes: ["hcloud:index:SshKey", "hcloud:index:Firewall", "hcloud:index:Server"],
  },
  linode: {
    plugin: "linode",
    env: { LINODE_TOKEN: "x" },
    makes: ["linode:index:Firewall", "linode:index:Instance"],
  },
  ovh: {
    plugin: "openstack",
    env: { OS_CLOUD: "x" },
    makes: [
      "openstack:networking:SecGroup",
      "openstack:networking:SecGroupRule",
      "openstack:compute:Instance",
    ],
  },
  proxmox: {
    plugin: "proxmoxve",
    env: {
      PROXMOX_VE_ENDPOINT: "https://192.0.2.1:8006",
      PROXMOX_VE_API_TOKEN: "x",
      PROXMOX_VE_SSH_USERNAME: "x",
      PROXMOX_VE_SSH_AGENT: "x",
    },
    makes: [
      "proxmoxve:index:FileLegacy",
      "proxmoxve:index:VmLegacy",
      "proxmoxve:firewall:OptionsLegacy",
      "proxmoxve:firewall:RulesLegacy",
    ],
  },
  vultr: {
    plugin: "vultr",
    env: { VULTR_API_KEY: "x" },
    makes: [
      "vultr:index:SSHKey",
      "vultr:index:FirewallGroup",
      "vultr:index:FirewallRule",
      "vultr:index:Instance",
    ],
  },
} as const;

const clone = new Clone();

beforeAll(async () => {
  const clouds = Object.values(CLOUDS);
  const home = clone.path("pulumi-home");
  Object.assign(process.env, ...clouds.map(({ env }) => env), { PULUMI_HOME: home });
  await placeAnyCloud(
    home,
    clouds.map(({ plugin }) => plugin),
  );
});
afterAll(() => {
  clone.remove();
});

test("every example has a row here", () => {
  const files = readdirSync(join(__dirname, "../../examples/stacks"));
  expect(files.map((name) => name.replace(".yaml", "")).sort()).toEqual(Object.keys(CLOUDS));
});

test.each(Object.entries(CLOUDS))(
  "the example of %s is previewed to a plan: what it makes there, and two agents",
  async (name, { makes }) => {
    clone.write(`Pulumi.${name}.yaml`, clone.file(`examples/stacks/${name}.yaml`));
    await clone.ok(["init", name]);
    // So that nobody on the internet is asked for this machine's address.
    const allowFrom = ["--path", "agent-fleet:ssh.allowFrom[0]", "192.0.2.0/24"];
    await clone.ok(["config", "set", ...allowFrom, "-s", name]);

    const { stdout } = await clone.ok(["preview", "-s", name]);
    const planned = [...stdout.matchAll(/^ \+ {2}(\S+) (\S+) create/gm)];
    const inCloud = planned
      .map(([, type = ""]) => type)
      .filter((type) => !/^(agent-fleet|command|pulumi|tls):/.test(type));
    expect(inCloud.sort()).toEqual([...makes].sort());
    const names = planned.map(([, , resource = ""]) => resource);
    expect(names.filter((resource) => resource.endsWith("-activation")).sort()).toEqual([
      "agent-vm-1@vm-1-activation",
      "agent-vm-2@vm-1-activation",
    ]);
  },
);
