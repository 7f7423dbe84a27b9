/** Writes docs/benchmarks.md and its plot from the newest results. With --check it only says whether they are fresh. */
import { writeFresh } from "../toolchain/fresh";
import { benchmarksPage, NO_RUN } from "./page";
import { benchmarksPlot } from "./plot";
import { newestResults } from "./results";

const newest = newestResults();
writeFresh(
  newest === undefined
    ? { "docs/benchmarks.md": NO_RUN }
    : {
        "docs/benchmarks.md": benchmarksPage(newest.results, `bench/results/${newest.name}`),
        "docs/benchmarks.svg": benchmarksPlot(newest.results),
      },
);
