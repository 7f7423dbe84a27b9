/** A stack file as the command line reads it, before the engine runs: secrets are sealed there. */
import { parse } from "yaml";
import { profileOrNothing } from "./assets";
import { checkStack, rolloutOf, type CheckResult } from "./check";
import { exposureKind } from "./exposure";
import type { FleetSettings } from "./fleet-settings";
import { localArch } from "./local-arch";
import { parsed } from "./parsed";
import { formatProblems } from "./problems";
import { surroundings } from "./surroundings";
import type { Rollout } from "./waves";
import { wellFormedPart } from "./well-formed";

const PREFIX = "agent-fleet:";
/** Stands for a sealed value; it fits every rule for secrets, the private key's form too. */
const SEALED = "-----BEGIN SEALED PRIVATE KEY-----";

/** The keys of a stack file that are ours, without the project's name; sealed values replaced by a stand-in. */
export function stackValues(text: string): Record<string, unknown> {
  const file: unknown = parse(text);
  const config = isObject(file) && isObject(file["config"]) ? file["config"] : {};
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(PREFIX))
      .map(([key, value]) => [
        key.slice(PREFIX.length),
        typeof value === "string" ? parsed(value) : unseal(value),
      ]),
  );
}

/** Every key of a stack file, those of providers too. */
function configKeys(text: string): string[] {
  return Object.keys(objectOf(objectOf(parse(text))["config"]));
}

/** Checks a stack file; nothing where it is fine, else the lines to show. */
export function checkStackFile(text: string, stack: string, root: string): string[] {
  const result = check(text, stack, root);
  return "problems" in result ? formatProblems(stack, result.problems).split("\n") : [];
}

/** What the fleet is built from, with a stand-in for each secret; undefined where the file has faults. */
export function settingsFrom(text: string, stack: string, root: string): FleetSettings | undefined {
  const result = check(text, stack, root);
  return "problems" in result ? undefined : result.settings;
}

/** Host → its agents, by their names; none where the text is no YAML. */
export function stackHosts(text: string): ReadonlyMap<string, readonly string[]> {
  try {
    const hosts = Object.entries(objectOf(stackValues(text)["hosts"]));
    return new Map(
      hosts.map(([name, host]) => [name, Object.keys(objectOf(objectOf(host)["agents"]))]),
    );
  } catch {
    return new Map();
  }
}

/** How the stack changes its fleet, whatever else is wrong with the file. @default - all at once */
export function stackRollout(text: string): Rollout | undefined {
  return rolloutOf(wellFormedPart(stackValues(text)));
}

export interface StackSummary {
  readonly providers: readonly string[];
  readonly localHosts: readonly string[];
  /** Whether a host has a Cloudflare Tunnel. */
  readonly tunnels: boolean;
  /** Secrets that `./fleet init` can make and that the stack does not have. */
  readonly missingSecrets: readonly string[];
}

/** What the command line needs to know of a stack file before it asks the engine. */
export function summarizeStackFile(text: string, root: string): StackSummary {
  const values = stackValues(text);
  const hosts = Object.entries(objectOf(values["hosts"]));
  const provider = (host: unknown) => String(objectOf(host)["provider"]);
  const agents = hosts.flatMap(([, host]) => Object.entries(objectOf(objectOf(host)["agents"])));
  const missing = agents.flatMap(([name, agent]) => {
    const own = objectOf(objectOf(values["agentSecrets"])[name]);
    const secrets = { ...objectOf(values["secrets"]), ...own };
    const named = objectOf(agent)["profile"] ?? objectOf(values["defaults"])["profile"];
    const profile = profileOrNothing(root, typeof named === "string" ? named : "tseeder");
    return Object.entries(profile?.env ?? {})
      .filter(([variable, { generate }]) => generate && secrets[variable] === undefined)
      .map(([variable]) => variable);
  });
  return {
    providers: [...new Set(hosts.map(([, host]) => provider(host)))],
    tunnels: hosts.some(
      ([, host]) => exposureKind(objectOf(host), values["cloudflare"]) === "tunnel",
    ),
    localHosts: hosts.filter(([, host]) => provider(host) === "local").map(([name]) => name),
    missingSecrets: [...new Set(missing)],
  };
}

function check(text: string, stack: string, root: string): CheckResult {
  let values: Record<string, unknown>;
  try {
    values = stackValues(text);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return { problems: [{ path: `Pulumi.${stack}.yaml`, text: `is not YAML: ${reason}` }] };
  }
  return checkStack({
    stack,
    values,
    root,
    localArch: localArch(),
    secretsSealed: true,
    surroundings: surroundings(configKeys(text)),
  });
}

function unseal(value: unknown): unknown {
  if (!isObject(value)) {
    return value;
  }
  if (typeof value["secure"] === "string" && Object.keys(value).length === 1) {
    return SEALED;
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unseal(inner)]));
}

function objectOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
