/** What was found when a fault was last struck. */
import { join } from "node:path";
import { keep, originOf, readKept, type Origin } from "../e2e/support/results";

/** By the fault's name. */
export type Results = Readonly<Record<string, Result>>;

export interface Result extends Origin {
  readonly passed: boolean;
  readonly seconds: number;
  readonly seed: string;
}

/** What a run writes, from the project's folder. */
export const MADE = ["docs/reliability.md", "tests/faults/last-results.json"];

const FILE = join(__dirname, "last-results.json");

export function readResults(): Results {
  return readKept(FILE);
}

export function keepResult(
  fault: string,
  { passed, seconds }: Pick<Result, "passed" | "seconds">,
  { commit, seed, accel }: Pick<Result, "commit" | "seed"> & { readonly accel: string },
): void {
  const found = { passed, seconds: Math.round(seconds) };
  keep(FILE, fault, { ...found, ...originOf(commit, accel), seed } satisfies Result);
}
