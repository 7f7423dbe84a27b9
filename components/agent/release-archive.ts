/**
 * Builds a release: the source without junk, its dependencies for the host's platform, as one
 * archive that is the same wherever it is built (sorted, mtime 0, no owners).
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { create } from "tar";
import { installDependencies, type InstallPlan } from "./dependencies";
import { sourceFiles, type SourceFile } from "./source-files";

/** Changes when the same source gives another archive; then no cached one is used. */
const RECIPE = "1";

export interface Release {
  /** Names the folder on the host: the first 16 digits of the archive's SHA-256, before compression. */
  readonly id: string;
  /** The gzipped archive on this machine. */
  readonly file: string;
  /** SHA-256 of that file, hexadecimal. */
  readonly sha256: string;
}

export interface ReleaseArgs {
  /** Absolute path of the source folder. */
  readonly source: string;
  readonly install: InstallPlan;
  /** Cache folder of this machine. */
  readonly cache: string;
  /** Says what takes long. */
  readonly say: (line: string) => void;
}

/**
 * The release of a source folder; from the cache where neither the source nor the recipe changed.
 * @throws Error where the source cannot be packed or its dependencies cannot be installed.
 */
export async function buildRelease(args: ReleaseArgs): Promise<Release> {
  const files = sourceFiles(args.source);
  const key = inputsKey(args, files);
  const folder = join(args.cache, "releases", key);
  if (!existsSync(join(folder, "release.json"))) {
    await build(args, files, folder);
  }
  const { id, sha256 } = JSON.parse(
    await readFile(join(folder, "release.json"), "utf8"),
  ) as Release;
  return { id, sha256, file: join(folder, "release.tgz") };
}

function inputsKey({ source, install }: ReleaseArgs, files: readonly SourceFile[]): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([RECIPE, install.runtime.id, install.platform, install.where]));
  for (const { path, kind, executable } of files) {
    const content = kind === "file" ? readFileSync(join(source, path)) : "";
    hash.update(JSON.stringify([path, kind, executable, content.length]));
    hash.update(content);
  }
  return hash.digest("hex").slice(0, 32);
}

async function build(
  args: ReleaseArgs,
  files: readonly SourceFile[],
  folder: string,
): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const work = await mkdtemp(join(dirname(folder), "build-"));
  try {
    const tree = join(work, "tree");
    await copyTree(args.source, files, tree);
    await installDependencies(args.install, tree, args.cache, args.say);
    const result = join(work, "result");
    await mkdir(result);
    const archive = await archiveOf(tree, join(work, "release.tar"));
    const compressed = gzipSync(archive);
    await writeFile(join(result, "release.tgz"), compressed);
    const release = { id: sha256(archive).slice(0, 16), sha256: sha256(compressed) };
    await writeFile(join(result, "release.json"), JSON.stringify(release));
    await rename(result, folder).catch((error: unknown) => {
      // Another run may have been quicker; its result is the same.
      if (!existsSync(join(folder, "release.json"))) {
        throw error;
      }
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function copyTree(source: string, files: readonly SourceFile[], tree: string): Promise<void> {
  await mkdir(tree);
  for (const { path, kind, executable } of files) {
    const target = join(tree, path);
    await mkdir(dirname(target), { recursive: true });
    if (kind === "link") {
      await symlink(await readlink(join(source, path)), target);
    } else {
      await copyFile(join(source, path), target);
      await chmod(target, executable ? 0o755 : 0o644);
    }
  }
}

async function archiveOf(tree: string, file: string): Promise<Buffer> {
  const entries = await readdir(tree, { recursive: true });
  await create(
    { cwd: tree, file, portable: true, mtime: new Date(0), noDirRecurse: true },
    entries.sort(),
  );
  return readFile(file);
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
