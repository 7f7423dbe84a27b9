/** Writes docs/benchmarks.md and its plot from the newest results. With --check it only says whether they are fresh. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchmarksPage, NO_RUN } from "./page";
import { benchmarksPlot } from "./plot";
import { newestResults } from "./results";

const newest = newestResults();
const GENERATED: Readonly<Record<string, string>> =
  newest === undefined
    ? { "docs/benchmarks.md": NO_RUN }
    : {
        "docs/benchmarks.md": benchmarksPage(newest.results, `bench/results/${newest.name}`),
        "docs/benchmarks.svg": benchmarksPlot(newest.results),
      };

for (const [path, text] of Object.entries(GENERATED)) {
  const file = join(__dirname, "..", path);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, text);
  } else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    process.stderr.write(
      `${path} is not fresh: node --require ./toolchain/transpile.cjs bench/generate.ts\n`,
    );
    process.exitCode = 1;
  }
}
