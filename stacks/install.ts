/** What is installed on one host: per service its set-up, per runtime and release one delivery; then each agent. */
import { basename, relative } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Agent } from "../components/agent/agent";
import { ExtraUnit } from "../components/agent/extra-unit";
import { HostSetup } from "../components/agent/host-setup";
import { Release } from "../components/agent/release";
import { Runtime } from "../components/agent/runtime";
import { sourceName } from "../components/agent/source";
import { Tool } from "../components/agent/tool";
import type { Host } from "../components/host/host";
import { agentRanges, type Exposure } from "../components/host/inbound";
import { HostFirewall } from "../components/network/host-firewall";
import { hostname } from "../components/network/ingress";
import { agentUnit, firewallFiles, hostFiles } from "./assets";
import type { AgentBuild } from "./builds";
import {
  isFirewalled,
  portsOf,
  type AgentSettings,
  type FleetSettings,
  type HostSettings,
} from "./fleet-settings";

interface Installation {
  readonly settings: FleetSettings;
  readonly root: string;
  readonly host: Host;
  readonly hostSettings: HostSettings;
  readonly builds: ReadonlyMap<string, AgentBuild>;
}

/** An agent with all that it needs on its host. */
export interface Delivered {
  readonly host: Host;
  readonly agent: AgentSettings;
  readonly build: AgentBuild;
  /** Set-up, host firewall, runtime, release, and the units and tools that its profile brings. */
  readonly after: readonly pulumi.Resource[];
  /** Base URL under which it is reached, without a trailing slash. @default - it has no port */
  readonly url: pulumi.Input<string> | undefined;
}

/** Brings everything to the host that its agents need; none of them is touched. */
export function deliver({
  settings,
  root,
  host,
  hostSettings,
  builds,
}: Installation): readonly Delivered[] {
  const delivered: Delivered[] = [];
  const setups = new Map<string, HostSetup>();
  const runtimes = new Map<string, Runtime>();
  const releases = new Map<string, Release>();
  const units = new Map<string, ExtraUnit>();
  const tools = new Map<string, Tool>();
  const parent = childOf(host);
  const ports = portsOf(hostSettings.agents);
  const closesPorts = isFirewalled(hostSettings);
  let firewall: HostFirewall | undefined;

  for (const agent of hostSettings.agents) {
    const build = builds.get(agent.name);
    if (build === undefined) {
      continue;
    }
    const { profile } = agent;
    const { service } = profile;
    const base = `${host.name}-${profile.name}`;
    const setup = memo(
      setups,
      service,
      () =>
        new HostSetup(
          `${base}-setup`,
          {
            host,
            profile,
            agents: hostSettings.agents
              .filter((other) => other.profile.service === service)
              .map(({ name }) => name),
            arch: hostSettings.arch,
            tryUnknownOs: hostSettings.config.tryUnknownOs ?? false,
            hostFirewall: closesPorts,
            purgeData: settings.purgeData,
            scripts: hostFiles(root),
          },
          parent,
        ),
    );
    const runtime = memo(
      runtimes,
      `${service} ${build.runtime.id}`,
      () =>
        new Runtime(
          `${base}-${build.runtime.name}`,
          { host, service, runtime: build.runtime, from: build.runtimeFrom, after: setup.done },
          parent,
        ),
    );
    if (closesPorts) {
      // While a runtime comes the host's processors are busy; while it is unpacked one is free.
      const after = [setup.done, ...runtime.uploads];
      firewall ??= closePorts(root, host, hostSettings.exposure, ports, after, parent);
    }
    const onHost = profile.install === "host";
    const release = memo(
      releases,
      // The same code from two places is one release: sent twice at once, one would spoil the other.
      `${service} ${build.release.id}`,
      () =>
        new Release(
          releaseName(root, base, agent),
          {
            host,
            service,
            release: build.release,
            installWith: onHost ? build.runtime.id : undefined,
            after: [setup.done, ...(onHost ? [runtime.done] : [])],
          },
          parent,
        ),
    );
    const unitsDone = build.units.map(
      ({ name, text, program, from }) =>
        memo(
          units,
          `${service} ${name}`,
          () =>
            new ExtraUnit(
              `${base}-${name}`,
              {
                ...{ host, service, runtime: program, from, after: setup.done },
                ...{ unit: name, text },
              },
              parent,
            ),
        ).done,
    );
    const toolsDone = build.tools.map(
      ({ name, program, from }) =>
        memo(
          tools,
          `${service} ${name}`,
          () =>
            new Tool(
              `${base}-${name}`,
              { host, service, runtime: program, from, after: setup.done, tool: name },
              parent,
            ),
        ).done,
    );
    // No agent listens before its port is closed.
    const closed = firewall === undefined ? [] : [firewall.done];
    const brought = [runtime.done, release.done, ...unitsDone, ...toolsDone];
    const after = [setup.done, ...closed, ...brought];
    delivered.push({ host, agent, build, after, url: urlOf(settings, host, hostSettings, agent) });
  }
  return delivered;
}

