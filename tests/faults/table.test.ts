import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FAULTS, KINDS } from "./faults";
import { renderReliability } from "./page";
import { randomShare } from "./random";
import { readResults } from "./results";

const result = {
  seconds: 3,
  date: "2026-01-02",
  commit: "abc",
  machine: "2 cores, load 4",
  seed: "7",
};

test("the page lists the faults of the table, in its order, and no other", () => {
  const page = readFileSync(join(__dirname, "../../docs/reliability.md"), "utf8");
  const listed = [...page.matchAll(/^\| (?!fault |--)([^|]*?)( \\\*)? \|/gm)].map(
    ([, name]) => name,
  );
  const kinds = Object.keys(KINDS);
  const sorted = [...FAULTS].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  expect(listed).toEqual(sorted.map(({ name }) => name));
});

test("the page is made from the table and the results", () => {
  const page = readFileSync(join(__dirname, "../../docs/reliability.md"), "utf8");
  expect(page).toBe(renderReliability(FAULTS, readResults()));
});

test("each fault has a name of its own", () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
});

test("every run strikes at least one fault of each kind", () => {
  const kinds = FAULTS.filter(({ everyRun }) => everyRun).map(({ kind }) => kind);
  expect(Object.keys(KINDS).filter((kind) => !kinds.some((one) => one === kind))).toEqual([]);
});

test("a fault that was not run says so, one that failed too, and each run is told with its commit", () => {
  const [first, second, third] = FAULTS.map(({ name }) => name);
  const page = renderReliability(FAULTS.slice(0, 3), {
    [second ?? ""]: { ...result, passed: false },
    [third ?? ""]: { ...result, passed: true, commit: "def", machine: "2 cores, load 9" },
  });
  const told = (name = "") => page.split("\n").find((line) => line.startsWith(`| ${name} |`)) ?? "";
  expect(told(first)).toMatch(/\| not run \|$/);
  expect(told(second)).toMatch(/\| \*\*failed\*\*, 3 s, load 4 \|$/);
  expect(told(third)).toMatch(/\| passed, 3 s, load 9 \|$/);
  expect(page).toContain("**1 passed, 1 failed, 1 not run.**");
  expect(page).toContain("- 2026-01-02, commit abc, 2 cores, seed 7: 1\n");
  expect(page).toContain("- 2026-01-02, commit def, 2 cores, seed 7: 1\n");
});

test("a random moment comes again with its seed, and only with it", () => {
  expect(randomShare(1, "7")).toBe(randomShare(1, "7"));
  expect(new Set([randomShare(1, "7"), randomShare(2, "7"), randomShare(1, "8")]).size).toBe(3);
});
