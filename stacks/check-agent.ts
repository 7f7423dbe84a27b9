/** The settings of one agent: its profile, its code, its variables; problems are added to the context. */
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { envValueProblem } from "../components/agent/env-file";
import type { RuntimeName } from "../components/agent/runtimes";
import { withDownloads, type Downloaded } from "../components/agent/program";
import { fillDefault, type Profile } from "../components/agent/profile";
import { parseSource, shownSource, type Source } from "../components/agent/source";
import { isNumber, type Variable } from "../components/agent/variable";
import { Sensitive } from "../components/sensitive";
import { loadProfile, profileNames, profileOrNothing } from "./assets";
import { addOnce, type Problem } from "./problems";
import type { AgentConfig, StackConfig } from "./schema";
import type { AgentSettings, HealthCheck } from "./fleet-settings";
import type { Context } from "./check-context";

export function agentSettings(
  context: Context,
  path: string,
  name: string,
  own: AgentConfig,
): AgentSettings | undefined {
  const defaults = context.config.defaults ?? {};
  const where = (key: "profile" | "runtime") =>
    own[key] === undefined ? `defaults.${key}` : `${path}.${key}`;
  const found = findProfile(context, where("profile"), profileName(context.config, own));
  if (found === undefined) {
    return undefined;
  }
  const withOwn = withUnits(context, path, own, withProgram(context, path, own, found));
  const profile = withTools(context, path, own, withOwn);
  const { sourcePath, given } = sourceFor(context, path, own, profile);
  const source = findSource(context, sourcePath, given, profile);
  const runtime = runtimeFor(context, where("runtime"), own, profile);
  const port = portOf(context, path, profile, own);
  const healthTimeoutSeconds = own.healthTimeoutSeconds ?? defaults.healthTimeoutSeconds ?? 120;
  requireTimeToStayUp(context, path, profile, healthTimeoutSeconds);
  return {
    name,
    profile,
    source: source ?? { kind: "folder", path: "" },
    sourcePath,
    runtime,
    port,
    ...variables(context, path, name, port, profile, own),
    healthCheck: healthCheck(context, name, profile),
    limits: { ...defaults.limits, ...own.limits },
    healthTimeoutSeconds,
    drainSeconds: drainSeconds(context, path, profile, own),
    enabled: own.enabled ?? true,
  };
}

export function profileName({ defaults }: StackConfig, own: AgentConfig): string {
  return own.profile ?? defaults?.profile ?? "tseeder";
}

/**
 * The agent's own code, else what the stack gives to all, else the profile's. Where an agent has another
 * profile than the rest, its profile goes first: what all others get is not its code.
 */
function sourceFor(
  { config }: Context,
  path: string,
  own: AgentConfig,
  profile: Profile,
): { readonly sourcePath: string; readonly given: string | undefined } {
  const ofAll = { sourcePath: "defaults.source", given: config.defaults?.source };
  const ofProfile = { sourcePath: `profile ${profile.name}: source`, given: profile.source };
  const isOther = profileName(config, own) !== profileName(config, {});
  const inOrder = [
    { sourcePath: `${path}.source`, given: own.source },
    ...(isOther ? [ofProfile, ofAll] : [ofAll, ofProfile]),
  ];
  return inOrder.find(({ given }) => given !== undefined) ?? ofAll;
}

/** The profile with the program's files that the stack names. */
function withProgram(
  { config, problems }: Context,
  path: string,
  own: AgentConfig,
  profile: Profile,
): Profile {
  const { name, program } = profile;
  if (program === undefined) {
    if (own.program !== undefined) {
      const text = `got a program, but profile ${name} runs on ${profile.runtimes.join(" or ")}; remove the key`;
      problems.push({ path: `${path}.program`, text });
    }
    return profile;
  }
  const ofAll = program.version === undefined ? config.defaults?.program : undefined;
  const given = own.program ?? ofAll;
  if (given !== undefined) {
    return { ...profile, program: withDownloads(program, given) };
  }
  if (program.version === undefined) {
    problems.push({ path: `${path}.program`, text: noFiles(name, program.binary) });
  }
  return profile;
}

