/** How a host's agents are reached: what the stack file means, and what it cannot have. */
import type { Exposure } from "../components/host/inbound";
import { METRICS_PORT } from "../components/network/ingress";
import type { Context } from "./check-context";
import { loadRanges } from "./cloudflare-ranges";
import { missingCloudflareCredentials } from "./credentials";
import { exposureKind } from "./exposure";
import { hasTunnel, type FleetSettings, type HostSettings } from "./fleet-settings";
import { addOnce, type Problem } from "./problems";
import type { HostConfig } from "./schema";

export function exposureOf({ values, root }: Context, host: HostConfig): Exposure {
  const kind = exposureKind(host, values["cloudflare"]);
  switch (kind) {
    case "private":
      return { kind, from: host.privateFrom ?? [] };
    case "tunnel":
      return { kind };
    case "cloudflare": {
      const { ipv4, ipv6 } = loadRanges(root);
      return { kind, ranges: [...ipv4, ...ipv6] };
    }
  }
}

/** Rules of one host. */
export function exposureRules({ values }: Context, path: string, host: HostConfig): Problem[] {
  const kind = exposureKind(host, values["cloudflare"]);
  const problems: Problem[] = [];
  if (kind === "tunnel" && values["cloudflare"] === undefined) {
    problems.push({
      path: `${path}.exposure`,
      text: 'got "tunnel", which needs a Cloudflare account and zone; add agent-fleet:cloudflare with accountId, zoneId and domain, or write private',
    });
  }
  if (kind === "cloudflare" && host.provider === "local") {
    problems.push({
      path: `${path}.exposure`,
      text: 'got "cloudflare", but Cloudflare cannot reach a VM on this machine; write tunnel or private',
    });
  }
  if (host.privateFrom !== undefined && kind !== "private") {
    problems.push({
      path: `${path}.privateFrom`,
      text: "goes with exposure private alone; remove one of them",
    });
  }
  if (host.provider === "ssh" && host.hostFirewall === false && kind !== "private") {
    problems.push({
      path: `${path}.hostFirewall`,
      text: `got false, but with exposure ${kind} nothing else closes the agents' ports of a machine that exists; remove the key, or write exposure: private`,
    });
  }
  return problems;
}

/** Account and zone, where a host has a tunnel; with what tunnels need beside them. */
export function cloudflareSettings(
  { config, problems, surroundings }: Context,
  hosts: readonly HostSettings[],
): Pick<FleetSettings, "cloudflare"> {
  const tunnelled = hosts.filter(hasTunnel);
  for (const { name, agents } of tunnelled) {
    for (const agent of agents.filter(({ port }) => port === METRICS_PORT)) {
      problems.push({
        path: `hosts.${name}.agents.${agent.name}.port`,
        text: `${String(METRICS_PORT)} is taken by the tunnel on this host; give another`,
      });
    }
  }
  if (tunnelled.length === 0 || config.cloudflare === undefined) {
    // Whoever wrote it believes that something is guarded.
    if (config.cloudflare?.access === true) {
      problems.push({
        path: "cloudflare.access",
        text: "got true, but it guards the hostnames of tunnels alone and no host has one; write exposure: tunnel on a host, or remove it",
      });
    }
    return {};
  }
  for (const text of surroundings === undefined ? [] : missingCloudflareCredentials(surroundings)) {
    addOnce(problems, { path: "cloudflare", text });
  }
  return { cloudflare: config.cloudflare };
}
