/** docs/providers.md, made from the checks of the conformance suite. */
import { OFFERS, type CloudProvider } from "../../../components/host/offers";

interface Row {
  readonly claim: string;
  readonly except?: Readonly<Partial<Record<CloudProvider, string>>>;
}

export function renderProviders(rows: readonly Row[], providers: readonly CloudProvider[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const sizes = (provider: CloudProvider, size: "minimum" | "recommended") => {
    const { amd64 = "none", arm64 = "none" } = OFFERS[provider].sizes[size];
    return `${amd64}; arm64: ${arm64}`;
  };
  const offer = (title: string, cell: (provider: CloudProvider) => string) =>
    line([title, ...providers.map(cell)]);
  return [
    "# Providers",
    "",
    "<!-- Made by tests/components/host/conformance.test.ts: UPDATE_DOCS=1 npx jest tests/components/host/conformance -->",
    "",
    "One word changes the provider of a host; `examples/stacks/` has a ready file for each. Beside",
    "these there are `local` (a QEMU VM on this machine) and `ssh` (a machine that exists).",
    "",
    "**No cloud in these tables was ever used in a test: nothing here has run against a real account.**",
    "What the checks prove is what the engine is asked to make, under Pulumi's mocks. With stand-ins for the",
    "clouds' plugins the engine itself plans each ready file, and takes Hetzner's path to its end: to a VM on this",
    "machine that boots from the server's user data, and back.",
    "",
    "## What the words mean",
    "",
    line(["", ...providers.map((provider) => `\`${provider}\` (${OFFERS[provider].title})`)]),
    line(["", ...providers].map(() => "---")),
    offer("`minimum`", (provider) => sizes(provider, "minimum")),
    offer("`recommended`", (provider) => sizes(provider, "recommended")),
    offer("default region", (provider) => OFFERS[provider].defaultRegion),
    offer("login", (provider) => OFFERS[provider].user),
    "",
    "## What is checked",
    "",
    line(["", ...providers.map((provider) => `\`${provider}\``)]),
    line(["", ...providers].map(() => "---")),
    ...rows.map(({ claim, except = {} }) =>
      offer(claim, (provider) => except[provider] ?? "checked"),
    ),
    offer("run against the real cloud", () => "**never**"),
    "",
    "## To know before the first run",
    "",
    "- `hcloud`: where a type can be had depends on the location and changes; one that cannot is refused by",
    "  Hetzner at `up`. `cpx62` was not looked up. Disks are not encrypted by the provider as far as it says.",
    "- `hcloud`, `digitalocean`: a public key can be registered once only. Two stacks in one project that",
    "  share `sshPrivateKey` collide; leave it out, and each stack makes a key of its own.",
    "- `aws`: the VM is in the default VPC of the region, and its address changes when it is stopped and",
    "  started: `./fleet refresh` takes the new one over.",
    "- `gcp`: root cannot log in, so the user is `fleet`. Google's guest agent can make host keys of its own;",
    "  if an image lets it, the first contact ends with another host key, and says so. Secure Boot is off on arm64.",
    "- `hcloud`, `vultr`: their firewalls do not filter private networks, where the agents' ports would be",
    "  open to every neighbour, so that no `network` can be given. `gcp`: a network that exists can have",
    "  rules that open port 22.",
    "- `azure`: root cannot log in, so the user is `fleet`. On amd64 the VM is a trusted launch, which needs",
    "  an image of generation 2. Images with a purchase plan are refused by Azure.",
    "- `linode`: the disk is asked for encrypted, and the cloud-init document comes from the metadata service.",
    "  A region without the first refuses the VM; in one without the second every connection is refused.",
    "- `vultr`: the package and its plugin are not Pulumi's but the community's. Vultr gives root a password",
    "  of its own, a secret in the state; SSH takes no password.",
    "- `ovh`: by OpenStack ([why](decisions/0011-ovh-by-openstack.md)). The disk is a volume of type",
    "  `high-speed`, not encrypted. Its size is that of the first `up`: another one would rebuild the VM.",
    "- `aws`, `gcp`, `azure`: whether a disk can grow with another `size` is the provider's to say; look at",
    "  the preview before you change it.",
    "- `proxmox`: the package and its plugin are the community's. `agent-fleet:ssh.allowFrom` has to be given, as",
    "  the VM is in your own network. It needs",
    "  - a template with cloud-init, a running qemu-guest-agent and its disk at `scsi0`;",
    "  - DHCP on the bridge, and SSH to the address that the guest agent tells within 120 seconds;",
    "  - a storage with the content type Snippets, and SSH to the node as root or a user with sudo:",
    "    Proxmox's API takes no snippets. The document, with the VM's first host key, stays there as a",
    "    file until the VM is destroyed; the VM does not start without it;",
    "  - a token with PVEVMAdmin on /vms, PVEDatastoreUser on the storages and PVESDNUser on the bridge's",
    "    zone (from memory); a self-signed certificate only by `PROXMOX_VE_INSECURE=true` or",
    "    `proxmoxve:insecure: true`;",
    "  - the firewall of the datacenter switched on. **Where it is off the VM's rules close nothing**;",
    "    it cannot be asked for from here, so `up` says so each time.",
    "- A changed operator key reaches no VM that exists: it is planted at the first boot alone.",
    "- The first private host key stays in the user data, which programs on the VM can read from the metadata",
    "  service; the units of agents are cut off from it. It opens nothing after the first contact, when the VM",
    "  gets its own ([why](decisions/0015-two-host-keys.md)).",
    "",
  ].join("\n");
}
