/** `npm run generate`: writes what is made from the schema. With --check it only says whether that is fresh. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackFileSchema } from "./json-schema";

const file = join(__dirname, "stack.schema.json");
const text = `${JSON.stringify(stackFileSchema(), null, 2)}\n`;

if (!process.argv.includes("--check")) {
  writeFileSync(file, text);
} else if (readFileSync(file, "utf8") !== text) {
  process.stderr.write("stacks/stack.schema.json is not fresh: npm run generate\n");
  process.exitCode = 1;
}
