import { benchmarksPage, targets } from "../../bench/page";
import { RESULTS } from "./results";

const page = benchmarksPage(RESULTS, "bench/results/x.json");

test("a row has each method's median with the least and the most", () => {
  expect(page).toContain(
    "| first install | 25.0 (24.0–26.0) | 100.0 (100.0–100.0) | 20.0 (20.0–20.0) |",
  );
  expect(page).toContain("| nothing changed | 2.0 (1.5–2.5) | 40.0 (40.0–40.0) | 1.0 (1.0–1.0) |");
});

test("the page names the day, the commit, the machine, and the file that it is made from", () => {
  expect(page).toContain("Run on 2026-02-03 of commit abc1234, on Imaginary 9000, 2 cores, 24 GiB");
  expect(page).toContain("QEMU without KVM");
  expect(page).toContain("Made by ./fleet bench from bench/results/x.json");
});

test("a method that was not run has no column, and its targets are not called reached", () => {
  const { fleet, floor } = RESULTS.installs;
  const without = benchmarksPage({ ...RESULTS, installs: { fleet, floor } }, "x");
  expect(without).toContain("|  | agent-fleet | ssh script |");
  expect(without).toContain("| first install: at most 1/3 of Ansible | not measured |  |");
});

test("a target is reached at its limit and not reached above it", () => {
  expect(targets(RESULTS).map(({ value, limit }) => value !== undefined && value <= limit)).toEqual(
    [
      true, // 25 / 20
      true, // 25 / 100
      true, // 2 s
      false, // 2 / 40 = 1/20
      false, // 31 s
      false, // 1000 MiB are 1.05 GB
      true, // 31 ms an agent, 50 ms before
    ],
  );
  expect(page).toContain("| nothing changed: at most 2 s | 2.00 s | reached |");
  expect(page).toContain("| preview of 1,000 agents: at most 30 s | 31.00 s | not reached |");
});

test("what one repetition has reached is told as that", () => {
  const { installs: several } = RESULTS;
  const installs = { ...several, fleet: { ...several.fleet, first: [25] } };
  expect(benchmarksPage({ ...RESULTS, installs }, "x")).toContain(
    "| 2.00 s | reached in the one repetition |",
  );
});

test("of the previews' memory the worst counts", () => {
  expect(page).toContain("| 1000 | 4251 | 31.0 (29.0–33.0) | 1000 | program | 31 |");
});

test("a run that cannot be trusted says so", () => {
  expect(page).toContain(
    "Repetitions: 1, too few for a spread and for taking turns.\nLoad of this machine when it began: 0.1.",
  );
  const busy = { ...RESULTS, machine: { ...RESULTS.machine, loadBefore: 1.1 } };
  expect(benchmarksPage(busy, "x")).toContain("1.1, so it was not at rest");
});

test("a provider's preview is told where it was measured", () => {
  expect(page).not.toContain("Preview by provider");
  const providers = [{ provider: "hcloud", seconds: [3, 5, 4] }];
  expect(benchmarksPage({ ...RESULTS, providers }, "x")).toContain(
    "## Preview by provider\n\n| provider | seconds |\n| --- | ---: |\n| hcloud | 4.0 (3.0–5.0) |",
  );
});
