/** The base image of local VMs: made once per recipe, kept in the cache. */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isImageFile, readAgentImage } from "./agent/manifest";
import { imageFiles } from "./agent/names";
import { buildFromPackages } from "./build";
import { cacheFolder } from "./cache";
import { withLock } from "./lock";
import { fetchOfficial } from "./official";
import { type Recipe, recipeOf } from "./recipe";
import { run, type Say } from "./run";
import { canBuild, ensureTools, hostArch } from "./tools";

export interface Image {
  readonly name: string;
  readonly recipe: string;
  /** qcow2; the root file system alone, or a whole disk with a boot loader if there is no kernel. */
  readonly disk: string;
  readonly kernel: string | undefined;
  readonly initrd: string | undefined;
}

/**
 * Finds the image or makes it: from Debian packages, or where that cannot be done, Debian's own cloud image. One that
 * is named by its file is taken from there.
 * @param say - gets a line per phase, with seconds
 * @throws Error for an unknown name, or with the reasons why no way worked
 */
export async function ensureImage(name: string, say: Say): Promise<Image> {
  if (isImageFile(name)) {
    const found = readAgentImage(name);
    return inCache(name, `agent-${found.sha256.slice(0, 12)}`, say, async (folder) => {
      say(`image ${name}: taking it into the cache`);
      empty(folder);
      await run("qemu-img", ["convert", "-O", "qcow2", name, join(folder, "rootfs.qcow2")]);
      copyFileSync(found.beside(imageFiles.kernel), join(folder, "vmlinuz"));
      copyFileSync(found.beside(imageFiles.initrd), join(folder, "initrd.img"));
    });
  }
  const recipe = recipeOf(name, hostArch());
  return inCache(name, recipe.id, say, (folder) => make(recipe, folder, say));
}

/** The image of this id; where the cache has none, `fill` puts one into the folder that it is given. */
async function inCache(
  name: string,
  id: string,
  say: Say,
  fill: (folder: string) => Promise<void>,
): Promise<Image> {
  const folder = join(cacheFolder("images"), id);
  if (!existsSync(folder)) {
    await ensureTools(say);
    await withLock(`${folder}.lock`, say, async () => {
      if (existsSync(folder)) return;
      const beside = `${folder}.partial`;
      try {
        await fill(beside);
        renameSync(beside, folder);
      } finally {
        rmSync(beside, { recursive: true, force: true });
      }
    });
  }
  const optional = (file: string): string | undefined =>
    existsSync(join(folder, file)) ? join(folder, file) : undefined;
  return {
    name,
    recipe: id,
    disk: join(folder, "rootfs.qcow2"),
    kernel: optional("vmlinuz"),
    initrd: optional("initrd.img"),
  };
}

async function make(recipe: Recipe, folder: string, say: Say): Promise<void> {
  const from = async (way: (folder: string) => Promise<object>): Promise<void> => {
    empty(folder);
    const manifest = { image: recipe.name, recipe: recipe.id, ...(await way(folder)) };
    writeFileSync(join(folder, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  };
  const reasons: string[] = [];
  if (canBuild()) {
    try {
      await from((into) => buildFromPackages(recipe, into, say));
      return;
    } catch (error) {
      reasons.push(`from Debian packages: ${textOf(error)}`);
      say(`image ${recipe.name}: not made from Debian packages: ${textOf(error)}`);
    }
  }
  try {
    await from((into) => fetchOfficial(recipe, into, say));
  } catch (error) {
    reasons.push(`Debian's cloud image: ${textOf(error)}`);
    throw new Error(`image ${recipe.name} cannot be had\n  ${reasons.join("\n  ")}`);
  }
}

function empty(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
