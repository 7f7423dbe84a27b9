/**
 * Every cloud's file of examples/stacks under the real engine, up to its plan, and OpenCode's, whose program is in a
 * registry. The clouds' plugins are the stand-in that takes whatever it is given: what a cloud itself would refuse is not
 * seen here.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { OFFERS } from "../../components/host/offers";
import { Clone } from "../e2e/support/clone";
import { follow, shellBlocks } from "../e2e/support/guide";
import { allowNobody, CLOUDS, initExample, previewExamples } from "../toolchain/support/any-cloud";

/** What the plan of each has in its cloud. */
const PLANS: Readonly<Record<keyof typeof CLOUDS, readonly string[]>> = {
  aws: ["aws:ec2:SecurityGroup", "aws:ec2:KeyPair", "aws:ec2:Instance"],
  azure: [
    "azure-native:resources:ResourceGroup",
    "azure-native:network:PublicIPAddress",
    "azure-native:network:VirtualNetwork",
    "azure-native:network:NetworkSecurityGroup",
    "azure-native:network:NetworkInterface",
    "azure-native:compute:VirtualMachine",
  ],
  digitalocean: [
    "digitalocean:index:SshKey",
    "digitalocean:index:Tag",
    "digitalocean:index:Firewall",
    "digitalocean:index:Droplet",
  ],
  gcp: [
    "gcp:compute:Network",
    "gcp:compute:Subnetwork",
    "gcp:compute:Firewall",
    "gcp:compute:Instance",
  ],
  hcloud: ["hcloud:index:SshKey", "hcloud:index:Firewall", "hcloud:index:Server"],
  linode: ["linode:index:Firewall", "linode:index:Instance"],
  ovh: [
    "openstack:networking:SecGroup",
    "openstack:networking:SecGroupRule",
    "openstack:compute:Instance",
  ],
  proxmox: [
    "proxmoxve:index:FileLegacy",
    "proxmoxve:index:VmLegacy",
    "proxmoxve:firewall:OptionsLegacy",
    "proxmoxve:firewall:RulesLegacy",
  ],
  vultr: [
    "vultr:index:SSHKey",
    "vultr:index:FirewallGroup",
    "vultr:index:FirewallRule",
    "vultr:index:Instance",
  ],
};

const clone = new Clone();

beforeAll(async () => {
  await previewExamples(clone);
});
afterAll(() => {
  clone.remove();
});

test("every example of a cloud has a row here", () => {
  const files = readdirSync(join(__dirname, "../../examples/stacks"));
  const names = files.map((name) => name.replace(".yaml", ""));
  // The others are of agents, not of clouds.
  expect(names.filter((name) => name in OFFERS).sort()).toEqual(Object.keys(PLANS));
});

test.each(Object.entries(PLANS))(
  "the example of %s is previewed to a plan: what it makes there, and two agents",
  async (name, makes) => {
    await initExample(clone, name);
    await expectPlan(name, makes);
  },
);

test("another word for the provider is all that leads from Hetzner's plan to DigitalOcean's", async () => {
  await initExample(clone, "hcloud");
  const file = clone.file("Pulumi.hcloud.yaml");
  clone.write("Pulumi.hcloud.yaml", file.replace("provider: hcloud", "provider: digitalocean"));
  await expectPlan("hcloud", PLANS.digitalocean);
});

test("README's lines for a VM in a cloud lead to Hetzner's plan; in place of its last line, up, stands preview", async () => {
  const [block = ""] = shellBlocks(clone.file("README.md"), "## A VM in a cloud");
  const lines = block.trim().split("\n");
  expect(lines.pop()).toBe("./fleet up -s prod");
  await follow(clone, lines.join("\n"));
  await allowNobody(clone, "prod");
  await expectPlan("prod", PLANS.hcloud);
});

test("the example of OpenCode is previewed to a plan: a VM on this machine, the program once, and two sessions", async () => {
  await initExample(clone, "opencode");
  const names = await expectPlan("opencode", [], ["session-1@vm-1", "session-2@vm-1"]);
  expect(names.filter((name) => name.endsWith("-upload")).sort()).toEqual([
    "vm-1-opencode-assets-profiles-opencode-upload",
    "vm-1-opencode-opencode-upload",
  ]);
});

/** @returns the names of all that is planned */
async function expectPlan(
  stack: string,
  makes: readonly string[],
  agents: readonly string[] = ["agent-vm-1@vm-1", "agent-vm-2@vm-1"],
): Promise<string[]> {
  const { stdout } = await clone.ok(["preview", "-s", stack]);
  const planned = [...stdout.matchAll(/^ \+ {2}(\S+) (\S+) create/gm)];
  const inCloud = planned
    .map(([, type = ""]) => type)
    .filter((type) => !/^(agent-fleet|command|pulumi|tls):/.test(type));
  expect(inCloud.sort()).toEqual([...makes].sort());
  const names = planned.map(([, , resource = ""]) => resource);
  expect(names.filter((resource) => resource.endsWith("-activation")).sort()).toEqual(
    agents.map((agent) => `${agent}-activation`),
  );
  return names;
}
