/** Where the engine, its plugins and its state lie, and which of that is the operator's own. */
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Places {
  /** Engines by version, outside of every clone. */
  readonly cache: string;
  /** $PULUMI_HOME: credentials and plugins. */
  readonly home: string;
  /** What the engine needs to find state and passphrase; empty where the operator has a login. */
  readonly backend: Readonly<Record<string, string>>;
  /** The same for people. */
  readonly backendText: string;
}

/** The folder of this clone. */
export const PROJECT = resolve(__dirname, "..");

/** Reads settings only: creates nothing. */
export function places(env: Environment = process.env, project: string = PROJECT): Places {
  const user = env["HOME"] ?? homedir();
  const cache =
    env["AGENT_FLEET_CACHE"] ?? join(env["XDG_CACHE_HOME"] ?? join(user, ".cache"), "agent-fleet");
  const own = env["PULUMI_HOME"] ?? join(user, ".pulumi");
  const login = loginIn(own);
  const home = env["PULUMI_HOME"] ?? (login === undefined ? join(cache, "pulumi-home") : own);

  const url = env["PULUMI_BACKEND_URL"] ?? login;
  if (url !== undefined || env["PULUMI_ACCESS_TOKEN"] !== undefined) {
    return { cache, home, backend: {}, backendText: `${url ?? "Pulumi Cloud"} (your own)` };
  }
  const state = pathToFileURL(join(project, ".fleet", "state")).href;
  const passphrase = join(
    env["XDG_CONFIG_HOME"] ?? join(user, ".config"),
    "agent-fleet",
    "passphrase",
  );
  const hasPassphrase =
    env["PULUMI_CONFIG_PASSPHRASE"] !== undefined ||
    env["PULUMI_CONFIG_PASSPHRASE_FILE"] !== undefined;
  return {
    cache,
    home,
    backend: {
      PULUMI_BACKEND_URL: state,
      ...(hasPassphrase ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: passphrase }),
    },
    backendText: `${state}, ${hasPassphrase ? "your own passphrase" : `passphrase in ${passphrase}`}`,
  };
}

/** Creates the folders, and the passphrase on the first run; never changes an existing one. */
export function createPlaces({ cache, home, backend }: Places): void {
  mkdirSync(cache, { recursive: true });
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const url = backend["PULUMI_BACKEND_URL"];
  if (url !== undefined) {
    mkdirSync(new URL(url), { recursive: true, mode: 0o700 });
  }
  const passphrase = backend["PULUMI_CONFIG_PASSPHRASE_FILE"];
  if (passphrase !== undefined) {
    createPassphrase(passphrase);
  }
}

function createPassphrase(file: string): void {
  try {
    if (readFileSync(file, "utf8").trim() !== "") {
      return;
    }
    throw new Error(
      `${file} is empty; put back the passphrase that it held, or remove the file if no state was made with it`,
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw error;
    }
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid.toString()}`;
  writeFileSync(temporary, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  try {
    // Unlike a rename, a link leaves the passphrase of a parallel first run in place.
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  } finally {
    rmSync(temporary);
  }
}

function loginIn(home: string): string | undefined {
  try {
    const { current } = JSON.parse(readFileSync(join(home, "credentials.json"), "utf8")) as {
      current?: string;
    };
    return current === "" ? undefined : current;
  } catch {
    return undefined;
  }
}
