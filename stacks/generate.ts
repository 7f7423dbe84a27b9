/** `npm run generate`: writes what is made from the schema. With --check it only says whether that is fresh. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackFileSchema } from "./json-schema";
import { referencePage } from "./reference";

const GENERATED: Readonly<Record<string, string>> = {
  "stacks/stack.schema.json": `${JSON.stringify(stackFileSchema(), null, 2)}\n`,
  "docs/configuration.md": referencePage(),
};

for (const [path, text] of Object.entries(GENERATED)) {
  const file = join(__dirname, "..", path);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, text);
  } else if (readFileSync(file, "utf8") !== text) {
    process.stderr.write(`${path} is not fresh: npm run generate\n`);
    process.exitCode = 1;
  }
}
