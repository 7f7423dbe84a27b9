/** What the agent-ready image is made of: the packages of Ubuntu 24.04 or of Debian 12. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RootPlan } from "../bootstrap";
import type { Arch } from "../qemu";
import { basePackages, recipeOf } from "../recipe";
import { run } from "../run";

export const baseNames = ["ubuntu-24.04", "debian-12"] as const;
export type BaseName = (typeof baseNames)[number];

/** Ubuntu needs its archive's address, and the package with the keys that sign it, as a file here. */
export type Base =
  | { readonly name: "debian-12" }
  | { readonly name: "ubuntu-24.04"; readonly archive: string; readonly keyring: string };

/** Where the packages of the root file system come from, and which of them make it a system that boots. */
export type BasePlan = Pick<RootPlan, "suite" | "updated" | "packages" | "archive">;

/** Runs `work` with the plan of the base; what it needs on this machine is gone afterwards. */
export async function withBase<T>(
  base: Base,
  arch: Arch,
  work: (plan: BasePlan) => Promise<T>,
): Promise<T> {
  if (base.name === "debian-12") return work(recipeOf(base.name, arch));
  // Not below the image's folder: whoever makes it without being root may be another user to that one.
  const folder = mkdtempSync(join(tmpdir(), "fleet-keyring-"));
  try {
    chmodSync(folder, 0o755);
    await run("dpkg-deb", ["--extract", base.keyring, folder]);
    const keyring = join(folder, "keyring.gpg");
    copyFileSync(join(folder, "usr/share/keyrings/ubuntu-archive-keyring.gpg"), keyring);
    return await work({
      suite: "noble",
      updated: true,
      // Its kernel only recommends what makes an initrd.
      packages: basePackages(["linux-image-virtual", "initramfs-tools"]),
      archive: { lines: ubuntuLines(base.archive), keyring },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lines of apt's sources. */
export function ubuntuLines(archive: string): string[] {
  return ["noble", "noble-updates", "noble-security"].map(
    (suite) => `deb ${archive} ${suite} main universe`,
  );
}
