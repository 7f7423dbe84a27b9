/**
 * From a stack's raw configuration to settings that the fleet can be built from, or every problem
 * that stands in the way. Nothing here touches Pulumi, the network or a host.
 */
import { configPath } from "../components/agent/profile";
import { Sensitive } from "../components/sensitive";
import { OFFERS } from "../components/host/offers";
import { agentSettings, knownVariables } from "./check-agent";
import { cloudflareSettings, exposureOf, exposureRules } from "./check-exposure";
import { allowedRanges, cloudSettings, isCloud } from "./check-cloud";
import type { CheckInput, Context } from "./check-context";
import type { FleetSettings, HostSettings } from "./fleet-settings";
import { knownKeys } from "./known-keys";
import { fromIssues, suggestion, type Problem } from "./problems";
import type { Rollout } from "./waves";
import { wellFormedPart } from "./well-formed";
import { stackSchema, type HostConfig, type StackConfig } from "./schema";

export type CheckResult =
  { readonly settings: FleetSettings } | { readonly problems: readonly Problem[] };

/** Checks everything at once; all problems come back together. */
export function checkStack(input: CheckInput): CheckResult {
  const parsed = stackSchema.safeParse(input.values, { reportInput: true });
  const malformed = parsed.success ? [] : fromIssues(parsed.error.issues, knownKeys);
  const config = parsed.success ? parsed.data : wellFormedPart(input.values);
  let known: ReadonlySet<string> | undefined;
  // Asked for only where an agent's own profile does not answer: it takes reading every profile.
  const variables = () => (known ??= knownVariables(input.root, config));
  const context: Context = { ...input, config, problems: [], variables };
  const hosts = Object.entries(config.hosts).map(([name, host]) =>
    hostSettings(context, name, host),
  );
  const wrong = new Set(malformed.map(({ path }) => path));
  context.problems.push(...fleetRules(config, hosts, wrong));
  const cloudflare = cloudflareSettings(context, hosts);

  // What is missing only because it was malformed is said once.
  const related = ({ path }: Problem) =>
    malformed.some((other) => path === other.path || path.startsWith(`${other.path}.`));
  const problems = [...malformed, ...context.problems.filter((problem) => !related(problem))];
  return problems.length > 0
    ? { problems }
    : {
        settings: {
          stack: input.stack,
          hosts,
          sshPrivateKey:
            config.sshPrivateKey === undefined ? undefined : new Sensitive(config.sshPrivateKey),
          rollout: rolloutOf(config),
          allowFrom: allowedRanges({ config }),
          ...cloudflare,
          keepReleases: config.keepReleases ?? 3,
          purgeData: config.purgeData ?? false,
        },
      };
}

/** The project file declares an empty object, which is the same as nothing. */
export function rolloutOf({ rollout = {} }: StackConfig): Rollout | undefined {
  return Object.keys(rollout).length === 0
    ? undefined
    : {
        canary: rollout.canary ?? 1,
        batch: rollout.batch ?? "25%",
        pauseSeconds: rollout.pauseSeconds ?? 0,
      };
}

function hostSettings(context: Context, name: string, config: HostConfig): HostSettings {
  const path = `hosts.${name}`;
  context.problems.push(...hostRules(context, path, config));
  const ownUser = config.provider === "ssh" ? config.ssh?.user : undefined;
  const defaultUser = isCloud(config) ? OFFERS[config.provider].user : "root";
  return {
    name,
    config,
    ...(isCloud(config) ? { cloud: cloudSettings(context, path, config) } : {}),
    arch: config.arch ?? (config.provider === "local" ? context.localArch : "amd64"),
    user: ownUser ?? context.config.ssh?.user ?? defaultUser,
    exposure: exposureOf(context, config),
    hostFirewall: config.hostFirewall ?? true,
    agents: Object.entries(config.agents)
      .map(([agent, own]) => agentSettings(context, `${path}.agents.${agent}`, agent, own))
      .filter((agent) => agent !== undefined),
  };
}

