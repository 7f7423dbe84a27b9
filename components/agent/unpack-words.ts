/** The arguments of `unpack`, for a host and for an image. */
import type { Release } from "./release-archive";
import type { PinnedRuntime } from "./runtimes";

/** @param source - the archive's file on the host, or its URL */
export function runtimeWords(
  { id, checksum, from, binary }: PinnedRuntime,
  source: string,
): string[] {
  const executable = "url" in from ? ["--executable", binary] : [];
  return ["runtime", id, `${checksum.algorithm}:${checksum.hex}`, source, ...executable];
}

/** @param source - the archive's file on the host */
export function releaseWords({ id, sha256 }: Release, source: string): string[] {
  return ["release", id, `sha256:${sha256}`, source];
}
