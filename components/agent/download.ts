/** Fetches pinned npm packages through the operator's own npm client, so that mirrors are honoured. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { extract } from "tar";
import type { PinnedRuntime } from "./runtimes";

const run = promisify(execFile);

/**
 * The runtime's package as a file in the cache; fetched once.
 * @throws Error where npm cannot fetch it, or its SHA-512 is not the pinned one.
 */
export async function fetchRuntime(runtime: PinnedRuntime, cache: string): Promise<string> {
  const folder = join(cache, "runtimes");
  const file = join(folder, `${runtime.id}-${runtime.sha512.slice(0, 16)}.tgz`);
  if (existsSync(file)) {
    return file;
  }
  const spec = `${runtime.package}@${runtime.version}`;
  await mkdir(folder, { recursive: true });
  const fetched = await mkdtemp(join(folder, "fetch-"));
  try {
    await run("npm", ["pack", spec, "--silent", "--pack-destination", fetched], { cwd: fetched });
    const [name] = await readdir(fetched);
    const archive = join(fetched, name ?? "");
    const digest = createHash("sha512")
      .update(await readFile(archive))
      .digest("hex");
    if (digest !== runtime.sha512) {
      throw new Error(
        `${spec}: the registry's file has SHA-512 ${digest.slice(0, 16)}…, expected ${runtime.sha512.slice(0, 16)}…; it is not used`,
      );
    }
    await rename(archive, file);
    return file;
  } catch (error) {
    throw asFetchError(spec, error);
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
}

function asFetchError(spec: string, error: unknown): Error {
  const output =
    typeof error === "object" && error !== null && "stderr" in error ? error.stderr : undefined;
  const reason = typeof output === "string" && output !== "" ? output.trim() : String(error);
  return new Error(`cannot fetch ${spec} with npm: ${reason}`);
}

/** The URL from which npm would fetch a package, for hosts that download themselves. */
export async function packageUrl(runtime: PinnedRuntime): Promise<string> {
  const spec = `${runtime.package}@${runtime.version}`;
  try {
    const { stdout } = await run("npm", ["view", spec, "dist.tarball", "--silent"]);
    return stdout.trim();
  } catch (error) {
    throw asFetchError(spec, error);
  }
}

/** The runtime unpacked for use on this machine: the path of its executable. */
export async function localExecutable(runtime: PinnedRuntime, cache: string): Promise<string> {
  const folder = join(cache, "tools", runtime.id);
  const executable = join(folder, "bin", runtime.binary);
  if (existsSync(executable)) {
    return executable;
  }
  const archive = await fetchRuntime(runtime, cache);
  await mkdir(join(cache, "tools"), { recursive: true });
  const unpacked = await mkdtemp(join(cache, "tools", "unpack-"));
  try {
    await extract({ file: archive, cwd: unpacked, strip: 1 });
    await rename(unpacked, folder);
  } catch (error) {
    // Another run may have been quicker; its result is the same.
    if (!existsSync(executable)) {
      throw error;
    }
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
  return executable;
}
