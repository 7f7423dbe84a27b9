import { benchmarksPlot } from "../../bench/plot";
import { RESULTS } from "./results";

const plot = benchmarksPlot(RESULTS);
const widths = [...plot.matchAll(/<rect x="200" y="\d+" width="([\d.]+)" height="20"/g)].map(
  ([, width]) => Number(width),
);

test("there is a bar for each method in each case, longer for more seconds", () => {
  expect(widths).toHaveLength(12);
  const [fleet = 0, ansible = 0, floor = 0] = widths;
  expect(ansible).toBeGreaterThan(fleet);
  expect(fleet).toBeGreaterThan(floor);
});

test("ten times the seconds is the same step everywhere on the scale", () => {
  const tick = (seconds: number): number =>
    Number(
      new RegExp(`<text x="([\\d.]+)" y="\\d+" text-anchor="middle">${String(seconds)}<`).exec(
        plot,
      )?.[1],
    );
  expect(tick(10) - tick(1)).toBeCloseTo(tick(100) - tick(10), 0);
});

test("a method that was not run has neither bar nor legend", () => {
  const { fleet, floor } = RESULTS.installs;
  expect(benchmarksPlot({ ...RESULTS, installs: { fleet, floor } })).not.toContain("Ansible");
});

test("a case of a quarter of an hour is still in the picture, its seconds too", () => {
  const slow = { first: [900], nothing: [900], env: [900], release: [900] };
  const picture = benchmarksPlot({ ...RESULTS, installs: { ansible: slow } });
  const width = Number(/width="(\d+)"/.exec(picture)?.[1]);
  const label = Number(/<text x="([\d.]+)" y="\d+">900\.0</.exec(picture)?.[1]);
  expect(label + 50).toBeLessThan(width);
});
