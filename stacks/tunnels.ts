/** The tunnels of the fleet. Cloudflare's SDK is loaded, and cloudflared fetched, only where a host has one. */
import * as pulumi from "@pulumi/pulumi";
import type { Arch } from "../components/agent/runtimes";
import type { Host } from "../components/host/host";
import type { Access } from "../components/network/access";
import type { LocalFile } from "../components/remote/step";
import { cacheFolder } from "../vm/cache";
import { tunnelFiles } from "./assets";
import { fetchCloudflared, loadCloudflaredPin } from "./cloudflared";
import { hasTunnel, type FleetSettings, type HostSettings } from "./fleet-settings";
import { withoutSdk } from "./hosts";
import { childOf } from "./install";
import { userError } from "../components/user-error";

export interface Tunnels {
  /** Makes the tunnel of a host, where it has one. */
  readonly make: (host: Host, settings: HostSettings, after: readonly pulumi.Resource[]) => void;
  /** What stands before the hostnames. @default - nothing */
  readonly access?: Access | undefined;
}

/** @throws pulumi.RunError where the SDK is not installed or cloudflared cannot be had; nothing is registered by then */
export async function prepareTunnels(settings: FleetSettings, root: string): Promise<Tunnels> {
  const { stack, cloudflare } = settings;
  const hosts = settings.hosts.filter(hasTunnel);
  const [first] = hosts;
  if (cloudflare === undefined || first === undefined) {
    return { make: () => undefined };
  }
  const { Tunnel, Access } = await loadTunnel(first);
  const programs = await fetchPrograms(new Set(hosts.map(({ arch }) => arch)), root);
  const files = tunnelFiles(root);
  const { access: isGuarded = false, ...account } = cloudflare;
  const access = isGuarded ? new Access("access", { stack, ...account }) : undefined;
  const make: Tunnels["make"] = (host, hostSettings, after) => {
    const program = programs.get(hostSettings.arch);
    if (!hasTunnel(hostSettings) || program === undefined) return;
    const agents = hostSettings.agents.flatMap(({ name, port }) =>
      port === undefined ? [] : [{ name, port }],
    );
    new Tunnel(
      `${host.name}-tunnel`,
      { host, stack, ...account, agents, access, program, files, after },
      childOf(host),
    );
  };
  return { make, access };
}

async function loadTunnel({ name }: HostSettings) {
  try {
    return {
      ...(await import("../components/network/tunnel")),
      ...(await import("../components/network/access")),
    };
  } catch (error) {
    throw withoutSdk(`hosts.${name}.exposure: got "tunnel"`, error) ?? error;
  }
}

async function fetchPrograms(
  archs: ReadonlySet<Arch>,
  root: string,
): Promise<ReadonlyMap<Arch, LocalFile>> {
  const pin = loadCloudflaredPin(root);
  const programs = new Map<Arch, LocalFile>();
  for (const arch of archs) {
    try {
      const say = (line: string) => void pulumi.log.info(line);
      programs.set(arch, await fetchCloudflared(pin, arch, cacheFolder(), say));
    } catch (error) {
      throw userError(error instanceof Error ? error.message : String(error));
    }
  }
  return programs;
}
