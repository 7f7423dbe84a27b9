import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { places } from "../toolchain/places";

/** A folder for what is made once per machine, below the cache that the engine uses too; made if it is not there. */
export function cacheFolder(...below: string[]): string {
  const folder = join(places().cache, ...below);
  mkdirSync(folder, { recursive: true });
  return folder;
}