/** The same for the programs of the units that the profile brings, without optional ones that the stack does not name. */
function withUnits(context: Context, path: string, own: AgentConfig, profile: Profile): Profile {
  refuseUnknown(context, path, own, profile, "units");
  const units = Object.entries(profile.units).flatMap(([name, unit]) => {
    const { program } = unit;
    const given = namedFiles(context, own, "units", name, program);
    if (given === undefined && program.version === undefined) {
      if (unit.optional) return [];
      const text = noFiles(profile.name, program.binary);
      context.problems.push({ path: `${path}.units.${name}`, text });
    }
    const filled = given === undefined ? program : withDownloads(program, given);
    return [[name, { ...unit, program: filled }] as const];
  });
  return { ...profile, units: Object.fromEntries(units) };
}

/** The same for its tools, none of which is optional. */
function withTools(context: Context, path: string, own: AgentConfig, profile: Profile): Profile {
  refuseUnknown(context, path, own, profile, "tools");
  const tools = Object.entries(profile.tools).map(([name, tool]) => {
    const given = namedFiles(context, own, "tools", name, tool);
    if (given === undefined && tool.version === undefined) {
      const text = noFiles(profile.name, name);
      context.problems.push({ path: `${path}.tools.${name}`, text });
    }
    return [name, given ?? tool] as const;
  });
  return { ...profile, tools: Object.fromEntries(tools) };
}

/** What a profile brings beside its agents, with what an error calls one of them. */
const BROUGHT = { units: "unit", tools: "tool" } as const;
type Brought = keyof typeof BROUGHT;

/** An agent names files for what its profile brings alone. */
function refuseUnknown(
  { problems }: Context,
  path: string,
  own: AgentConfig,
  profile: Profile,
  kind: Brought,
): void {
  const known = Object.keys(profile[kind]);
  for (const name of Object.keys(own[kind] ?? {})) {
    if (!known.includes(name)) {
      const text = `is no ${BROUGHT[kind]} of profile ${profile.name}, which brings ${known.join(", ") || "none"}; correct or remove it`;
      problems.push({ path: `${path}.${kind}.${name}`, text });
    }
  }
}

/** The files that the stack names, for all agents where the profile names none. */
function namedFiles(
  { config }: Context,
  own: AgentConfig,
  kind: Brought,
  name: string,
  { version }: { readonly version?: string | undefined },
): Downloaded | undefined {
  const ofAll = version === undefined ? config.defaults?.[kind]?.[name] : undefined;
  return own[kind]?.[name] ?? ofAll;
}

function noFiles(profile: string, binary: string): string {
  return `got nothing, expected version and downloads of ${binary}, as profile ${profile} names none; add them: { version: …, downloads: { linux-amd64: { url: …, sha256: … } } }`;
}

/** The runtime, where the profile does not bring its own program. */
function runtimeFor(
  { config, problems }: Context,
  path: string,
  own: AgentConfig,
  { name, runtimes, program, install }: Profile,
): RuntimeName | undefined {
  if (program !== undefined) {
    if (own.runtime !== undefined) {
      const text = `got "${own.runtime}", but profile ${name} brings its own program; remove the key`;
      problems.push({ path, text });
    }
    return undefined;
  }
  const runtime = own.runtime ?? config.defaults?.runtime ?? runtimes[0] ?? "bun";
  if (!runtimes.includes(runtime)) {
    problems.push({
      path,
      text: `got "${runtime}", expected one of ${runtimes.join(", ")} for profile ${name}`,
    });
  }
  if (install === "host" && runtime !== "bun") {
    problems.push({
      path,
      text: `got "${runtime}", expected bun: profile ${name} installs its packages on the host, by bun`,
    });
  }
  return runtime;
}

/** None where the profile has none: the stack cannot make an agent listen. */
function portOf(
  { problems }: Context,
  path: string,
  { name, port }: Profile,
  own: AgentConfig,
): number | undefined {
  if (port === undefined && own.port !== undefined) {
    problems.push({
      path: `${path}.port`,
      text: `got ${String(own.port)}, but agents of profile ${name} have no port; remove the key`,
    });
  }
  return port === undefined ? undefined : (own.port ?? port);
}

/** An agent that is ready by staying up must be given that time. */
function requireTimeToStayUp(
  { problems }: Context,
  path: string,
  { name, health: { staysUpSeconds = 0 } }: Profile,
  healthTimeoutSeconds: number,
): void {
  if (healthTimeoutSeconds <= staysUpSeconds) {
    problems.push({
      path: `${path}.healthTimeoutSeconds`,
      text: `got ${String(healthTimeoutSeconds)}, but an agent of profile ${name} is ready after ${String(staysUpSeconds)} s; give a higher number`,
    });
  }
}

