/** What was found when a fault was last struck, as the runs themselves keep it. Never edited by hand. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";

/** By the fault's name. */
export type Results = Readonly<Record<string, Result>>;

export interface Result {
  readonly passed: boolean;
  readonly seconds: number;
  readonly date: string;
  readonly commit: string;
  /** How busy it was says what the seconds are worth. */
  readonly machine: string;
  readonly seed: string;
}

const FILE = join(__dirname, "last-results.json");

export function readResults(): Results {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as Results) : {};
}

/** Keeps a result, in the place of an older one of the same fault. */
export function keepResult(
  fault: string,
  { passed, seconds }: Pick<Result, "passed" | "seconds">,
  { commit, seed, accel }: Pick<Result, "commit" | "seed"> & { readonly accel: string },
): void {
  const result: Result = {
    passed,
    seconds: Math.round(seconds),
    date: new Date().toISOString().slice(0, 10),
    commit,
    machine: machine(accel),
    seed,
  };
  writeFileSync(FILE, `${JSON.stringify({ ...readResults(), [fault]: result }, null, 2)}\n`);
}

/** What is tested, to be asked before the clone is made: the work tree may move on. Results are no change. */
export function currentCommit(): string {
  const git = (...args: readonly string[]) =>
    execFileSync("git", [...args], { cwd: __dirname, encoding: "utf8" }).trim();
  const others = [":/", ":!/docs/reliability.md", ":!/tests/faults/last-results.json"];
  const changed = git("status", "--porcelain", "--", ...others) === "" ? "" : " with changes";
  return `${git("rev-parse", "--short=10", "HEAD")}${changed}`;
}

function machine(accel: string): string {
  const memory = Math.round(totalmem() / (1 << 30));
  const [, , load = 0] = loadavg();
  return `${String(cpus().length)} cores, ${String(memory)} GiB, QEMU with ${accel}, load ${load.toFixed(0)}`;
}
