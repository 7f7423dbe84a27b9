/** Provider → host. Each provider's file, and with it its SDK, is loaded only when a stack uses it. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../components/host/host";
import type { KeyPair } from "../components/host/identity";
import { inboundRules } from "../components/host/inbound";
import { plainSize, type CloudProvider, type MachineSize } from "../components/host/offers";
import type { CloudHostArgs } from "../components/host/vm";
import type { Jump } from "../components/remote/connection";
import { portsOf, type FleetSettings, type HostSettings } from "./fleet-settings";
import type { CloudConfig, CloudSettings } from "./check-cloud";
import type { HostConfig, Provider } from "./schema";
import { userError } from "../components/user-error";

/** What the hosts of one stack share. */
export interface HostContext {
  readonly settings: FleetSettings;
  /** The project's folder. */
  readonly root: string;
  /** The key that VMs of the stack let in. @default - the SSH agent is asked; no host of the stack's own */
  readonly operatorKey: KeyPair | undefined;
  /** Ranges that may reach port 22 of VMs in a cloud. */
  readonly allowFrom: readonly string[];
  /** What several hosts use, such as the operator's key at a provider, by its name. */
  readonly shared: Map<string, unknown>;
}

type Factory<P extends Provider> = (
  context: HostContext,
  host: HostSettings,
  config: Extract<HostConfig, { provider: P }>,
) => Promise<Host>;

const FACTORIES = {
  local: localHost,
  ssh: sshHost,
  hcloud: hetznerHost,
  digitalocean: digitalOceanHost,
  aws: awsHost,
  gcp: gcpHost,
  azure: azureHost,
  linode: linodeHost,
  vultr: vultrHost,
  ovh: ovhHost,
  proxmox: proxmoxHost,
} satisfies { [P in Provider]: Factory<P> };

/**
 * The host of the settings, by its provider.
 * @throws pulumi.RunError where the provider's SDK is not installed
 */
export async function makeHost(context: HostContext, host: HostSettings): Promise<Host> {
  const factory = FACTORIES[host.config.provider] as Factory<Provider>;
  try {
    return await factory(context, host, host.config);
  } catch (error) {
    const { provider } = host.config;
    throw withoutSdk(`hosts.${host.name}.provider: got "${provider}"`, error) ?? error;
  }
}

/** What to say where a package that the setting needs is not installed; undefined for any other error. */
export function withoutSdk(setting: string, error: unknown): pulumi.RunError | undefined {
  const { code, message = "" } = error as { code?: string; message?: string };
  const sdk = /^Cannot find module '(@[^/']+\/[^/']+)/.exec(message)?.[1];
  return code === "MODULE_NOT_FOUND" && sdk !== undefined
    ? userError(
        `${setting}, whose package ${sdk} is not installed here; ./fleet installs what a stack uses: run ./fleet up -s ${pulumi.getStack()}`,
      )
    : undefined;
}

async function localHost(
  { settings, root, operatorKey }: HostContext,
  host: HostSettings,
  config: Extract<HostConfig, { provider: "local" }>,
): Promise<Host> {
  const { LocalHost } = await import("../components/host/local");
  const { planMachine } = await import("../vm/plan");
  const { bakedFolders, isImageFile } = await import("../vm/agent/manifest");
  if (operatorKey === undefined) {
    throw new Error(`${host.name}: a VM of the stack needs the stack's key`);
  }
  const folder = `.fleet/vms/${settings.stack}-${host.name}`;
  const ports = portsOf(host.agents);
  const plan = await planMachine(`${root}/${folder}`, ports);
  const image = config.image ?? "debian-12";
  return new LocalHost(host.name, {
    root,
    folder,
    plan,
    ports,
    user: host.user,
    size: localSize(config.size ?? "minimum"),
    image,
    ...(isImageFile(image) ? { baked: bakedFolders(resolve(root, image)) } : {}),
    protect: config.protect ?? false,
    operatorKey,
  });
}

const LOCAL_SIZES: Readonly<Record<string, string>> = {
  minimum: "2cpu-4gb-100gb",
  recommended: "4cpu-8gb-500gb",
};

/** `minimum`, `recommended`, or `2cpu-1gb-10gb`; the schema lets nothing else through. */
function localSize(size: string): MachineSize {
  return plainSize(LOCAL_SIZES[size] ?? size);
}

async function sshHost(
  { operatorKey }: HostContext,
  host: HostSettings,
  config: Extract<HostConfig, { provider: "ssh" }>,
): Promise<Host> {
  const { SshHost } = await import("../components/host/ssh");
  return new SshHost(host.name, {
    address: config.address,
    port: config.ssh?.port ?? 22,
    user: host.user,
    hostKey: config.hostKey,
    ports: portsOf(host.agents),
    privateKey: operatorKey?.privateKey,
    bastion: jump(host.user, config),
  });
}

/** `[user@]host[:port]` with the host's own user and port 22 where they are not given. */
function jump(user: string, { ssh }: Extract<HostConfig, { provider: "ssh" }>): Jump | undefined {
  if (ssh?.bastion === undefined || ssh.bastionHostKey === undefined) {
    return undefined;
  }
  const [, login, address = "", port] = /^(?:([^@]+)@)?([^:]+)(?::(\d+))?$/.exec(ssh.bastion) ?? [];
  return { address, port: Number(port ?? 22), user: login ?? user, hostKey: ssh.bastionHostKey };
}

async function hetznerHost(context: HostContext, host: HostSettings, config: Cloud<"hcloud">) {
  const { HetznerHost, hetznerKey } = await import("../components/host/hcloud");
  const args = cloudArgs(context, host, config);
  const key = shared(context, "operator-key-hcloud", (name) =>
    hetznerKey(name, args.operatorKey, stackLabels(args)),
  );
  return new HetznerHost(host.name, { ...args, key });
}

