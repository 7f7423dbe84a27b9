/** The pinned runtimes: which npm package holds a runtime for a platform, and its integrity. */
import { z } from "zod";
import { form, text } from "../expected";

export const RUNTIME_NAMES = ["bun", "node"] as const;
export type RuntimeName = (typeof RUNTIME_NAMES)[number];
export type Arch = "amd64" | "arm64";

const packageSchema = z.strictObject({
  name: text("the name of an npm package"),
  integrity: form(
    /^sha512-[A-Za-z0-9+/]{86}==$/,
    "the integrity that npm view <name>@<version> dist.integrity tells",
  ),
});
/** Executables under bin/ of an npm package, one for each platform. */
export const runtimeSchema = z.strictObject({
  version: form(/^\d+\.\d+\.\d+[0-9A-Za-z.-]*$/, "an exact version, in quotes").describe(
    "Version of all its packages.",
  ),
  binary: form(/^[A-Za-z0-9._-]+$/, "the name of a file").describe(
    "Name of the executable under bin/.",
  ),
  packages: z
    .record(
      form(/^(linux|darwin)-(amd64|arm64)$/, "a platform such as linux-amd64"),
      packageSchema,
      { error: "expected packages, like { linux-amd64: { name: …, integrity: … } }" },
    )
    .describe("The npm package of each platform, such as `linux-amd64`, and its integrity."),
});
const runtimesSchema = z.record(z.enum(RUNTIME_NAMES), runtimeSchema);

export type Runtimes = z.infer<typeof runtimesSchema>;
type Packaged = z.infer<typeof runtimeSchema>;

/** One runtime for one platform. */
export interface PinnedRuntime {
  /** Names the folder on the host: `bun-1.4.5`. */
  readonly id: string;
  readonly name: string;
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
  return pinned(name, runtimes[name], platform);
}

/** The same of any program that comes in such packages. */
export function pinned(name: string, runtime: Packaged, platform: string): PinnedRuntime {
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
