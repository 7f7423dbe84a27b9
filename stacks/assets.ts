/** Reads profiles and pinned runtimes from assets/. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parse } from "yaml";
import { parseProfile, type Profile } from "../components/agent/profile";
import { parseRuntimes, type Runtimes } from "../components/agent/runtimes";
import type { PayloadFile } from "../components/remote/payload";
import { suggestion } from "./problems";

const PROFILES = "assets/profiles";
/** Profiles by name and text: each of a thousand agents asks for its own. */
const parsed = new Map<string, Profile>();

/**
 * A profile by its name under assets/profiles, or by the path of a file (with a slash or .yaml).
 * @throws Error that says what was given and what there is.
 */
export function loadProfile(root: string, name: string): Profile {
  const isPath = name.includes("/") || /\.ya?ml$/.test(name);
  const file = isPath ? resolve(root, name) : join(root, PROFILES, `${name}.yaml`);
  if (!existsSync(file)) {
    const names = readdirSync(join(root, PROFILES)).map((entry) => basename(entry, ".yaml"));
    const hint = isPath ? "; give the path of a profile file" : suggestion(name, names);
    throw new Error(`got "${name}", expected one of ${names.join(", ")} or a file${hint}`);
  }
  const text = readFileSync(file, "utf8");
  const key = `${name}\0${text}`;
  const profile = parsed.get(key) ?? parseProfile(parse(text), name);
  parsed.set(key, profile);
  return profile;
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
  const read = (file: string): PayloadFile => ({
    content: readFileSync(file, "utf8"),
    mode: 0o755,
  });
  const bin = readdirSync(join(scripts, "bin")).map(
    (name) => [`bin/${name}`, read(join(scripts, "bin", name))] as const,
  );
  return {
    setup: read(join(scripts, "setup")),
    "since.tsv": read(join(root, "assets/systemd/since.tsv")),
    ...Object.fromEntries(bin),
  };
}
