/** The pinned runtimes: which npm package holds a runtime for a platform, and its integrity. */
import { z } from "zod";

export const RUNTIME_NAMES = ["bun", "node"] as const;
export type RuntimeName = (typeof RUNTIME_NAMES)[number];
export type Arch = "amd64" | "arm64";

const packageSchema = z.strictObject({
  name: z.string(),
  integrity: z.string().startsWith("sha512-"),
});
const runtimeSchema = z.strictObject({
  version: z.string(),
  /** Name of the executable under bin/. */
  binary: z.string(),
  packages: z.record(z.string(), packageSchema),
});
const runtimesSchema = z.record(z.enum(RUNTIME_NAMES), runtimeSchema);

export type Runtimes = z.infer<typeof runtimesSchema>;

/** One runtime for one platform. */
export interface PinnedRuntime {
  /** Names the folder on the host: `bun-1.4.5`. */
  readonly id: string;
  readonly name: RuntimeName;
  readonly version: string;
  readonly binary: string;
  readonly package: string;
  /** SHA-512 of the package's archive, hexadecimal. */
  readonly sha512: string;
}

/** @throws ZodError where assets/runtimes.yaml is not of its form. */
export function parseRuntimes(value: unknown): Runtimes {
  return runtimesSchema.parse(value);
}

/**
 * The runtime for a platform such as `linux-amd64`.
 * @throws Error where the runtime has no package for it.
 */
export function pinnedRuntime(
  runtimes: Runtimes,
  name: RuntimeName,
  platform: string,
): PinnedRuntime {
  const runtime = runtimes[name];
  const found = runtime.packages[platform];
  if (found === undefined) {
    const known = Object.keys(runtime.packages).join(", ");
    throw new Error(`${name} ${runtime.version}: no package for ${platform}; there are ${known}`);
  }
  return {
    id: `${name}-${runtime.version}`,
    name,
    version: runtime.version,
    binary: runtime.binary,
    package: found.name,
    sha512: Buffer.from(found.integrity.slice("sha512-".length), "base64").toString("hex"),
  };
}
