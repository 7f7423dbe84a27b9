/** The stack's outputs: a contract with whoever reads them. */
import type * as pulumi from "@pulumi/pulumi";
import type { Activation, Agent } from "../components/agent/agent";
import type { Host } from "../components/host/host";
import type { Exposure } from "../components/host/inbound";
import type { Access } from "../components/network/access";
import { isFirewalled, type HealthCheck, type HostSettings } from "./fleet-settings";
import type { Delivered } from "./install";
import type { Provider } from "./schema";

export interface AgentOutput {
  readonly host: string;
  /** The systemd unit, such as `tseeder-agent@agent-vm-1`. */
  readonly unit: string;
  /** TCP port on the host. @default - it listens nowhere */
  readonly port?: number;
  /** Id of the release that runs. */
  readonly release: string;
  /** Base URL for the control plane, without a trailing slash. @default - it has no port */
  readonly url?: pulumi.Input<string>;
  /** How its health is asked at the URL. @default - not over HTTP */
  readonly healthCheck?: HealthCheck;
  /** `available` or `disabled`, as of the last activation. */
  readonly health: pulumi.Output<string>;
  /** What the last activation did: restarted, gapSeconds, drain, drainedSeconds, jobsLeft. */
  readonly activation: pulumi.Output<Activation>;
}

export interface HostOutput {
  readonly provider: Provider;
  readonly address: pulumi.Input<string>;
  /** SSH port. */
  readonly port: number;
  readonly user: string;
  /** The pinned ed25519 host key. */
  readonly hostKey: pulumi.Input<string>;
  /** Jump host. @default - none */
  readonly bastion?: {
    readonly address: string;
    readonly port: number;
    readonly user: string;
    readonly hostKey: string;
  };
  /** How the agents' ports are reached from outside. */
  readonly exposure: Exposure["kind"];
  /** Ranges that may reach them with exposure private. @default - none */
  readonly privateFrom?: readonly string[];
  /** Whether the firewall on the host closes them to all others. */
  readonly hostFirewall: boolean;
}

/** What a request to an agent's hostname must send, as the headers CF-Access-Client-Id and CF-Access-Client-Secret. */
export interface AccessOutput {
  readonly clientId: pulumi.Output<string>;
  readonly clientSecret: pulumi.Output<string>;
}

export interface FleetOutputs {
  readonly agents: Record<string, AgentOutput>;
  readonly hosts: Record<string, HostOutput>;
  /** A secret: the key that the hosts let in. @default - the SSH agent holds it */
  readonly sshPrivateKey?: pulumi.Output<string>;
  /** Secrets. @default - no Cloudflare Access stands before the hostnames */
  readonly access?: AccessOutput;
}

export function agentOutput(
  { host, agent: settings, build, url }: Delivered,
  agent: Agent,
): AgentOutput {
  return {
    host: host.name,
    unit: `${settings.profile.service}@${settings.name}`,
    ...(settings.port === undefined ? {} : { port: settings.port }),
    release: build.release.id,
    ...(url === undefined ? {} : { url }),
    ...(settings.healthCheck === undefined ? {} : { healthCheck: settings.healthCheck }),
    health: agent.health,
    activation: agent.activation,
  };
}

export function hostOutput(host: Host, settings: HostSettings): HostOutput {
  const { address, port, user, hostKey, bastion } = host.connection;
  const { config, exposure } = settings;
  return {
    provider: config.provider,
    address,
    port,
    user,
    hostKey,
    ...(bastion === undefined ? {} : { bastion }),
    exposure: exposure.kind,
    ...(config.privateFrom === undefined ? {} : { privateFrom: config.privateFrom }),
    hostFirewall: isFirewalled(settings),
  };
}

export function accessOutput({ clientId, clientSecret }: Access): AccessOutput {
  return { clientId, clientSecret };
}
