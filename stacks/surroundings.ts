/** What the program's surroundings hold, for the check of credentials. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import type { Surroundings } from "./credentials";

export function surroundings(configKeys: readonly string[]): Surroundings {
  return {
    env: process.env,
    configKeys,
    hasFile: (path) => existsSync(path.replace(/^~/, homedir())),
  };
}