/** Rules of one host that span several keys. */
function hostRules(context: Context, path: string, host: HostConfig): Problem[] {
  const problems = exposureRules(context, path, host);
  if (host.provider === "local" && host.arch !== undefined && host.arch !== context.localArch) {
    problems.push({
      path: `${path}.arch`,
      text: `got "${host.arch}", but a local VM has this machine's architecture, ${context.localArch}; remove the key`,
    });
  }
  if (host.provider === "ssh" && host.protect !== undefined) {
    problems.push({
      path: `${path}.protect`,
      text: "a machine that exists already is never deleted or replaced by this stack; remove the key",
    });
  }
  if (
    host.provider === "ssh" &&
    host.ssh?.bastion !== undefined &&
    host.ssh.bastionHostKey === undefined
  ) {
    problems.push({
      path: `${path}.ssh.bastionHostKey`,
      text: `got nothing, expected the ed25519 host key of ${host.ssh.bastion}, as every SSH connection is pinned; ./fleet scan shows it, confirm it on the machine`,
    });
  }
  return problems;
}

/** What agents of one profile have in common on a host. */
const SHARED = {
  program: "another program than that",
  units: "other programs of its units than those",
  tools: "other tools than those",
} as const;

/** Rules of the whole fleet: one name each, one port each on a host, secrets for agents that exist. */
function fleetRules(
  config: StackConfig,
  hosts: readonly HostSettings[],
  malformed: ReadonlySet<string>,
): Problem[] {
  const problems: Problem[] = [];
  const homes = new Map<string, string>();
  for (const host of hosts) {
    const ports = new Map<number, string>();
    const services = new Map<string, string>();
    const files = new Map<string, string>();
    const programs = new Map<string, string>();
    for (const agent of host.agents) {
      const path = `hosts.${host.name}.agents.${agent.name}`;
      const home = homes.get(agent.name);
      if (home !== undefined) {
        problems.push({
          path,
          text: `the name ${agent.name} is taken by an agent on ${home}; give each agent of the fleet its own`,
        });
      }
      homes.set(agent.name, host.name);
      const { service, name: profile } = agent.profile;
      const user = services.get(service) ?? profile;
      services.set(service, user);
      if (user !== profile) {
        problems.push({
          path: `${path}.profile`,
          text: `got the service ${service}, which is profile ${user}'s on this host; give each profile a service of its own`,
        });
      }
      for (const file of Object.keys(agent.profile.files)) {
        const place = configPath(agent.profile, agent.name, file);
        const holder = files.get(place);
        if (holder !== undefined) {
          problems.push({
            path,
            text: `its file ${place} is ${holder}'s on this host; put one of them on another host, or {name} into the file's name in profile ${profile}`,
          });
        }
        files.set(place, agent.name);
      }
      for (const [key, words] of Object.entries(SHARED)) {
        const own = JSON.stringify(agent.profile[key as keyof typeof SHARED] ?? null);
        const known = programs.get(`${service} ${key}`) ?? own;
        programs.set(`${service} ${key}`, known);
        if (known !== own) {
          problems.push({
            path: `${path}.${key}`,
            text: `got ${words} of other agents of profile ${profile} on this host; give them the same`,
          });
        }
      }
      if (agent.port === undefined || malformed.has(`${path}.port`)) {
        continue;
      }
      const holder = ports.get(agent.port);
      if (holder !== undefined) {
        problems.push({
          path: `${path}.port`,
          text: `${String(agent.port)} is taken by ${holder} on this host; give each agent its own`,
        });
      }
      ports.set(agent.port, agent.name);
    }
  }
  const names = [...homes.keys()];
  for (const name of Object.keys(config.agentSecrets ?? {})) {
    if (!homes.has(name)) {
      problems.push({
        path: `agentSecrets.${name}`,
        text: `no agent has this name${suggestion(name, names)}; correct or remove it`,
      });
    }
  }
  return problems;
}
