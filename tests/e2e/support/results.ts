/** What long runs have found, as they themselves keep it in a file that is committed. Never edited by hand. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";

/** How a result came about. */
export interface Origin {
  readonly date: string;
  readonly commit: string;
  /** How busy it was says what seconds are worth. */
  readonly machine: string;
}

export function originOf(commit: string, accel: string): Origin {
  return { date: new Date().toISOString().slice(0, 10), commit, machine: machine(accel) };
}

/** By what was tried. */
export function readKept<Result>(file: string): Readonly<Record<string, Result>> {
  return existsSync(file)
    ? (JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, Result>>)
    : {};
}

/** Keeps a result, in the place of an older one of the same name. */
export function keep(file: string, name: string, result: object): void {
  writeFileSync(file, `${JSON.stringify({ ...readKept(file), [name]: result }, null, 2)}\n`);
}

/**
 * What is tested, to be asked before the run begins: the work tree may move on.
 * @param made - files from the project's folder that a run itself writes, which are no change
 */
export function currentCommit(made: readonly string[]): string {
  const git = (...args: readonly string[]) =>
    execFileSync("git", [...args], { cwd: __dirname, encoding: "utf8" }).trim();
  const others = [":/", ...made.map((file) => `:!/${file}`)];
  const changed = git("status", "--porcelain", "--", ...others) === "" ? "" : " with changes";
  return `${git("rev-parse", "--short=10", "HEAD")}${changed}`;
}

function machine(accel: string): string {
  const memory = Math.round(totalmem() / (1 << 30));
  const [, , load = 0] = loadavg();
  return `${String(cpus().length)} cores, ${String(memory)} GiB, QEMU with ${accel}, load ${load.toFixed(0)}`;
}
