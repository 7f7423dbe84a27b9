/** The settings of a fleet, checked and filled in: what the rest of the program knows of the configuration. */
import type { AgentArgs } from "../components/agent/agent";
import type { Arch, RuntimeName } from "../components/agent/runtimes";
import type { Source } from "../components/agent/source";
import type { Sensitive } from "../components/sensitive";
import type { Exposure } from "../components/host/inbound";
import type { CloudSettings } from "./check-cloud";
import type { HostConfig } from "./schema";
import type { Rollout } from "./waves";

export interface AgentSettings extends Pick<
  AgentArgs,
  | "profile"
  | "port"
  | "env"
  | "secrets"
  | "limits"
  | "healthTimeoutSeconds"
  | "drainSeconds"
  | "enabled"
> {
  readonly name: string;
  /** Where its code comes from; a folder by its absolute path. */
  readonly source: Source;
  /** Where the stack file says so. */
  readonly sourcePath: string;
  /** @default - the profile's own program */
  readonly runtime: RuntimeName | undefined;
  /** @default - it is not asked over HTTP */
  readonly healthCheck: HealthCheck | undefined;
}

/** How an agent is asked for its health from outside its host. */
export interface HealthCheck {
  /** Path of the request, such as `/health`. */
  readonly path: string;
  /** Key of the stack's configuration that holds what proves who asks. @default - nothing is sent */
  readonly secret?: string;
  /** The secret is this user's password (HTTP Basic). @default - it is a Bearer token */
  readonly user?: string;
  /** Headers that it wants besides, by name. @default - none */
  readonly headers?: readonly string[];
}

export interface HostSettings {
  readonly name: string;
  readonly config: HostConfig;
  readonly arch: Arch;
  readonly user: string;
  /** Size, image and region in the provider's words. @default - not a VM in a cloud */
  readonly cloud?: CloudSettings;
  /** How its agents are reached. */
  readonly exposure: Exposure;
  /** False: the host's own firewall is left alone. */
  readonly hostFirewall: boolean;
  readonly agents: readonly AgentSettings[];
}

/** The ports of the agents that listen on one. */
export function portsOf(agents: readonly AgentSettings[]): number[] {
  return agents.flatMap(({ port }) => port ?? []);
}

/** Whether a tunnel leads to the host: to an agent without a port there is nothing to lead. */
export function hasTunnel({ exposure, agents }: HostSettings): boolean {
  return exposure.kind === "tunnel" && portsOf(agents).length > 0;
}

/** Whether the host's own firewall closes ports: where no agent listens there is nothing to close. */
export function isFirewalled({ hostFirewall, agents }: HostSettings): boolean {
  return hostFirewall && portsOf(agents).length > 0;
}

/** The keys of `aws:` that a provider of the stack's own takes over. */
export interface AwsSettings {
  readonly profile?: string;
  readonly accessKey?: string;
  readonly secretKey?: Sensitive;
  readonly token?: Sensitive;
  readonly skipMetadataApiCheck?: boolean;
}

export interface CloudflareSettings {
  readonly accountId: string;
  readonly zoneId: string;
  /** An agent's hostname is `<agent>.<domain>`. */
  readonly domain: string;
  /** True: Cloudflare Access lets in the stack's service token alone. @default false */
  readonly access?: boolean | undefined;
}

export interface FleetSettings {
  readonly stack: string;
  readonly hosts: readonly HostSettings[];
  readonly sshPrivateKey: Sensitive | undefined;
  /** Absent: all agents are changed at once. */
  readonly rollout: Rollout | undefined;
  /** Ranges that may reach port 22 of VMs in a cloud. @default - the address of this machine, found when needed */
  readonly allowFrom: readonly string[] | undefined;
  /** Where tunnels and hostnames of agents are made. @default - no host has a tunnel */
  readonly cloudflare?: CloudflareSettings;
  /** What the stack's configuration has for AWS itself. @default - nothing, the environment decides */
  readonly aws?: AwsSettings;
  readonly keepReleases: number;
  readonly purgeData: boolean;
}
