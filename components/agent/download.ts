/** Fetches what is pinned: files by URL, and npm packages through the operator's own client, so that mirrors count. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { extract } from "tar";
import type { PinnedRuntime } from "./runtimes";

const run = promisify(execFile);

/**
 * The runtime's archive as a file in the cache; fetched once.
 * @throws Error where it cannot be fetched, or its checksum is not the pinned one.
 */
export async function fetchRuntime(runtime: PinnedRuntime, cache: string): Promise<string> {
  const { algorithm, hex } = runtime.checksum;
  const folder = join(cache, "runtimes");
  const file = join(folder, `${runtime.id}-${hex.slice(0, 16)}.tgz`);
  if (existsSync(file)) {
    return file;
  }
  await mkdir(folder, { recursive: true });
  const fetched = await mkdtemp(join(folder, "fetch-"));
  try {
    const archive = await fetchArchive(runtime, fetched);
    const digest = await digestOf(archive, algorithm);
    if (digest !== hex) {
      const name = algorithm === "sha256" ? "SHA-256" : "SHA-512";
      throw new Error(
        `${placeOf(runtime)}: the file there has ${name} ${digest.slice(0, 16)}…, expected ${hex.slice(0, 16)}…; it is not used`,
      );
    }
    await rename(archive, file);
    return file;
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
}

/** What a person knows the archive by. */
function placeOf({ from, version }: PinnedRuntime): string {
  return "url" in from ? from.url : `${from.package}@${version}`;
}

async function fetchArchive(runtime: PinnedRuntime, folder: string): Promise<string> {
  if ("package" in runtime.from) {
    return await fetchPackage(placeOf(runtime), folder);
  }
  const { url } = runtime.from;
  const file = join(folder, "download");
  await download(url, file).catch((error: unknown) => {
    throw new Error(
      `${url} cannot be downloaded (${wordsOf(error)}); correct the address, or open the way to it`,
    );
  });
  return file;
}

/** The file at a URL. */
export async function download(url: string, file: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) {
    throw new Error(`the server says ${String(response.status)}`);
  }
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
}

/** Hexadecimal. */
export async function digestOf(file: string, algorithm: "sha256" | "sha512"): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** A failed fetch() tells its reason in the cause alone. */
export function wordsOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
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

/** The URL for hosts that download themselves; of a package the one from which npm would fetch it. */
export async function archiveUrl(runtime: PinnedRuntime): Promise<string> {
  if ("url" in runtime.from) {
    return runtime.from.url;
  }
  const spec = placeOf(runtime);
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