function urlOf(
  { cloudflare }: FleetSettings,
  host: Host,
  { exposure }: HostSettings,
  { name, port }: AgentSettings,
): pulumi.Input<string> | undefined {
  if (port === undefined) {
    return undefined;
  }
  return exposure.kind === "tunnel" && cloudflare !== undefined
    ? `https://${hostname(name, cloudflare.domain)}`
    : host.url(port);
}

function closePorts(
  root: string,
  host: Host,
  exposure: Exposure,
  ports: readonly number[],
  after: readonly pulumi.Resource[],
  parent: pulumi.ComponentResourceOptions,
): HostFirewall {
  return new HostFirewall(
    `${host.name}-host-firewall`,
    {
      host,
      ports,
      // A tunnel ends on loopback: not even this machine's own forwards are let in beside it.
      from: [
        ...(exposure.kind === "private" ? (host.forwardsFrom ?? []) : []),
        ...agentRanges(exposure),
      ],
      ...firewallFiles(root),
      after,
    },
    parent,
  );
}

/** Lets the agent run what was delivered. */
export function activate(
  { host, agent, build, after }: Delivered,
  { settings, root, before, pauseSeconds }: Turn,
): Agent {
  const { profile } = agent;
  return new Agent(
    `${agent.name}@${host.name}`,
    {
      host,
      agent: agent.name,
      profile,
      unit: agentUnit(root, profile),
      runtime: build.runtime,
      release: build.release.id,
      port: agent.port,
      env: agent.env,
      secrets: agent.secrets,
      limits: agent.limits,
      healthTimeoutSeconds: agent.healthTimeoutSeconds,
      drainSeconds: agent.drainSeconds,
      enabled: agent.enabled,
      keepReleases: settings.keepReleases,
      purgeData: settings.purgeData,
      pauseSeconds,
      after: [...after, ...before],
    },
    childOf(host),
  );
}

/** When an agent is activated. */
export interface Turn {
  readonly settings: FleetSettings;
  readonly root: string;
  /** The wave before, which must have gone well. */
  readonly before: readonly pulumi.Resource[];
  readonly pauseSeconds: number;
}

/** Below the host in the tree, where the host is a resource. */
export function childOf(host: Host): pulumi.ComponentResourceOptions {
  return host instanceof pulumi.Resource ? { parent: host } : {};
}

/** The source gives the name, so that new code in a folder updates the release that the last one made. */
function releaseName(root: string, base: string, { source, ...agent }: AgentSettings): string {
  const name = source.kind === "folder" ? relative(root, source.path) : sourceName(source);
  const { runtime, profile } = agent;
  const other = runtime === undefined || runtime === profile.runtimes[0] ? "" : `-${runtime}`;
  return `${base}-${name.replaceAll(/[^A-Za-z0-9.-]+/g, "-") || basename(root)}${other}`;
}

/** The value under the key, made at its first use. */
function memo<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
