/** Files that are made from others: written by `npm run generate`, compared by `./fleet test check`. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "./places";

/** Writes these texts by their paths; with --check on the command line it only says which are not fresh. */
export function writeFresh(texts: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(texts)) {
    const file = join(PROJECT, path);
    if (!process.argv.includes("--check")) {
      writeFileSync(file, text);
    } else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
      process.stderr.write(`${path} is not fresh: npm run generate\n`);
      process.exitCode = 1;
    }
  }
}