/** Agents of a profile without a drain step are stopped at once, whatever the defaults for others say. */
function drainSeconds(
  { config, problems }: Context,
  path: string,
  { name, drain }: Profile,
  own: AgentConfig,
): number {
  if (drain !== undefined) {
    return own.drainSeconds ?? config.defaults?.drainSeconds ?? drain.capSeconds;
  }
  if (own.drainSeconds !== undefined && own.drainSeconds > 0) {
    problems.push({
      path: `${path}.drainSeconds`,
      text: `got ${String(own.drainSeconds)}, but profile ${name} has no drain step; remove the key`,
    });
  }
  return 0;
}

function findProfile(context: Context, path: string, name: string): Profile | undefined {
  try {
    return loadProfile(context.root, name);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    addOnce(context.problems, { path, text });
    return undefined;
  }
}

function findSource(
  context: Context,
  path: string,
  given: string | undefined,
  profile: Profile,
): Source | undefined {
  const source = givenSource(context.root, given, profile);
  if ("problem" in source) {
    addOnce(context.problems, { path, text: shownSource(source.problem) });
    return undefined;
  }
  return source;
}

/** A folder must be there; what is elsewhere is not asked for. */
function givenSource(
  root: string,
  given: string | undefined,
  profile: Profile,
): Source | { readonly problem: string } {
  if (given === undefined) {
    return { problem: "got nothing, expected the folder of the agent's code; add it" };
  }
  const source = parseSource(given);
  if ("problem" in source) {
    return { problem: `got "${given}", ${source.problem}` };
  }
  if (source.kind !== "folder") {
    return source;
  }
  const path = resolve(root, source.path);
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    const remedy =
      "problem" in parseSource(`npm:${given}`)
        ? "give the folder of the agent's code"
        : `write npm:${given} for the package`;
    return { problem: `got "${given}", which is not a folder here; ${remedy}` };
  }
  const problem = entryProblem(path, given, profile);
  return problem === undefined ? { kind: "folder", path } : { problem };
}

/** What is wrong with code that lacks the file that its profile starts. */
export function entryProblem(
  folder: string,
  given: string,
  { name, entry }: Profile,
): string | undefined {
  return entry === undefined || existsSync(join(folder, entry))
    ? undefined
    : `got "${given}", which has no ${entry}; profile ${name} starts that file, give its folder`;
}

/** Where the stack keeps a secret of an agent. */
function secretPath({ config }: Context, agent: string, variable: string): string {
  return config.agentSecrets?.[agent]?.[variable] === undefined
    ? `secrets.${variable}`
    : `agentSecrets.${agent}.${variable}`;
}

function healthCheck(
  context: Context,
  agent: string,
  { health }: Profile,
): HealthCheck | undefined {
  const { path, tokenVariable = "", user, headers } = health;
  if (path === undefined) return undefined;
  const { secrets, agentSecrets } = context.config;
  const given = { ...secrets, ...agentSecrets?.[agent] };
  return {
    path,
    ...(given[tokenVariable] === undefined
      ? {}
      : { secret: secretPath(context, agent, tokenVariable) }),
    ...(user === undefined ? {} : { user }),
    ...(headers === undefined ? {} : { headers: Object.keys(headers) }),
  };
}

