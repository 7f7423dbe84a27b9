/** Reads profiles and pinned runtimes from assets/. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { profileSchema, type Profile } from "../components/agent/profile";
import { patternOf, renderExtraUnit, type ExtraUnit } from "../components/agent/extra-units";
import { parseRuntimes, type Runtimes } from "../components/agent/runtimes";
import { parseSource } from "../components/agent/source";
import { patternService, renderUnit } from "../components/agent/unit";
import type { PayloadFile } from "../components/remote/payload";
import { keysIn } from "./known-keys";
import { fromIssues, suggestion } from "./problems";

const PROFILES = "assets/profiles";
/** Profiles by name and text: each of a thousand agents asks for its own. */
const parsed = new Map<string, Profile>();

/**
 * A profile by its name under assets/profiles, or by the path of a file (with a slash or .yaml).
 * @throws Error that says what was given and what there is, or everything that is wrong with the file.
 */
export function loadProfile(root: string, name: string): Profile {
  const isPath = name.includes("/") || /\.ya?ml$/.test(name);
  const file = isPath ? resolve(root, name) : join(root, PROFILES, `${name}.yaml`);
  if (!existsSync(file)) {
    const names = profileNames(root);
    const hint = isPath ? "; give the path of a profile file" : suggestion(name, names);
    throw new Error(`got "${name}", expected one of ${names.join(", ")} or a file${hint}`);
  }
  const text = readFileSync(file, "utf8");
  const key = `${name}\0${text}`;
  const profile = parsed.get(key) ?? parseProfile(text, name, dirname(file));
  parsed.set(key, profile);
  return profile;
}

/** The same where somebody else tells what is wrong with it. */
export function profileOrNothing(root: string, name: string): Profile | undefined {
  try {
    return loadProfile(root, name);
  } catch {
    return undefined;
  }
}

/** The profiles that come with this program. */
export function profileNames(root: string): string[] {
  return readdirSync(join(root, PROFILES))
    .filter((entry) => entry.endsWith(".yaml"))
    .map((entry) => basename(entry, ".yaml"));
}

function parseProfile(text: string, name: string, folder: string): Profile {
  const result = profileSchema.safeParse(yamlOf(text, name), { reportInput: true });
  if (!result.success) {
    const problems = fromIssues(result.error.issues, keysIn(profileSchema));
    const lines = problems.map((problem) => `    ${problem.path}: ${problem.text}`);
    throw new Error([`got "${name}", which has faults; correct them:`, ...lines].join("\n"));
  }
  const { source = "", ...profile } = result.data;
  const parsedSource = parseSource(source);
  return source === "" || "problem" in parsedSource || parsedSource.kind !== "folder"
    ? result.data
    : { ...profile, source: resolve(folder, source) };
}

function yamlOf(text: string, name: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new Error(`got "${name}", which is not YAML: ${reason}; correct it`, { cause: error });
  }
}

/** The unit template that all agents of a profile share. */
export function agentUnit(root: string, profile: Profile): string {
  const file = join(root, `assets/systemd/${patternService(profile)}@.service`);
  return renderUnit(readFileSync(file, "utf8"), profile);
}

/** A unit that a profile of this service brings beside its agents'. */
export function extraUnit(root: string, service: string, name: string, unit: ExtraUnit): string {
  const file = join(root, "assets/systemd", patternOf(unit).file);
  return renderExtraUnit(readFileSync(file, "utf8"), service, name, unit);
}

/** The pinned runtimes of assets/runtimes.yaml. */
export function loadRuntimes(root: string): Runtimes {
  return parseRuntimes(parse(readFileSync(join(root, "assets/runtimes.yaml"), "utf8")));
}

/** The host firewall's table, and the files that its step sends. */
export function firewallFiles(root: string): {
  readonly table: string;
  readonly files: Record<string, PayloadFile>;
} {
  const read = (path: string) => readFileSync(join(root, "assets", path), "utf8");
  const units = ["agent-fleet-firewall.service", "agent-fleet-firewall-again.service"];
  return {
    table: read("nftables/agent_fleet.nft"),
    files: {
      firewall: { content: read("nftables/firewall") },
      ...Object.fromEntries(units.map((unit) => [unit, { content: read(`systemd/${unit}`) }])),
    },
  };
}

/** The files that the step of cloudflared sends. */
export function tunnelFiles(root: string): Record<string, PayloadFile> {
  const read = (path: string) => ({ content: readFileSync(join(root, "assets", path), "utf8") });
  const unit = "agent-fleet-tunnel.service";
  return {
    tunnel: read("tunnel/tunnel"),
    ready: read("tunnel/ready"),
    [unit]: read(`systemd/${unit}`),
  };
}

/** The scripts that set up a host, by their path in its payload. */
export function hostFiles(root: string): Record<string, PayloadFile> {
  const scripts = join(root, "assets/scripts");
  const read = (file: string): PayloadFile => ({ content: readFileSync(file, "utf8") });
  const bin = readdirSync(join(scripts, "bin")).map(
    (name) => [`bin/${name}`, { ...read(join(scripts, "bin", name)), mode: 0o755 }] as const,
  );
  return {
    setup: read(join(scripts, "setup")),
    "lib-packages.sh": read(join(scripts, "lib-packages.sh")),
    "since.tsv": read(join(root, "assets/systemd/since.tsv")),
    ...Object.fromEntries(bin),
  };
}
