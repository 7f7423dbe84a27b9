/** The pinned runtimes: where the archive for a platform is, and its checksum. */
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
export const versionSchema = form(
  /^\d+\.\d+\.\d+[0-9A-Za-z.-]*$/,
  "an exact version, in quotes",
).describe("Version, the same for all platforms.");

/** Executables under bin/ of an npm package, one for each platform. */
export const runtimeSchema = z.strictObject({
  version: versionSchema,
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
  /** Where its archive is; what a URL leads to may be the executable itself. */
  readonly from: { readonly package: string } | { readonly url: string };
  readonly checksum: Checksum;
}

/** Of the archive. */
export interface Checksum {
  readonly algorithm: "sha256" | "sha512";
  readonly hex: string;
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
  const { version, binary, packages } = runtime;
  const found = forPlatform(packages, platform, `${name} ${version}: no package`);
  const hex = Buffer.from(found.integrity.slice("sha512-".length), "base64").toString("hex");
  return {
    id: `${name}-${version}`,
    name,
    version,
    binary,
    from: { package: found.name },
    checksum: { algorithm: "sha512", hex },
  };
}

/** What there is for a platform; the error begins with what is missing, and names the platforms that there are. */
export function forPlatform<T>(
  known: Readonly<Record<string, T>>,
  platform: string,
  missing: string,
): T {
  const found = known[platform];
  if (found === undefined) {
    throw new Error(`${missing} for ${platform}; there are ${Object.keys(known).join(", ")}`);
  }
  return found;
}
