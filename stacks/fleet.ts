/**
 * The fleet, top to bottom: what is built here, then each host, its set-up, runtimes and releases,
 * then one activation per agent, wave after wave over the whole fleet, and the tunnels that lead to them.
 */
import * as pulumi from "@pulumi/pulumi";
import { givenKeyPair, makeKeyPair, type KeyPair } from "../components/host/identity";
import type { Host } from "../components/host/host";
import { buildAll } from "./builds";
import { loadRanges, oldRanges } from "./cloudflare-ranges";
import type { FleetSettings, HostSettings } from "./fleet-settings";
import { makeHost, type HostContext } from "./hosts";
import { deliver, type Delivered } from "./install";
import { accessOutput, hostOutput, type FleetOutputs } from "./outputs";
import { rollOut } from "./rollout";
import { ownAddress } from "./own-address";
import { prepareTunnels } from "./tunnels";
import { userError } from "../components/user-error";

export async function buildFleet(settings: FleetSettings, root: string): Promise<FleetOutputs> {
  warnOfOldRanges(settings, root);
  const builds = await buildAll(settings, root, (line) => void pulumi.log.info(line));
  const tunnels = await prepareTunnels(settings, root);
  const key = operatorKey(settings);
  const context: HostContext = {
    settings,
    root,
    operatorKey: key,
    allowFrom: await allowFrom(settings),
    shared: new Map(),
  };

  const hosts: FleetOutputs["hosts"] = {};
  const delivered: Delivered[] = [];
  const made: { host: Host; settings: HostSettings; after: readonly pulumi.Resource[] }[] = [];
  for (const hostSettings of settings.hosts) {
    const host = await makeHost(context, hostSettings);
    hosts[host.name] = hostOutput(host, hostSettings);
    const ofHost = deliver({ settings, root, host, hostSettings, builds });
    delivered.push(...ofHost);
    const after = [...new Set(ofHost.flatMap((each) => each.after))];
    made.push({ host, settings: hostSettings, after });
  }
  const agents = rollOut(settings, root, delivered);
  // Behind the agents: on destroy their tunnel ends first, and no request meets a stopped agent.
  for (const { host, settings: hostSettings, after } of made)
    tunnels.make(host, hostSettings, after);
  return {
    agents,
    hosts,
    ...(key === undefined ? {} : { sshPrivateKey: key.privateKey }),
    ...(tunnels.access === undefined ? {} : { access: accessOutput(tunnels.access) }),
  };
}

function warnOfOldRanges({ hosts }: FleetSettings, root: string): void {
  if (hosts.some(({ exposure }) => exposure.kind === "cloudflare")) {
    const warning = oldRanges(loadRanges(root), Date.now());
    if (warning !== undefined) void pulumi.log.warn(warning);
  }
}

/** The configured key; else, where the stack makes VMs, one of its own; else the SSH agent is asked. */
function operatorKey(settings: FleetSettings): KeyPair | undefined {
  if (settings.sshPrivateKey !== undefined) {
    return givenKeyPair(settings.sshPrivateKey);
  }
  const makesVms = settings.hosts.some(({ config }) => config.provider !== "ssh");
  return makesVms ? makeKeyPair("operator-key", {}) : undefined;
}

/** Who may reach port 22 of the stack's VMs in a cloud; said where the stack does not say it. */
async function allowFrom({ hosts, allowFrom: given }: FleetSettings): Promise<readonly string[]> {
  const inClouds = hosts.filter(({ cloud }) => cloud !== undefined).map(({ name }) => name);
  if (given !== undefined || inClouds.length === 0) {
    return given ?? [];
  }
  try {
    const own = `${await ownAddress()}/32`;
    const hint = "agent-fleet:ssh.allowFrom sets other ranges";
    void pulumi.log.info(
      `port 22 of ${inClouds.join(", ")}: open to ${own} alone, the address of this machine; ${hint}`,
    );
    return [own];
  } catch (error) {
    throw userError(error instanceof Error ? error.message : String(error));
  }
}
