/** Debian's own cloud image, for machines where none can be made from packages. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { downloadListed } from "./download";
import type { Recipe } from "./recipe";
import { phases, run, type Say } from "./run";

const defaultBase = "https://cloud.debian.org/images/cloud";

/**
 * Fetches `genericcloud`, checked against SHA512SUMS. It boots by its own boot loader.
 * AGENT_FLEET_DEBIAN_IMAGES names a mirror of the folder that holds one folder per suite.
 */
export async function fetchOfficial(recipe: Recipe, folder: string, say: Say): Promise<object> {
  const base = process.env["AGENT_FLEET_DEBIAN_IMAGES"] ?? defaultBase;
  const url = `${base}/${recipe.suite}/latest/${recipe.name}-genericcloud-${recipe.arch}.qcow2`;
  const steps = phases(`image ${recipe.name}`, say);
  try {
    steps.next(`downloading ${url}`);
    let told = 0;
    const fetched = join(folder, "fetched.qcow2");
    await downloadListed(url, fetched, (part) => {
      const tenth = Math.floor(part * 10);
      if (tenth > told) steps.next(`downloading, ${String(tenth * 10)} %`);
      told = tenth;
    });
    steps.next("unpacking");
    await run("qemu-img", ["convert", "-O", "qcow2", fetched, join(folder, "rootfs.qcow2")]);
    rmSync(fetched);
    return { source: url };
  } finally {
    steps.end();
  }
}
