/** One run at a time, across processes. A lock whose owner died is taken over. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { findProcess, isAlive, type ProcessRef } from "./process";

/** Runs `work` while holding the lock file `path`; waits for another run, saying so once. */
export async function withLock<T>(
  path: string,
  say: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  let told = false;
  while (!take(path)) {
    if (!told) say(`waiting for another run that holds ${path}`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  const mine = `${path}.${String(process.pid)}`;
  writeFileSync(mine, JSON.stringify(findProcess(process.pid)));
  try {
    // A link fails if the name is taken, and shows the content with the name, never an empty file.
    linkSync(mine, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    dropIfOrphaned(path);
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

function dropIfOrphaned(path: string): void {
  if (isAlive(ownerOf(path))) return;
  const aside = `${path}.${String(process.pid)}.orphan`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Between the look and the rename another run may have taken it over: then it gets it back.
  if (isAlive(ownerOf(aside))) linkSync(aside, path);
  rmSync(aside, { force: true });
}

function ownerOf(path: string): ProcessRef | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ProcessRef;
  } catch {
    return undefined;
  }
}
