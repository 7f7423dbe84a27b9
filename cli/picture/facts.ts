/** What the picture of a fleet tells: the stack's outputs as deployed, and what the hosts have just answered. Pure. */
import { CONNECTED, isWell } from "../agent-status";
import type { AgentStatus } from "../agent-status";
import { agentsOn } from "../ask";
import type { HostOutput, Outputs } from "../outputs";

export interface Picture {
  readonly stack: string;
  /** When the hosts were asked: `2026-01-02 03:04 UTC`. */
  readonly time: string;
  readonly hosts: readonly PictureHost[];
}

export interface PictureHost {
  readonly name: string;
  readonly provider: string;
  /** `root@203.0.113.7:22` */
  readonly ssh: string;
  /** Whether the firewall on the host closes the agents' ports; null where nobody has stored it. */
  readonly firewall: boolean | null;
  readonly way: Way;
  /** Why the host could not be asked. */
  readonly reason: string | null;
  readonly agents: readonly PictureAgent[];
}

/** Who reaches the agents' ports from outside of the host. */
export interface Way {
  /** down: a tunnel that is not connected. */
  readonly kind: "open" | "closed" | "tunnel" | "down" | "unknown";
  readonly from: string;
  readonly details: readonly string[];
}

export interface PictureAgent {
  readonly name: string;
  /** As ./fleet status calls it, or `not reached` where the agent is well and the way to it is not. */
  readonly state: string;
  /** What does not work. */
  readonly note: string | null;
  readonly port: number | null;
  readonly jobs: number | string | null;
  readonly release: string;
  readonly since: string;
  readonly url: string;
}

export const NOT_REACHED = "not reached";

/** @param hosts names of those that are drawn */
export function pictureOf(
  stack: string,
  asked: Date,
  outputs: Outputs,
  hosts: readonly string[],
  statuses: readonly AgentStatus[],
): Picture {
  return {
    stack,
    time: `${asked.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    hosts: hosts.flatMap((name) => {
      const host = outputs.hosts[name];
      const on = statuses.filter((status) => status.host === name);
      return host === undefined ? [] : [hostOf(name, host, outputs, on)];
    }),
  };
}

function hostOf(
  name: string,
  host: HostOutput,
  outputs: Outputs,
  statuses: readonly AgentStatus[],
): PictureHost {
  const jump = host.bastion === undefined ? "" : ` through ${host.bastion.address}`;
  return {
    name,
    provider: host.provider,
    ssh: `${host.user}@${host.address}:${String(host.port)}${jump}`,
    firewall: host.hostFirewall ?? null,
    way: wayTo(
      host,
      agentsOn(outputs, name).some(([, { port }]) => port !== undefined),
      statuses,
    ),
    reason: statuses.find(({ reason }) => reason !== undefined)?.reason ?? null,
    agents: statuses.map((status) => agentOf(status, outputs)),
  };
}

function agentOf(status: AgentStatus, { agents }: Outputs): PictureAgent {
  const { agent, state, failed, jobs, release, since, url, reason } = status;
  const isCutOff = failed !== undefined && isWell({ state });
  return {
    ...{ name: agent, state: isCutOff ? NOT_REACHED : state, note: failed ?? reason ?? null },
    ...{ port: agents[agent]?.port ?? null, jobs, release, since, url },
  };
}

function wayTo(host: HostOutput, listens: boolean, statuses: readonly AgentStatus[]): Way {
  const { exposure, privateFrom = [], hostFirewall, provider } = host;
  if (!listens) return { kind: "closed", from: "nobody", details: ["no agent listens on a port"] };
  switch (exposure) {
    case "tunnel":
      return { ...tunnelOf(statuses), from: "Cloudflare Tunnel" };
    case "cloudflare":
      return { kind: "open", from: "Cloudflare", details: ["its published ranges"] };
    case "private":
      break;
    default:
      return { kind: "unknown", from: "not known", details: ["./fleet up stores it"] };
  }
  // In a cloud its firewall stands before the host; a local VM is reached by its forwards alone.
  if (hostFirewall === false && provider === "ssh")
    return { kind: "open", from: "whoever reaches the host", details: [] };
  if (privateFrom.length > 0) return { kind: "open", from: "private ranges", details: privateFrom };
  return provider === "local"
    ? { kind: "open", from: "this machine", details: ["by forwards to the VM"] }
    : { kind: "closed", from: "nobody", details: ["but the host itself"] };
}

function tunnelOf(statuses: readonly AgentStatus[]): Pick<Way, "kind" | "details"> {
  const tunnel = statuses.find((status) => status.tunnel !== null)?.tunnel;
  if (tunnel === CONNECTED) return { kind: "tunnel", details: [CONNECTED] };
  if (tunnel !== undefined && tunnel !== null) return { kind: "down", details: [tunnel] };
  const isAsked = statuses.every(({ reason }) => reason === undefined);
  return isAsked
    ? { kind: "down", details: ["not on the host"] }
    : { kind: "unknown", details: ["the host does not tell"] };
}
