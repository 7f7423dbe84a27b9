/**
 * Brings an agent's code to this machine, once for each commit, version or hash: what lies in the cache
 * is the same wherever and whenever it is fetched. Nothing of it runs here.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { extract } from "tar";
import { digestOf, download, fetchPackage, wordsOf } from "./download";
import { sourceText, type RemoteSource } from "./source";

/** Changes when the same source gives other files; then none of the cached ones is used. */
const RECIPE = "1";

type Of<Kind extends RemoteSource["kind"]> = Extract<RemoteSource, { kind: Kind }>;

/**
 * The folder in the cache that holds the source's code.
 * @throws Error with what was given, what is wrong with it and what to do.
 */
export async function fetchSource(
  source: RemoteSource,
  cache: string,
  say: (line: string) => void,
): Promise<string> {
  const key = createHash("sha256")
    .update(`${RECIPE} ${sourceText(source)}`)
    .digest("hex");
  const shelf = join(cache, "sources");
  const folder = join(shelf, key.slice(0, 32));
  if (existsSync(folder)) {
    return folder;
  }
  say(`fetching ${sourceText(source)}`);
  await mkdir(shelf, { recursive: true });
  const work = await mkdtemp(join(shelf, "fetch-"));
  try {
    await rename(await fetched(source, work), folder).catch((error: unknown) => {
      // Another run may have been quicker; its result is the same.
      if (!existsSync(folder)) {
        throw error;
      }
    });
  } catch (error) {
    throw new Error(`got "${sourceText(source)}", ${wordsOf(error)}`, { cause: error });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

/** The folder below `work`, which is empty, that the code is in. */
async function fetched(source: RemoteSource, work: string): Promise<string> {
  const tree = join(work, "tree");
  await mkdir(tree);
  switch (source.kind) {
    case "git":
      await fetchCommit(source, work, tree);
      return tree;
    case "npm":
      await fetchVersion(source, work, tree);
      return tree;
    case "tarball":
      await fetchTarball(source, work, tree);
      return await withoutWrapper(tree);
  }
}

/**
 * Attributes of the repository that would make other bytes of a file here than there, or leave files out;
 * this file of the clone wins over the repository's own.
 */
const ATTRIBUTES =
  "* -text -eol -ident -filter -working-tree-encoding -export-ignore -export-subst\n";

async function fetchCommit(
  { url, commit, folder }: Of<"git">,
  work: string,
  tree: string,
): Promise<void> {
  const repository = join(work, "repository");
  const git = gitIn(repository);
  await git(["init", "--quiet", "--bare", "--template="]);
  await mkdir(join(repository, "info"), { recursive: true });
  await writeFile(join(repository, "info", "attributes"), ATTRIBUTES);
  await git(["fetch", "--quiet", "--depth=1", "--no-tags", url, commit]).catch((error: unknown) => {
    throw new Error(
      `which git cannot fetch (${wordsOf(error)}); see that the repository is reached from here and has this commit: git ls-remote ${url}`,
    );
  });
  const archive = join(work, "tree.tar");
  const root = `${commit}:${folder}`;
  await git(["archive", "--format=tar", `--output=${archive}`, root]).catch((error: unknown) => {
    throw new Error(
      `of which git cannot read the folder "${folder}" (${wordsOf(error)}); name a folder that this commit has`,
    );
  });
  if (/^160000 /m.test(await git(["ls-tree", "-r", root]))) {
    throw new Error(
      "which has submodules, and they are not fetched; name the commit of the submodule's own repository, or give a checked-out folder",
    );
  }
  await unpack(archive, tree, 0);
}

/** Git on a bare clone, with its user's settings (credentials, proxies), and never with a question. */
function gitIn(repository: string): (args: readonly string[]) => Promise<string> {
  const env = { ...process.env, GIT_DIR: repository, GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
  return async (args) => {
    try {
      const options = { env, maxBuffer: 64 * 1024 * 1024 };
      return (await promisify(execFile)("git", [...args], options)).stdout;
    } catch (error) {
      const { code, stderr = "", message } = error as Error & { code?: unknown; stderr?: string };
      if (code === "ENOENT") {
        throw new Error("git is not on this machine; install it");
      }
      const lines = stderr.split("\n").filter((line) => /^(fatal|error):/.test(line));
      throw new Error(lines[0]?.replace(/^(fatal|error): /, "") ?? message.split("\n")[0] ?? "");
    }
  };
}

async function fetchVersion(
  { name, version }: Of<"npm">,
  work: string,
  tree: string,
): Promise<void> {
  const folder = join(work, "package");
  await mkdir(folder);
  const archive = await fetchPackage(`${name}@${version}`, folder).catch((error: unknown) => {
    throw new Error(
      `which cannot be had: ${wordsOf(error)}; see the versions that there are: npm view ${name} versions`,
    );
  });
  await unpack(archive, tree, 1);
  await dropDevelopment(join(tree, "package.json"));
}

/** Who installs a package gets none of what its makers needed; it may not even be published. */
async function dropDevelopment(file: string): Promise<void> {
  const manifest = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  if ("devDependencies" in manifest) {
    delete manifest["devDependencies"];
    await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

async function fetchTarball(
  { url, sha256 }: Of<"tarball">,
  work: string,
  tree: string,
): Promise<void> {
  const archive = join(work, "archive");
  await download(url, archive).catch((error: unknown) => {
    throw new Error(
      `which cannot be downloaded (${wordsOf(error)}); correct the address, or open the way to it`,
    );
  });
  const found = await digestOf(archive, "sha256");
  if (found !== sha256) {
    throw new Error(
      `but the file there has SHA-256 ${found}; it is not used: if it was to change, look at what changed and write its new hash`,
    );
  }
  await unpack(archive, tree, 0);
}

async function unpack(archive: string, tree: string, strip: number): Promise<void> {
  await extract({ file: archive, cwd: tree, strip, preserveOwner: false }).catch(
    (error: unknown) => {
      throw new Error(
        `which cannot be unpacked (${wordsOf(error)}); expected a tar archive, plain or with gzip`,
      );
    },
  );
}

/** Most tarballs hold one folder with the code in it, `name-1.2.3/`; that folder, else the whole. */
async function withoutWrapper(tree: string): Promise<string> {
  const entries = await readdir(tree, { withFileTypes: true });
  const [only] = entries;
  return entries.length === 1 && only?.isDirectory() === true ? join(tree, only.name) : tree;
}
