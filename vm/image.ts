/** The base image of local VMs: made once per recipe, kept in the cache. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildFromPackages } from "./build";
import { cacheFolder } from "./cache";
import { withLock } from "./lock";
import { fetchOfficial } from "./official";
import { type Recipe, recipeOf } from "./recipe";
import { type Say } from "./run";
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
 * Finds the image or makes it: from Debian packages, or where that cannot be done, Debian's own cloud image.
 * @param say - gets a line per phase, with seconds
 * @throws Error for an unknown name, or with the reasons why neither way worked
 */
export async function ensureImage(name: string, say: Say): Promise<Image> {
  const recipe = recipeOf(name, hostArch());
  const images = cacheFolder("images");
  const folder = join(images, recipe.id);
  if (!existsSync(folder)) {
    await ensureTools(say);
    await withLock(`${folder}.lock`, say, async () => {
      if (!existsSync(folder)) await make(recipe, folder, say);
    });
  }
  const optional = (file: string): string | undefined =>
    existsSync(join(folder, file)) ? join(folder, file) : undefined;
  return {
    name,
    recipe: recipe.id,
    disk: join(folder, "rootfs.qcow2"),
    kernel: optional("vmlinuz"),
    initrd: optional("initrd.img"),
  };
}

async function make(recipe: Recipe, folder: string, say: Say): Promise<void> {
  const beside = `${folder}.partial`;
  const from = async (way: (folder: string) => Promise<object>): Promise<void> => {
    rmSync(beside, { recursive: true, force: true });
    mkdirSync(beside, { recursive: true });
    const manifest = { image: recipe.name, recipe: recipe.id, ...(await way(beside)) };
    writeFileSync(join(beside, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    renameSync(beside, folder);
  };
  const reasons: string[] = [];
  try {
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
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
