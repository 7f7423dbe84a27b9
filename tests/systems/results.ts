/** What was found when a claim was last tried on a system. */
import { join } from "node:path";
import { keep, originOf, readKept, type Origin } from "../e2e/support/results";

export interface Result extends Origin {
  readonly passed: boolean;
}

/** By `nameOf`. */
export type Results = Readonly<Record<string, Result>>;

/** What a run writes, from the project's folder. */
export const MADE = ["docs/systems.md", "tests/systems/last-results.json"];

const FILE = join(__dirname, "last-results.json");

export function nameOf(system: string, claim: string): string {
  return `${system}: ${claim}`;
}

export function readResults(): Results {
  return readKept(FILE);
}

export function keepResult(name: string, passed: boolean, commit: string, accel: string): void {
  keep(FILE, name, { passed, ...originOf(commit, accel) } satisfies Result);
}
