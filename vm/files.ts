/** Files that are there whole or not at all. */
import { constants, copyFileSync, linkSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Writes beside, then renames. @param mode - permissions; only the owner reads it by default */
export function writeWhole(path: string, content: string, mode = 0o600): void {
  const beside = besideOf(path);
  writeFileSync(beside, content, { mode });
  renameSync(beside, path);
}

/** The same content under a second name, without a copy where the file system allows it. */
export function shareWhole(from: string, to: string): void {
  const beside = besideOf(to);
  rmSync(beside, { force: true });
  try {
    linkSync(from, beside);
  } catch {
    copyFileSync(from, beside, constants.COPYFILE_FICLONE);
  }
  renameSync(beside, to);
}

export function besideOf(path: string): string {
  return `${path}.partial`;
}