/** Env and secrets of one agent: the profile's defaults, then the stack's, then its own. */
function variables(
  context: Context,
  path: string,
  name: string,
  port: number | undefined,
  profile: Profile,
  own: AgentConfig,
): Pick<AgentSettings, "env" | "secrets"> {
  const { config, problems } = context;
  const forIt = <T>(values: Readonly<Record<string, T>> | undefined) =>
    meantFor(profile, context.variables, values);
  const given = { ...forIt(textValues(config.defaults?.env)), ...textValues(own.env) };
  const givenPath = (variable: string) =>
    own.env?.[variable] === undefined ? `defaults.env.${variable}` : `${path}.env.${variable}`;
  const secrets = { ...forIt(config.secrets), ...config.agentSecrets?.[name] };
  const pathOf = (variable: string) => secretPath(context, name, variable);

  for (const [variable, value] of Object.entries(given)) {
    const text = envProblem(profile.env[variable], variable, value);
    if (text !== undefined) {
      addOnce(problems, { path: givenPath(variable), text });
    }
  }
  for (const [variable, value] of Object.entries(secrets)) {
    const text =
      context.secretsSealed === true ? undefined : secretProblem(profile, variable, value);
    if (text !== undefined) {
      addOnce(problems, { path: pathOf(variable), text });
    }
    if (given[variable] !== undefined) {
      addOnce(problems, {
        path: givenPath(variable),
        text: `is also in ${pathOf(variable)}; keep one of them`,
      });
    }
  }
  for (const [variable, reference] of Object.entries(profile.env)) {
    if (reference.required && given[variable] === undefined && secrets[variable] === undefined) {
      addOnce(problems, missing(context.stack, variable, reference));
    }
  }
  const filled = Object.entries(profile.env).flatMap(([variable, { default: template }]) =>
    template === undefined
      ? []
      : [[variable, fillDefault(profile, template, { name, port })] as const],
  );
  return {
    env: { ...Object.fromEntries(filled), ...given },
    secrets: Object.fromEntries(
      Object.entries(secrets).map(([variable, value]) => [variable, new Sensitive(value)]),
    ),
  };
}

/** What the stack gives to all agents, without what is meant for those of another profile. */
function meantFor<T>(
  { env }: Profile,
  known: () => ReadonlySet<string>,
  values: Readonly<Record<string, T>> = {},
): Record<string, T> {
  const entries = Object.entries(values);
  return Object.fromEntries(entries.filter(([name]) => name in env || !known().has(name)));
}

/**
 * The variables that profiles know: those of this stack, and those that come along. Would the stack's alone
 * count, an agent that goes would leave what is its own to the others, and they would restart with it.
 */
export function knownVariables(root: string, config: StackConfig): ReadonlySet<string> {
  const agents = Object.values(config.hosts).flatMap((host) => Object.values(host.agents));
  const names = new Set([...profileNames(root), ...agents.map((own) => profileName(config, own))]);
  const known = [...names].flatMap((name) =>
    Object.entries(profileOrNothing(root, name)?.env ?? {}),
  );
  return new Set(known.filter(([, { setBy }]) => setBy === undefined).map(([name]) => name));
}

function textValues(env: Readonly<Record<string, string | number | boolean>> | undefined) {
  return Object.fromEntries(
    Object.entries(env ?? {}).map(([variable, value]) => [variable, String(value)]),
  );
}

function envProblem(
  reference: Variable | undefined,
  name: string,
  value: string,
): string | undefined {
  if (reference?.setBy !== undefined) {
    return `is set by ${reference.setBy}; remove it here`;
  }
  if (reference?.secret === true) {
    return `is a secret and must not stand in the file as plain text; remove it, change its value, and run: pulumi config set --secret --path 'agent-fleet:secrets.${name}'`;
  }
  if (reference?.url === true && value.endsWith("/")) {
    return `got ${JSON.stringify(value)}, expected a URL without a trailing slash; remove the slash`;
  }
  if (reference?.number === true && !isNumber(value)) {
    return `got ${JSON.stringify(value)}, expected a number; correct it`;
  }
  const problem = envValueProblem(value);
  return problem === undefined ? undefined : `got ${JSON.stringify(value)}, ${problem}`;
}

function secretProblem(profile: Profile, name: string, value: string): string | undefined {
  const again = `set it again: pulumi config set --secret --path 'agent-fleet:secrets.${name}'`;
  const problem = envValueProblem(value);
  if (problem !== undefined) {
    return `got a value (not shown), ${problem}; ${again}`;
  }
  if (profile.env[name]?.secret === true && value.trim() !== value) {
    return `got a value (not shown) with white space around it, expected none; ${again}`;
  }
  return value === "" ? `got an empty value; ${again}` : undefined;
}

function missing(stack: string, name: string, reference: Variable): Problem {
  const remedy = reference.generate ? `./fleet init ${stack} makes one, or set it: ` : "set it: ";
  return reference.secret
    ? {
        path: `secrets.${name}`,
        text: `got nothing, expected a value (${reference.description}); ${remedy}pulumi config set --secret --path 'agent-fleet:secrets.${name}'`,
      }
    : {
        path: `defaults.env.${name}`,
        text: `got nothing, expected a value (${reference.description}); add it`,
      };
}
