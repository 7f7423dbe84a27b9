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
    "What the checks prove is what the engine is asked to make, under Pulumi's mocks.",
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
    "  if an image lets it, the pin does not match and every connection is refused. Secure Boot is off on arm64.",
    "- A changed operator key reaches no VM that exists: it is planted at the first boot alone.",
    "- The private host key stays in the user data, which programs on the VM can read from the metadata",
    "  service; the units of agents are cut off from it.",
    "",
  ].join("\n");
}
