/** A profile's own program: in npm packages or by download, one for each platform. */
import { z } from "zod";
import { form } from "../expected";
import { forPlatform, pinned, runtimeSchema, versionSchema, type PinnedRuntime } from "./runtimes";

const downloadSchema = z.strictObject({
  url: form(
    /^https?:\/\/[^\s/@]+\/[^\s@]*$/,
    "a URL such as https://example.com/agent-linux-amd64, without a password",
  ).describe("The executable itself, or a .tar.gz with it."),
  sha256: form(/^[0-9a-f]{64}$/, "the file's SHA-256, 64 digits 0-9 and a-f, in quotes").describe(
    "Checksum of the file at the URL.",
  ),
});

/** Where a program's files are: what a stack may say in place of the profile. */
export const downloadedSchema = z.strictObject({
  version: versionSchema,
  downloads: z
    .record(form(/^linux-(amd64|arm64)$/, "linux-amd64 or linux-arm64"), downloadSchema, {
      error: "expected downloads, like { linux-amd64: { url: …, sha256: … } }",
    })
    .describe("URL and SHA-256 of the file for each platform, such as `linux-amd64`."),
});

const { binary, packages } = runtimeSchema.shape;

/** Where a profile may say that a program's files are. */
export const filesShape = {
  version: versionSchema.optional(),
  packages: packages.optional(),
  downloads: downloadedSchema.shape.downloads.optional(),
};

/** Of packages and downloads one at most, and a version with it. */
export function requireOneKindOfFiles(
  { version, packages, downloads }: Files,
  context: z.RefinementCtx,
): void {
  const wrong = (key: string, message: string, input: unknown) => {
    context.addIssue({ code: "custom", path: [key], message, input });
  };
  if (packages !== undefined && downloads !== undefined) {
    wrong("downloads", "expected either packages or downloads; remove one of them", downloads);
  }
  const hasFiles = packages !== undefined || downloads !== undefined;
  if (hasFiles && version === undefined) {
    wrong("version", "expected an exact version, in quotes; add it", version);
  }
  if (!hasFiles && version !== undefined) {
    wrong("version", "expected packages or downloads of that version; add them", version);
  }
}

export const programSchema = z
  .strictObject({
    binary,
    ...filesShape,
    arguments: z
      .array(form(/^[^\r\n]*$/, "one line"), { error: "expected a list of arguments" })
      .default([])
      .describe("Its arguments; `${NAME}` is the env variable, `%i` the agent's name."),
  })
  .superRefine(requireOneKindOfFiles)
  .describe(
    "A program in npm packages or by download, one file a platform, pinned by version and checksum; in place of runtimes and entry. Where the profile names no files, the stack does.",
  );

export type Program = z.infer<typeof programSchema>;
type Files = z.infer<z.ZodObject<typeof filesShape>>;
export type Downloaded = z.infer<typeof downloadedSchema>;

/** The program with the files that a stack gives. */
export function withDownloads(program: Program, given: Downloaded): Program {
  return { binary: program.binary, arguments: program.arguments, ...given };
}

/**
 * The program for a platform such as `linux-amd64`.
 * @throws Error where it has no file for it.
 */
export function pinnedProgram(
  program: Pick<Program, "binary"> & Files,
  platform: string,
): PinnedRuntime {
  const { binary: name, version = "", packages, downloads = {} } = program;
  if (packages !== undefined) {
    return pinned(name, { version, binary: name, packages }, platform);
  }
  const { url, sha256 } = forPlatform(downloads, platform, `${name} ${version}: no download`);
  return {
    // A file may be built again under its version, and would then not be taken for the same.
    id: `${name}-${version}-${sha256.slice(0, 8)}`,
    name,
    version,
    binary: name,
    from: { url },
    checksum: { algorithm: "sha256", hex: sha256 },
  };
}
