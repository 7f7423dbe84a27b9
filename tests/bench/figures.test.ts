import { figure, isWorthRepeating, rotated, rounded } from "../../bench/figures";

test.each([
  [[3], { median: 3, least: 3, most: 3 }],
  [[9, 1, 2], { median: 2, least: 1, most: 9 }],
  [[4, 1, 3, 2], { median: 2.5, least: 1, most: 4 }],
  [[10, 9, 2], { median: 9, least: 2, most: 10 }],
])("%j has the median and spread %j", (values, expected) => {
  expect(figure(values)).toEqual(expected);
});

test("nothing measured is no figure", () => {
  expect(() => figure([])).toThrow("nothing was measured");
});

test("in as many repetitions as there are methods, each is once in every place", () => {
  const orders = [0, 1, 2].map((run) => rotated(["a", "b", "c"], run));
  expect(orders).toEqual([
    ["a", "b", "c"],
    ["b", "c", "a"],
    ["c", "a", "b"],
  ]);
  expect(rotated(["a", "b", "c"], 3)).toEqual(["a", "b", "c"]);
});

test("seconds are kept to hundredths", () => {
  expect(rounded(1.23456)).toBe(1.23);
});

test("a case is repeated until one of its times was longer than a minute", () => {
  expect(isWorthRepeating([])).toBe(true);
  expect(isWorthRepeating([59, 60])).toBe(true);
  expect(isWorthRepeating([59, 61])).toBe(false);
});
