/** `npm run generate`: writes what is made from schemas and profiles. With --check it only says whether that is fresh. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFresh } from "../toolchain/fresh";
import { loadProfile, profileNames } from "./assets";
import { envExample } from "./env-example";
import { profileFileSchema, stackFileSchema } from "./json-schema";
import { profilePage, referencePage, withEnvironment } from "./reference";

const ROOT = join(__dirname, "..");
const GUIDE = "docs/vm-install.md";
const profiles = profileNames(ROOT).map((name) => loadProfile(ROOT, name));

writeFresh({
  "stacks/stack.schema.json": `${JSON.stringify(stackFileSchema(), null, 2)}\n`,
  "docs/configuration.md": referencePage(),
  "stacks/profile.schema.json": `${JSON.stringify(profileFileSchema(), null, 2)}\n`,
  "docs/profiles.md": profilePage(profiles),
  ...Object.fromEntries(
    profiles.map((profile) => [`examples/env/${profile.name}.env.example`, envExample(profile)]),
  ),
  [GUIDE]: withEnvironment(readFileSync(join(ROOT, GUIDE), "utf8"), loadProfile(ROOT, "tseeder")),
});
