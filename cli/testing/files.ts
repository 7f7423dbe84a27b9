import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { PROJECT } from "../project";

const LEFT_OUT = new Set(["node_modules", ".git", ".fleet", "coverage"]);

/** Every file of the tree that fits, as a path relative to the project. */
export function filesThat(fit: (path: string) => boolean, folder = PROJECT): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !LEFT_OUT.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesThat(fit, path);
      return entry.isFile() && fit(path) ? [relative(PROJECT, path)] : [];
    })
    .sort();
}

/** Shell scripts, by ending or by their first line; bats files run and need no lint. */
export function shellScripts(): string[] {
  return filesThat((path) => {
    if (/\.(sh|bash)$/.test(path)) return true;
    // Scripts have no ending; whatever has one is something else.
    if (/\.[a-z0-9]+$/i.test(path)) return false;
    return /^#!\s*\/\S*\s*(sh|bash|dash)\b|^#!\/usr\/bin\/env (sh|bash)/.test(
      readFileSync(path, "utf8").slice(0, 80),
    );
  });
}
