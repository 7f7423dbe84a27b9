/**
 * Packages of which a stack needs few and that are large (the SDKs of clouds, up to 90 MB each):
 * `npm ci --omit=dev` leaves them out, and this puts the ones in use into node_modules, at the version
 * and with the checksum of package-lock.json. (`npm install --no-save --omit=dev` leaves out whatever
 * is a development package, and without that option it installs all of them.)
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { x } from "tar";

interface Locked {
  readonly version: string;
  readonly integrity: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

type Lock = Readonly<Record<string, Locked | undefined>>;

/** A package as it stands in package-lock.json. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

/** Makes sure of these packages. When all are there it reads a few small files. @throws Error that says why not */
export async function obtainPackages(
  project: string,
  names: readonly string[],
  say: (line: string) => void,
  env: Readonly<NodeJS.ProcessEnv> = process.env,
): Promise<void> {
  for (const name of names) {
    const missing = missingPackages(project, name);
    if (missing.length > 0) {
      const [first] = missing;
      say(`${name} ${first?.version ?? ""}: installing it, as this stack uses it`);
    }
    for (const each of missing) {
      await install(project, each, env);
    }
  }
}

/** The package and what it needs at run time, as far as node_modules does not hold that very version. */
export function missingPackages(project: string, name: string): LockedPackage[] {
  const file = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8")) as {
    readonly packages: Lock;
  };
  const found = new Map<string, LockedPackage>();
  const visit = (wanted: string): void => {
    const locked = file.packages[`node_modules/${wanted}`];
    if (locked === undefined) {
      throw new Error(`${wanted}: package-lock.json does not have it; run npm install`);
    }
    if (found.has(wanted) || installedVersion(project, wanted) === locked.version) {
      return;
    }
    found.set(wanted, { name: wanted, version: locked.version, integrity: locked.integrity });
    // Types are of no use at run time.
    Object.keys(locked.dependencies ?? {})
      .filter((dependency) => !dependency.startsWith("@types/"))
      .forEach(visit);
  };
  visit(name);
  return [...found.values()];
}

function installedVersion(project: string, name: string): string | undefined {
  const manifest = join(project, "node_modules", name, "package.json");
  if (!existsSync(manifest)) {
    return undefined;
  }
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  // Some of Pulumi's packages say v2.21.0 of themselves, where the lock has 2.21.0.
  return version.replace(/^v/, "");
}

async function install(
  project: string,
  { name, version, integrity }: LockedPackage,
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<void> {
  const modules = join(project, "node_modules");
  const folder = mkdtempSync(join(modules, ".agent-fleet-"));
  try {
    const archive = await download(`${name}@${version}`, folder, env);
    const sum = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
    if (sum !== integrity) {
      throw new Error(
        `${name} ${version}: the download's checksum is ${sum}, package-lock.json has ${integrity}; the registry serves something else, look at: npm config get registry`,
      );
    }
    const unpacked = join(folder, "package");
    mkdirSync(unpacked);
    await x({ file: archive, cwd: unpacked, strip: 1 });
    const place = join(modules, name);
    mkdirSync(dirname(place), { recursive: true });
    rmSync(place, { recursive: true, force: true });
    renameSync(unpacked, place);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** npm's own client knows the registry, its credentials and its cache. */
async function download(
  spec: string,
  folder: string,
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(
      "npm",
      ["pack", spec, "--json", "--ignore-scripts", "--pack-destination", folder],
      { cwd: folder, env, timeout: 600_000, maxBuffer: 64 * 1024 * 1024 },
    );
    const [packed] = JSON.parse(stdout) as readonly { readonly filename: string }[];
    return join(folder, packed?.filename ?? "");
  } catch (error) {
    const { stderr = "", message } = error as { stderr?: string; message: string };
    const lines = stderr.split("\n").filter((line) => line.startsWith("npm error"));
    throw new Error(
      `${spec}: npm could not fetch it (${lines[0] ?? message.split("\n")[0] ?? ""}); the npm registry has to be reachable: npm config get registry`,
      { cause: error },
    );
  }
}
