/** Makes the image of local VMs from Debian packages. */
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { bootstrap, extract, installedPackages, packDisk } from "./bootstrap";
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
  const disk = join(folder, "rootfs.raw");
  try {
    const plan = {
      ...recipe,
      files: join(recipeFolder, "files"),
      finish: [join(recipeFolder, "finish")],
    };
    await bootstrap(plan, rootTar, steps.next);

    steps.next("taking out kernel and initrd");
    await extract(rootTar, "./boot/vmlinuz-*", join(folder, "vmlinuz"));
    await extract(rootTar, "./boot/initrd.img-*", join(folder, "initrd.img"));
    const packages = await installedPackages(rootTar);

    steps.next("making the disk");
    await packDisk(rootTar, disk, imageMiB);
    await run("qemu-img", ["convert", "-O", "qcow2", disk, join(folder, "rootfs.qcow2")]);
    for (const file of [rootTar, disk]) rmSync(file);
    const size = Math.round(statSync(join(folder, "rootfs.qcow2")).size / 2 ** 20);
    steps.next(`made, ${String(size)} MiB`);
    return { source: "Debian packages", packages };
  } finally {
    steps.end();
  }
}
