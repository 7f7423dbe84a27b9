import { countJest, countTap, finalLine } from "../../cli/testing/counts";

test("TAP: skipped tests keep their reason, and tests that never ran have failed", () => {
  expect(countTap("1..4\nok 1 a\nnot ok 2 b\nok 3 c # skip no tar\n")).toEqual({
    passed: 1,
    failed: 2,
    skipped: ["c # skip no tar"],
  });
});

test("Jest: a file that does not load is one failure", () => {
  const report = {
    testResults: [
      { name: "a", status: "failed", assertionResults: [] },
      {
        name: "b",
        status: "passed",
        assertionResults: [
          { status: "passed", fullName: "x" },
          { status: "pending", fullName: "y" },
        ],
      },
    ],
  };
  expect(countJest(JSON.stringify(report))).toEqual({
    passed: 1,
    failed: 1,
    skipped: ["y (pending)"],
  });
});

test.each([
  [{ passed: 3, failed: 0, skipped: [] }, "3 passed, 0 failed"],
  [{ passed: 3, failed: 1, skipped: ["a"] }, "3 passed, 1 failed, 1 skipped"],
])("the final line of %j", (counts, line) => {
  expect(finalLine(counts)).toBe(line);
});
