/** What an image is made of; its hash names the image in the cache. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Arch } from "./qemu";

/** Image name → Debian suite, and whether its update archives still serve all that they list. */
const suites = {
  "debian-11": { suite: "bullseye", updated: false },
  "debian-12": { suite: "bookworm", updated: true },
  "debian-13": { suite: "trixie", updated: true },
} as const;

export type ImageName = keyof typeof suites;
export const imageNames = Object.keys(suites) as ImageName[];
export const defaultImage: ImageName = "debian-12";

export interface Recipe {
  readonly name: ImageName;
  readonly suite: string;
  /** false: from the suite as it was released last, since its later updates are no longer served. */
  readonly updated: boolean;
  readonly arch: Arch;
  readonly packages: readonly string[];
  /** Name of the folder in the cache. */
  readonly id: string;
}

/** The folder with finish, pack and the files that are laid over the root file system. */
export const recipeFolder = join(__dirname, "image");

/** @throws Error with the known names */
export function recipeOf(name: string, arch: Arch): Recipe {
  if (!isImageName(name)) {
    throw new Error(`image: got "${name}", expected one of ${imageNames.join(", ")}`);
  }
  const packages = basePackages([`linux-image-cloud-${arch}`]);
  const hash = createHash("sha256").update(JSON.stringify([suites[name], arch, packages]));
  for (const file of filesBelow(recipeFolder)) {
    hash.update(`\0${file}\0`).update(readFileSync(join(recipeFolder, file)));
  }
  const id = `${name}-${arch}-${hash.digest("hex").slice(0, 12)}`;
  return { name, ...suites[name], arch, packages, id };
}

/** All that a VM needs. @param kernel - the packages of its kernel, which each distribution calls otherwise */
export function basePackages(kernel: readonly string[]): string[] {
  return [
    ...["systemd", "systemd-sysv", "udev", "dbus", "kmod", ...kernel],
    ...["openssh-server", "sudo", "cloud-init", "e2fsprogs", "bash", "procps"],
    ...["iproute2", "nftables", "ca-certificates", "wget"],
  ];
}

function isImageName(name: string): name is ImageName {
  return name in suites;
}

function filesBelow(folder: string, prefix = ""): string[] {
  return readdirSync(join(folder, prefix))
    .sort()
    .flatMap((name) => {
      const path = prefix === "" ? name : `${prefix}/${name}`;
      return statSync(join(folder, path)).isDirectory() ? filesBelow(folder, path) : [path];
    });
}
