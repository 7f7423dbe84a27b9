/** Writes docs/systems.md. With --check it only says whether that is fresh. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderSystems } from "./page";
import { readResults } from "./results";
import { SYSTEMS } from "./systems";

const file = join(__dirname, "../../docs/systems.md");
const text = renderSystems(SYSTEMS, readResults());
if (!process.argv.includes("--check")) {
  writeFileSync(file, text);
} else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
  process.stderr.write("docs/systems.md is not fresh: npm run generate\n");
  process.exitCode = 1;
}
