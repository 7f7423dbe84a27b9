/** Runtimes and releases of agents in an image: what `./bake` finds there to unpack. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** What the agents of one service find in the image as if it had been brought. */
export interface BakedService {
  readonly service: string;
  /** The scripts of a host and what they read, by their path. */
  readonly files: Readonly<Record<string, string>>;
  readonly archives: readonly BakedArchive[];
}

export interface BakedArchive {
  /** What it becomes in the image. */
  readonly folder: string;
  /** `sha256:…` or `sha512:…` of the archive. */
  readonly checksum: string;
  /** The archive here. */
  readonly file: string;
  /** The arguments of `unpack`. */
  readonly unpack: (file: string) => readonly string[];
}

/** Puts all that `./bake` needs below `stage`, which is laid over the image. */
export function layOutBaked(services: readonly BakedService[], stage: string): void {
  for (const { service, files, archives } of services) {
    const folder = join(stage, "var/tmp/baked", service);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const list = archives.map(({ folder: place, file, unpack }) => {
      const name = `${basename(place)}.tgz`;
      copyFileSync(file, join(folder, name));
      return `${unpack(name).join(" ")}\n`;
    });
    writeFileSync(join(folder, "list"), list.join(""));
  }
}

/** Folder → checksum, for the manifest. */
export function bakedIn(services: readonly BakedService[]): Record<string, string> {
  const archives = services.flatMap((service) => service.archives);
  return Object.fromEntries(archives.map(({ folder, checksum }) => [folder, checksum]));
}
