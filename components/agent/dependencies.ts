/**
 * Installs a release's dependencies on this machine for the host's platform. Install scripts do not
 * run: they would build for this machine, and with this machine's rights. A profile whose packages
 * need them says `install: host`.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { localExecutable } from "./download";
import type { Arch, PinnedRuntime } from "./runtimes";

const run = promisify(execFile);

/** The TypeScript loader that Node needs; Bun reads TypeScript itself. */
const TSX = "tsx@4.23.15";

export interface InstallPlan {
  readonly where: "operator" | "host";
  readonly runtime: PinnedRuntime;
  /** Architecture of the host. */
  readonly platform: Arch;
  /** Bun for this machine, which installs for every platform. */
  readonly localBun: PinnedRuntime;
}

/** Adds `node_modules` to the tree where its package.json asks for packages. */
export async function installDependencies(
  plan: InstallPlan,
  tree: string,
  cache: string,
  say: (line: string) => void,
): Promise<void> {
  const wanted = await hasDependencies(tree);
  const needsTsx = plan.runtime.name === "node";
  if (plan.where === "host" || (!wanted && !needsTsx)) {
    return;
  }
  const bun = await localExecutable(plan.localBun, cache);
  const target = ["--os", "linux", "--cpu", plan.platform === "arm64" ? "arm64" : "x64"];
  const install = async (args: readonly string[]) => {
    await bunInstall(bun, tree, args);
  };
  if (wanted) {
    await ensureLock(tree, cache, say, install);
    say("installing the agent's dependencies for the host's platform");
    await install(["install", "--frozen-lockfile", "--production", "--ignore-scripts", ...target]);
  }
  if (needsTsx) {
    await install(["add", "--exact", "--ignore-scripts", ...target, TSX]);
  }
}

/** A source without a lock gets one, and keeps it as long as its package.json stays the same. */
async function ensureLock(
  tree: string,
  cache: string,
  say: (line: string) => void,
  install: (args: readonly string[]) => Promise<void>,
): Promise<void> {
  const lock = join(tree, "bun.lock");
  if (existsSync(lock) || existsSync(join(tree, "bun.lockb"))) {
    return;
  }
  const manifest = createHash("sha256").update(await readFile(join(tree, "package.json")));
  const kept = join(cache, "locks", `${manifest.digest("hex").slice(0, 32)}.lock`);
  if (!existsSync(kept)) {
    say("the agent's source has no bun.lock; commit one to get the same packages everywhere");
    await install(["install", "--lockfile-only", "--ignore-scripts"]);
    await mkdir(dirname(kept), { recursive: true });
    await copyFile(lock, kept);
  }
  await copyFile(kept, lock);
}

async function bunInstall(bun: string, tree: string, args: readonly string[]): Promise<void> {
  try {
    await run(bun, [...args, "--no-progress", "--no-summary"], { cwd: tree });
  } catch (error) {
    const output =
      typeof error === "object" && error !== null && "stderr" in error ? String(error.stderr) : "";
    throw new Error(
      `dependencies of the release: bun ${args.slice(0, 2).join(" ")} failed:\n${output.trim() || String(error)}`,
    );
  }
}

async function hasDependencies(tree: string): Promise<boolean> {
  const file = join(tree, "package.json");
  if (!existsSync(file)) {
    return false;
  }
  const { dependencies, optionalDependencies } = JSON.parse(await readFile(file, "utf8")) as {
    dependencies?: object;
    optionalDependencies?: object;
  };
  return Object.keys({ ...dependencies, ...optionalDependencies }).length > 0;
}
