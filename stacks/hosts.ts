/** Provider → host. Each provider's file, and with it its SDK, is loaded only when a stack uses it. */
import type { Host } from "../components/host/host";
import type { KeyPair } from "../components/host/identity";
import type { MachineSize } from "../components/host/local";
import type { Jump } from "../components/remote/connection";
import type { FleetSettings, HostSettings } from "./check";
import type { HostConfig, Provider } from "./schema";

/** What the hosts of one stack share. */
export interface HostContext {
  readonly settings: FleetSettings;
  /** The project's folder. */
  readonly root: string;
  /** The key that VMs of the stack let in. @default - the SSH agent is asked; no host of the stack's own */
  readonly operatorKey: KeyPair | undefined;
  /** Ports on 127.0.0.1 that this run has given away. */
  readonly takenPorts: Set<number>;
}

type Factory<P extends Provider> = (
  context: HostContext,
  host: HostSettings,
  config: Extract<HostConfig, { provider: P }>,
) => Promise<Host>;

const FACTORIES = { local: localHost, ssh: sshHost } satisfies { [P in Provider]: Factory<P> };

/** The host of the settings, by its provider. */
export async function makeHost(context: HostContext, host: HostSettings): Promise<Host> {
  const factory = FACTORIES[host.config.provider] as Factory<Provider>;
  return factory(context, host, host.config);
}

async function localHost(
  { settings, root, operatorKey, takenPorts }: HostContext,
  host: HostSettings,
  config: Extract<HostConfig, { provider: "local" }>,
): Promise<Host> {
  const { LocalHost } = await import("../components/host/local");
  const { planMachine } = await import("../vm/plan");
  if (operatorKey === undefined) {
    throw new Error(`${host.name}: a VM of the stack needs the stack's key`);
  }
  const folder = `.fleet/vms/${settings.stack}-${host.name}`;
  const ports = host.agents.map(({ port }) => port);
  const plan = await planMachine(`${root}/${folder}`, ports, takenPorts);
  for (const port of [plan.sshPort, ...Object.values(plan.forwards)]) {
    takenPorts.add(port);
  }
  return new LocalHost(host.name, {
    root,
    folder,
    plan,
    ports,
    user: host.user,
    size: localSize(config.size ?? "minimum"),
    image: config.image ?? "debian-12",
    protect: config.protect ?? false,
    operatorKey,
  });
}

const LOCAL_SIZES: Readonly<Record<string, MachineSize>> = {
  minimum: { cpus: 2, memoryMiB: 4096, diskGiB: 100 },
  recommended: { cpus: 4, memoryMiB: 8192, diskGiB: 500 },
};

/** `minimum`, `recommended`, or `2cpu-1gb-10gb`; the schema lets nothing else through. */
function localSize(size: string): MachineSize {
  const [cpus = 2, memoryGb = 4, diskGiB = 100] = (size.match(/\d+/g) ?? []).map(Number);
  return LOCAL_SIZES[size] ?? { cpus, memoryMiB: memoryGb * 1024, diskGiB };
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
    ports: host.agents.map(({ port }) => port),
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