async function digitalOceanHost(
  context: HostContext,
  host: HostSettings,
  config: Cloud<"digitalocean">,
) {
  const { DigitalOceanHost, digitalOceanKey } = await import("../components/host/digitalocean");
  const args = cloudArgs(context, host, config);
  const key = shared(context, "operator-key-digitalocean", (name) =>
    digitalOceanKey(name, args.operatorKey),
  );
  return new DigitalOceanHost(host.name, { ...args, key });
}

async function awsHost(context: HostContext, host: HostSettings, config: Cloud<"aws">) {
  const { AwsHost, awsKey, awsProvider } = await import("../components/host/aws");
  const args = cloudArgs(context, host, config);
  const { secretKey, token, ...plain } = context.settings.aws ?? {};
  const provider = shared(context, `aws-${args.region}`, (name) =>
    awsProvider(name, args.region, {
      ...plain,
      ...(secretKey === undefined ? {} : { secretKey: secretKey.reveal() }),
      ...(token === undefined ? {} : { token: token.reveal() }),
    }),
  );
  const key = shared(context, `operator-key-aws-${args.region}`, (name) =>
    awsKey(name, args.operatorKey, stackLabels(args), provider),
  );
  return new AwsHost(host.name, { ...args, provider, key });
}

async function gcpHost(context: HostContext, host: HostSettings, config: Cloud<"gcp">) {
  const { GcpHost, gcpNetwork, gcpSubnetwork } = await import("../components/host/gcp");
  const args = cloudArgs(context, host, config);
  const region = args.region.replace(/-[a-z]$/, "");
  const network = shared(context, "gcp-network", gcpNetwork);
  const subnetwork = shared(context, `gcp-subnetwork-${region}`, (name) =>
    gcpSubnetwork(name, region, network),
  );
  // Secure Boot of Google's Arm machines and images was never tried here.
  const secureBoot = host.arch === "amd64";
  return new GcpHost(host.name, { ...args, network, subnetwork, secureBoot });
}

async function azureHost(context: HostContext, host: HostSettings, config: Cloud<"azure">) {
  const { AzureHost, azureGroup, azureSubnet } = await import("../components/host/azure");
  const args = cloudArgs(context, host, config);
  const { region } = args;
  const labels = stackLabels(args);
  const group = shared(context, `azure-group-${region}`, (name) =>
    azureGroup(name, region, labels),
  );
  const subnetId =
    args.network ??
    shared(context, `azure-network-${region}`, (name) => azureSubnet(name, region, group, labels));
  const trustedLaunch = host.arch === "amd64";
  return new AzureHost(host.name, { ...args, group, subnetId, trustedLaunch });
}

async function linodeHost(context: HostContext, host: HostSettings, config: Cloud<"linode">) {
  const { LinodeHost } = await import("../components/host/linode");
  return new LinodeHost(host.name, cloudArgs(context, host, config));
}

async function vultrHost(context: HostContext, host: HostSettings, config: Cloud<"vultr">) {
  const { VultrHost, vultrKey } = await import("../components/host/vultr");
  const args = cloudArgs(context, host, config);
  const key = shared(context, "operator-key-vultr", (name) => vultrKey(name, args.operatorKey));
  return new VultrHost(host.name, { ...args, key });
}

async function ovhHost(context: HostContext, host: HostSettings, config: Cloud<"ovh">) {
  const { OvhHost } = await import("../components/host/ovh");
  return new OvhHost(host.name, cloudArgs(context, host, config));
}

async function proxmoxHost(context: HostContext, host: HostSettings, config: Cloud<"proxmox">) {
  const { ProxmoxHost } = await import("../components/host/proxmox");
  void pulumi.log.warn(
    `${host.name}: its firewall closes nothing where the firewall of the Proxmox datacenter is off, which cannot be seen from here; look at Datacenter → Firewall → Options`,
  );
  return new ProxmoxHost(host.name, {
    ...cloudArgs(context, host, config),
    linkedClone: config.linkedClone ?? false,
    storage: config.storage ?? "local-lvm",
    snippets: config.snippets ?? "local",
    bridge: config.network ?? "vmbr0",
  });
}

type Cloud<P extends CloudProvider> = Extract<CloudConfig, { provider: P }>;

/** What every provider gets to know of a VM. */
function cloudArgs(
  { settings, root, operatorKey, allowFrom }: HostContext,
  host: HostSettings,
  config: CloudConfig,
): CloudHostArgs & Pick<CloudSettings, "diskGib" | "network"> {
  if (operatorKey === undefined || host.cloud === undefined) {
    throw new Error(
      `${host.name}: a VM of the stack needs the stack's key and its cloud's settings`,
    );
  }
  const ports = portsOf(host.agents);
  return {
    ...host.cloud,
    ports,
    user: host.user,
    inbound: inboundRules({ allowFrom, exposure: host.exposure, ports }),
    operatorKey,
    cloudInit: readFileSync(join(root, "assets/cloud-init/user-data.yaml"), "utf8"),
    labels: { project: "agent-fleet", stack: settings.stack, host: host.name },
    protect: config.protect ?? false,
  };
}

/** Labels of what belongs to a stack and to no host. */
function stackLabels({ labels: { project, stack } }: CloudHostArgs) {
  return { project, stack };
}

/** What several hosts of a stack use is made at its first use. */
function shared<T>({ shared: known }: HostContext, name: string, make: (name: string) => T): T {
  const value = (known.get(name) as T | undefined) ?? make(name);
  known.set(name, value);
  return value;
}
