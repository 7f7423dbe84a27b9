/** Makes an image from Debian packages, without mounting anything and without being root where user namespaces work. */
import { closeSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Recipe, recipeFolder } from "./recipe";
import { phases, run, type Say } from "./run";

/** Of the file system in the image; each VM's own grows to its disk at the first boot. */
const imageMiB = 2048;

/** Writes rootfs.qcow2, vmlinuz and initrd.img to `folder`. @returns what went in, for the manifest */
export async function buildFromPackages(
  recipe: Recipe,
  folder: string,
  say: Say,
): Promise<{ source: string; packages: Record<string, string> }> {
  const steps = phases(`image ${recipe.name}`, say);
  const rootTar = join(folder, "root.tar");
  try {
    steps.next("packing the files that are laid over it");
    const overlay = join(folder, "overlay.tar");
    const asRoot = ["--owner=0", "--group=0", "--numeric-owner", "--mode=u+rwX,go+rX,go-w"];
    await run("tar", [...asRoot, "-C", join(recipeFolder, "files"), "-cf", overlay, "."]);

    const args = await mmdebstrapArgs(recipe, overlay, rootTar);
    await run("sh", ["-c", 'umask 022; exec mmdebstrap "$@"', "mmdebstrap", ...args], {
      onLine: (line) => {
        const phase = /^I: (.*(?:update|apt|archives|packages.*))\.\.\.$/.exec(line)?.[1];
        if (phase !== undefined) steps.next(phase);
      },
    });

    steps.next("taking out kernel and initrd");
    await extract(rootTar, "./boot/vmlinuz-*", join(folder, "vmlinuz"));
    await extract(rootTar, "./boot/initrd.img-*", join(folder, "initrd.img"));
    const status = join(folder, "status");
    await extract(rootTar, "./var/lib/dpkg/status", status);

    steps.next("making the disk");
    await pack(rootTar, join(folder, "rootfs.raw"));
    const images = [join(folder, "rootfs.raw"), join(folder, "rootfs.qcow2")];
    await run("qemu-img", ["convert", "-O", "qcow2", ...images]);
    const packages = installedPackages(readFileSync(status, "utf8"));
    for (const file of [rootTar, overlay, status, join(folder, "rootfs.raw")]) rmSync(file);
    const size = Math.round(statSync(join(folder, "rootfs.qcow2")).size / 2 ** 20);
    steps.next(`made, ${String(size)} MiB`);
    return { source: "Debian packages", packages };
  } finally {
    steps.end();
  }
}

async function mmdebstrapArgs(recipe: Recipe, overlay: string, rootTar: string): Promise<string[]> {
  const hook = (stage: string, command: string): string => `--${stage}-hook=${command}`;
  return [
    ...["--variant=minbase", `--architectures=${recipe.arch}`, "--components=main"],
    `--include=${recipe.packages.join(",")}`,
    ...(await proxyArgs()),
    // Documentation and translations are never unpacked.
    ...["doc", "man", "info", "locale"].map((dir) => `--dpkgopt=path-exclude=/usr/share/${dir}/*`),
    // Before the kernel comes, so that its initrd is made by our rules at once.
    hook("essential", `tar-in ${quote(overlay)} /`),
    hook("customize", `tar-in ${quote(overlay)} /`),
    hook("customize", `upload ${quote(join(recipeFolder, "finish"))} /finish`),
    hook("customize", 'chroot "$1" sh /finish && rm "$1/finish"'),
    ...[recipe.suite, rootTar],
    ...(await sources(recipe)),
  ];
}

/** Through a pipe, because in a user namespace the program may not reach this user's folders. */
async function pack(rootTar: string, disk: string): Promise<void> {
  const script = readFileSync(join(recipeFolder, "pack"), "utf8");
  const command = ["sh", "-c", script, "pack", String(imageMiB)];
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

async function extract(tar: string, pattern: string, to: string): Promise<void> {
  const output = openSync(to, "w");
  try {
    const args = ["-xOf", tar, "--wildcards", pattern];
    await run("tar", args, { stdio: ["ignore", output, "pipe"] });
  } finally {
    closeSync(output);
  }
}

/** A mirror that apt on this machine uses for Debian; none: mmdebstrap's own choice. */
async function sources(recipe: Recipe): Promise<string[]> {
  const format = "--format=$(ORIGIN) $(LABEL) $(REPO_URI)";
  const targets = await run("apt-get", ["indextargets", format, "Created-By: Packages"]).catch(
    () => "",
  );
  return sourceLines(targets, recipe);
}

/** Pure part of it. @param targets - lines of "origin label address" */
export function sourceLines(targets: string, recipe: Pick<Recipe, "suite" | "updated">): string[] {
  const { suite, updated } = recipe;
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

function installedPackages(status: string): Record<string, string> {
  const found = status.matchAll(/^Package: (\S+)$(?:\n.+)*?\nVersion: (\S+)$/gm);
  return Object.fromEntries([...found].map(([, name = "", version = ""]) => [name, version]));
}

/** For the hooks of mmdebstrap, which splits them as a shell does. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
