/**
 * A root file system from packages of Debian or Ubuntu, as a tar and as a disk: without mounting anything, and without being
 * root where user namespaces work.
 */
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Arch } from "./qemu";
import { type Recipe, recipeFolder } from "./recipe";
import { run } from "./run";

export interface RootPlan extends Pick<Recipe, "suite" | "updated" | "packages"> {
  readonly arch: Arch;
  /** Another distribution's archive: lines of apt's sources, and the file of the keys that sign it. @default - Debian's */
  readonly archive?: { readonly lines: readonly string[]; readonly keyring: string } | undefined;
  /** Folder that is laid over it, first before the kernel comes, so that its initrd is made by these rules at once. */
  readonly files: string;
  /** Folders that are laid over it at the end, the later over the earlier. @default - none */
  readonly filesAtEnd?: readonly string[];
  /** Scripts that run in its chroot at the end, in this order. */
  readonly finish: readonly string[];
  /** No file is newer, in seconds since 1970, and two runs give the same tar. @default - files keep their times */
  readonly epoch?: number;
}

/** Writes `rootTar`. @param next - gets each phase as it begins */
export async function bootstrap(
  plan: RootPlan,
  rootTar: string,
  next: (phase: string) => void,
): Promise<void> {
  next("packing the files that are laid over it");
  const first = `${rootTar}.files`;
  const last = `${rootTar}.files-at-end`;
  try {
    await packFolders([plan.files], first);
    await packFolders([plan.files, ...(plan.filesAtEnd ?? [])], last);
    const args = await mmdebstrapArgs(plan, { first, last }, rootTar);
    await run("sh", ["-c", 'umask 022; exec mmdebstrap "$@"', "mmdebstrap", ...args], {
      env: plan.epoch === undefined ? {} : { SOURCE_DATE_EPOCH: String(plan.epoch) },
      onLine: (line) => {
        const phase = /^I: (.*(?:update|apt|archives|packages.*))\.\.\.$/.exec(line)?.[1];
        if (phase !== undefined) next(phase);
      },
    });
  } finally {
    for (const tar of [first, last]) rmSync(tar, { force: true });
  }
}

/** Root's, whoever has them here. */
async function packFolders(folders: readonly string[], tar: string): Promise<void> {
  const asRoot = ["--owner=0", "--group=0", "--numeric-owner", "--mode=u+rwX,go+rX,go-w"];
  const what = folders.flatMap((folder) => ["-C", folder, "."]);
  await run("tar", [...asRoot, "--sort=name", "-cf", tar, ...what]);
}

async function mmdebstrapArgs(
  plan: RootPlan,
  overlay: { readonly first: string; readonly last: string },
  rootTar: string,
): Promise<string[]> {
  const hook = (stage: string, command: string): string => `--${stage}-hook=${command}`;
  return [
    ...["--variant=minbase", `--architectures=${plan.arch}`, "--components=main"],
    `--include=${plan.packages.join(",")}`,
    ...(await proxyArgs()),
    ...(plan.archive === undefined ? [] : [`--keyring=${plan.archive.keyring}`]),
    // Documentation and translations are never unpacked.
    ...["doc", "man", "info", "locale"].map((dir) => `--dpkgopt=path-exclude=/usr/share/${dir}/*`),
    hook("essential", `tar-in ${quote(overlay.first)} /`),
    hook("customize", `tar-in ${quote(overlay.last)} /`),
    ...plan.finish.flatMap((script) => [
      hook("customize", `upload ${quote(script)} /finish`),
      hook("customize", 'chroot "$1" sh /finish && rm "$1/finish"'),
    ]),
    ...[plan.suite, rootTar],
    ...(plan.archive?.lines ?? (await sources(plan))),
  ];
}

/** Through a pipe, because in a user namespace the program may not reach this user's folders. */
export async function packDisk(rootTar: string, disk: string, sizeMiB: number): Promise<void> {
  const script = readFileSync(join(recipeFolder, "pack"), "utf8");
  const command = ["sh", "-c", script, "pack", String(sizeMiB)];
  const isRoot = process.getuid?.() === 0;
  const [program = "", ...args] = isRoot ? command : ["mmdebstrap", "--unshare-helper", ...command];
  const input = openSync(rootTar, "r");
  const output = openSync(disk, "w");
  try {
    await run(program, args, { stdio: [input, output, "pipe"] });
  } finally {
    closeSync(input);
    closeSync(output);
  }
}

/** Writes the file of a tar that fits the pattern to `to`. */
export async function extract(tar: string, pattern: string, to: string): Promise<void> {
  const output = openSync(to, "w");
  try {
    const args = ["-xOf", tar, "--wildcards", pattern];
    await run("tar", args, { stdio: ["ignore", output, "pipe"] });
  } finally {
    closeSync(output);
  }
}

/** A mirror that apt on this machine uses for Debian; none: mmdebstrap's own choice. */
async function sources(plan: RootPlan): Promise<string[]> {
  const format = "--format=$(ORIGIN) $(LABEL) $(REPO_URI)";
  const targets = await run("apt-get", ["indextargets", format, "Created-By: Packages"]).catch(
    () => "",
  );
  return sourceLines(targets, plan);
}

/** Pure part of it. @param targets - lines of "origin label address" */
export function sourceLines(targets: string, plan: Pick<Recipe, "suite" | "updated">): string[] {
  const { suite, updated } = plan;
  const address = (label: string): string | undefined =>
    targets
      .split("\n")
      .find((line) => line.startsWith(`Debian ${label} `))
      ?.split(" ")
      .at(-1);
  const main = address("Debian");
  if (main === undefined) return [];
  if (!updated) return [`deb ${main} ${suite} main`];
  const security = address("Debian-Security");
  return [
    `deb ${main} ${suite} main`,
    `deb ${main} ${suite}-updates main`,
    ...(security === undefined ? [] : [`deb ${security} ${suite}-security main`]),
  ];
}

/** mmdebstrap does not read this machine's apt configuration; a proxy named there is needed all the same. */
async function proxyArgs(): Promise<string[]> {
  const dump = await run("apt-config", ["dump"]).catch(() => "");
  return dump
    .split("\n")
    .filter((line) => /^Acquire::https?::Proxy(::\S+)? "[^"]+";$/.test(line))
    .map((line) => `--aptopt=${line}`);
}

/** Package → version. */
export async function installedPackages(rootTar: string): Promise<Record<string, string>> {
  return packagesIn(await run("tar", ["-xOf", rootTar, "./var/lib/dpkg/status"]));
}

/** The same from the text of dpkg's status file. */
export function packagesIn(status: string): Record<string, string> {
  const found = status.matchAll(/^Package: (\S+)$(?:\n.+)*?\nVersion: (\S+)$/gm);
  return Object.fromEntries([...found].map(([, name = "", version = ""]) => [name, version]));
}

/** For the hooks of mmdebstrap, which splits them as a shell does. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
