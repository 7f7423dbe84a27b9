/**
 * The fleet, top to bottom: what is built here, then each host, its set-up, runtimes and releases,
 * and one activation per agent.
 */
import * as pulumi from "@pulumi/pulumi";
import { givenKeyPair, makeKeyPair, type KeyPair } from "../components/host/identity";
import { cacheFolder } from "../vm/cache";
import { loadRuntimes } from "./assets";
import { buildAgent, type AgentBuild } from "./builds";
import type { FleetSettings } from "./check";
import { makeHost, type HostContext } from "./hosts";
import { installAgents } from "./install";
import { localArch } from "./local-arch";
import { hostOutput, type FleetOutputs } from "./outputs";

export async function buildFleet(settings: FleetSettings, root: string): Promise<FleetOutputs> {
  const builds = await buildAll(settings, root);
  const key = operatorKey(settings);
  const context: HostContext = { settings, root, operatorKey: key, takenPorts: new Set() };

  const hosts: FleetOutputs["hosts"] = {};
  const agents: FleetOutputs["agents"] = {};
  for (const hostSettings of settings.hosts) {
    const host = await makeHost(context, hostSettings);
    hosts[host.name] = hostOutput(host, hostSettings);
    Object.assign(agents, installAgents({ settings, root, host, hostSettings, builds }));
  }
  return { agents, hosts, ...(key === undefined ? {} : { sshPrivateKey: key.privateKey }) };
}

/** The configured key; else, where the stack makes VMs, one of its own; else the SSH agent is asked. */
function operatorKey(settings: FleetSettings): KeyPair | undefined {
  if (settings.sshPrivateKey !== undefined) {
    return givenKeyPair(settings.sshPrivateKey);
  }
  const makesVms = settings.hosts.some(({ config }) => config.provider !== "ssh");
  return makesVms ? makeKeyPair("operator-key", {}) : undefined;
}

async function buildAll(settings: FleetSettings, root: string): Promise<Map<string, AgentBuild>> {
  const runtimes = loadRuntimes(root);
  const args = {
    root,
    cache: cacheFolder(),
    runtimes,
    localPlatform: `${process.platform}-${localArch()}`,
    say: (line: string) => void pulumi.log.info(line),
  };
  const builds = new Map<string, AgentBuild>();
  for (const host of settings.hosts) {
    for (const agent of host.agents) {
      try {
        builds.set(agent.name, await buildAgent(args, host, agent));
      } catch (error) {
        throw new pulumi.RunError(
          `${agent.name}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
  return builds;
}
