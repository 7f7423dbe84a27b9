import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Context } from "../context";
import { numberOption } from "../number-option";
import { PROJECT } from "../project";
import { Failure, print, say } from "../say";

/** Fewer repetitions say nothing about the spread. */
const RUNS = 3;

/** Measures, keeps the results, and makes docs/benchmarks.md from them. */
export async function run({ options }: Context): Promise<number> {
  const runs = numberOption("bench --runs", options["runs"] ?? String(RUNS), { from: 1, to: 99 });
  const { benchmark } = await import("../../bench/main");
  const file = await benchmark(runs, say);
  const generate = ["--require", "./toolchain/transpile.cjs", "bench/generate.ts"];
  const { status } = spawnSync(process.execPath, generate, { cwd: PROJECT, stdio: "inherit" });
  if (status !== 0) throw new Failure("docs/benchmarks.md could not be made");
  say(`results: ${relative(PROJECT, file)}`);
  print(readFileSync(join(PROJECT, "docs/benchmarks.md"), "utf8"));
  return 0;
}
