/** Writes docs/reliability.md. With --check it only says whether that is fresh. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FAULTS } from "./faults";
import { renderReliability } from "./page";
import { readResults } from "./results";

const file = join(__dirname, "../../docs/reliability.md");
const text = renderReliability(FAULTS, readResults());
if (!process.argv.includes("--check")) {
  writeFileSync(file, text);
} else if (readFileSync(file, "utf8") !== text) {
  process.stderr.write("docs/reliability.md is not fresh: npm run generate\n");
  process.exitCode = 1;
}
