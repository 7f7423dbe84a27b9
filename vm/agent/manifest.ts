/** An agent-ready image that was made before, as its manifest tells it. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { imageFiles } from "./names";

/** What an image was made of, kept beside it. */
export interface Manifest {
  readonly base: string;
  readonly arch: string;
  readonly sizeGiB: number;
  readonly extraPackages: readonly string[];
  /** By the names of `imageFiles`. */
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly bytes: number }>>;
  readonly programs: readonly {
    readonly name: string;
    readonly version: string;
    readonly package?: string;
    readonly url?: string;
    /** `sha512:…` */
    readonly checksum: string;
  }[];
  /** Runtimes and releases of agents: the folder → the checksum of the archive that it came from. */
  readonly baked: Readonly<Record<string, string>>;
  /** Debian's, with their versions. */
  readonly packages: Readonly<Record<string, string>>;
}

/** Whether an image's name is the path of its disk. */
export function isImageFile(name: string): boolean {
  return name.endsWith(".ext4");
}

/** Of the image whose disk is in `file`; undefined where there is none. */
export function readManifest(file: string): Manifest | undefined {
  const path = join(dirname(file), imageFiles.manifest);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Manifest) : undefined;
}

/** The folders of agents' runtimes and releases in an image; none where it is not made yet. */
export function bakedFolders(file: string): string[] {
  return Object.keys(readManifest(file)?.baked ?? {});
}

/** @throws Error where the file, its manifest or what belongs to it is not there */
export function readAgentImage(file: string): {
  readonly sha256: string;
  /** The path of another file of the image. */
  readonly beside: (name: string) => string;
} {
  const beside = (name: string): string => join(dirname(file), name);
  const again = `make all of them with: ./fleet image build ${dirname(file)}`;
  const needed = [file, ...[imageFiles.manifest, imageFiles.kernel, imageFiles.initrd].map(beside)];
  const missing = needed.filter((path) => !existsSync(path));
  if (missing.length > 0) {
    throw new Error(`image ${file}: there is no ${missing.join(", no ")}; ${again}`);
  }
  const disk = readManifest(file)?.files[imageFiles.disk];
  if (disk?.bytes !== statSync(file).size) {
    throw new Error(`image ${file}: ${imageFiles.manifest} is of another one; ${again}`);
  }
  return { sha256: disk.sha256, beside };
}
