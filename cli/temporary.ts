import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findProcess } from "../vm/process";
import { fleetFolder } from "./project";

/**
 * A folder under .fleet/tmp for the time of this process, which removes it. Those of processes that were killed are
 * removed by the next one that asks.
 */
export function temporaryFolder(purpose: string, root = fleetFolder("tmp")): string {
  for (const name of readdirSync(root)) {
    const owner = /-(\d+)-[^-]*$/.exec(name)?.[1];
    if (owner === undefined || findProcess(Number(owner)) === undefined) {
      rmSync(join(root, name), { recursive: true, force: true });
    }
  }
  return mkdtempSync(join(root, `${purpose}-${String(process.pid)}-`));
}
