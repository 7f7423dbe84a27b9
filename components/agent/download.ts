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
    const archive = await fetchPackage(spec, fetched);
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
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
}

/**
 * A package's archive in an empty folder; npm compares it with the registry's integrity of it.
 * @throws Error in npm's words where it cannot be fetched.
 */
export async function fetchPackage(spec: string, folder: string): Promise<string> {
  try {
    await run(
      "npm",
      ["pack", spec, "--loglevel=error", "--ignore-scripts", "--pack-destination", folder],
      // Said, as a test's environment is not what Node would hand on by itself.
      { cwd: folder, env: process.env },
    );
  } catch (error) {
    throw asFetchError(spec, error);
  }
  const [name] = await readdir(folder);
  return join(folder, name ?? "");
}

function asFetchError(spec: string, error: unknown): Error {
  const { stderr = "", message = "" } = error as { stderr?: string; message?: string };
  const lines = stderr
    .split("\n")
    .filter((line) => line.startsWith("npm error"))
    .map((line) => line.replace(/^npm error (notarget |404 )?/, ""))
    // The code alone, and where npm keeps its log, tell a person nothing.
    .filter((line) => !/^(code |errno |syscall |A complete log)/.test(line));
  const reason = lines[0] ?? message.split("\n")[0] ?? "";
  return new Error(`cannot fetch ${spec} with npm: ${reason}`);
}

/** The URL from which npm would fetch a package, for hosts that download themselves. */
export async function packageUrl(runtime: PinnedRuntime): Promise<string> {
  const spec = `${runtime.package}@${runtime.version}`;
  try {
    const { stdout } = await run("npm", ["view", spec, "dist.tarball", "--loglevel=error"]);
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
