/** Places the stand-in for a cloud's plugin, which tests alone use. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clone } from "../../e2e/support/clone";
import { findGo, goBuild } from "../../../toolchain/go";
import { sourceHash } from "../../../toolchain/standin";
import { PLUGINS, type PluginName } from "../../../toolchain/versions";

const MODULE = join(__dirname, "../../../toolchain/standins");

/** Builds it as the plugins of these names. @param home - a $PULUMI_HOME of the test's own */
export async function placeAnyCloud(home: string, names: readonly PluginName[]): Promise<void> {
  const found = findGo(process.env["PATH"] ?? "");
  if ("missing" in found) throw new Error(`the stand-ins are Go programs: ${found.missing}`);
  for (const name of names) {
    const folder = join(home, "plugins", `resource-${name}-v${PLUGINS[name]}`);
    mkdirSync(folder, { recursive: true });
    await goBuild({
      go: found.go,
      what: `the stand-in for ${name}`,
      module: MODULE,
      program: "./any-cloud",
      output: join(folder, `pulumi-resource-${name}`),
      variables: {},
      say: () => undefined,
    });
    const note = `This is a stand-in for tests: it makes nothing.\nsource sha256:${sourceHash()}\n`;
    writeFileSync(join(folder, "STAND-IN"), note);
  }
}

/** By the name of its ready stack file: the plugin of a cloud, and credentials that nobody asks for. */
export const CLOUDS = {
  aws: { plugin: "aws", env: { AWS_ACCESS_KEY_ID: "x" } },
  azure: { plugin: "azure-native", env: { ARM_CLIENT_ID: "x", ARM_SUBSCRIPTION_ID: "x" } },
  digitalocean: { plugin: "digitalocean", env: { DIGITALOCEAN_TOKEN: "x" } },
  gcp: { plugin: "gcp", env: { GOOGLE_CREDENTIALS: "x", GOOGLE_PROJECT: "x" } },
  hcloud: { plugin: "hcloud", env: { HCLOUD_TOKEN: "x" } },
  linode: { plugin: "linode", env: { LINODE_TOKEN: "x" } },
  ovh: { plugin: "openstack", env: { OS_CLOUD: "x" } },
  proxmox: {
    plugin: "proxmoxve",
    env: {
      PROXMOX_VE_ENDPOINT: "https://192.0.2.1:8006",
      PROXMOX_VE_API_TOKEN: "x",
      PROXMOX_VE_SSH_USERNAME: "x",
      PROXMOX_VE_SSH_AGENT: "x",
    },
  },
  vultr: { plugin: "vultr", env: { VULTR_API_KEY: "x" } },
} as const satisfies Record<string, Cloud>;

interface Cloud {
  readonly plugin: PluginName;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A clone that previews the ready stack files. What it sets in this process's environment stays.
 * @param clone - made by the caller, who removes it
 */
export async function previewExamples(clone: Clone): Promise<void> {
  const clouds = Object.values(CLOUDS);
  const home = clone.path("pulumi-home");
  Object.assign(process.env, ...clouds.map(({ env }) => env), { PULUMI_HOME: home });
  await placeAnyCloud(
    home,
    clouds.map(({ plugin }) => plugin),
  );
}

/** The stack of a ready file, as an operator begins with it. */
export async function initExample(clone: Clone, name: string): Promise<void> {
  clone.write(`Pulumi.${name}.yaml`, clone.file(`examples/stacks/${name}.yaml`));
  await clone.ok(["init", name]);
  await allowNobody(clone, name);
}

/** A range of nobody for SSH, so that nobody on the internet is asked for this machine's address. */
export async function allowNobody(clone: Clone, stack: string): Promise<void> {
  const allowFrom = ["--path", "agent-fleet:ssh.allowFrom[0]", "192.0.2.0/24"];
  await clone.ok(["config", "set", ...allowFrom, "-s", stack]);
}
