/** `npm run generate`: writes what is made from schemas and profiles. With --check it only says whether that is fresh. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadProfile, profileNames } from "./assets";
import { profileFileSchema, stackFileSchema } from "./json-schema";
import { profilePage, referencePage } from "./reference";

const ROOT = join(__dirname, "..");
const profiles = profileNames(ROOT).map((name) => loadProfile(ROOT, name));

const GENERATED: Readonly<Record<string, string>> = {
  "stacks/stack.schema.json": `${JSON.stringify(stackFileSchema(), null, 2)}\n`,
  "docs/configuration.md": referencePage(),
  "stacks/profile.schema.json": `${JSON.stringify(profileFileSchema(), null, 2)}\n`,
  "docs/profiles.md": profilePage(profiles),
};

for (const [path, text] of Object.entries(GENERATED)) {
  const file = join(ROOT, path);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, text);
  } else if (readFileSync(file, "utf8") !== text) {
    process.stderr.write(`${path} is not fresh: npm run generate\n`);
    process.exitCode = 1;
  }
}
