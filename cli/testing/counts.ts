/** How many checks or tests of a layer did what. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Why something was left out, one reason each. */
  readonly skipped: readonly string[];
}

export const NOTHING: Counts = { passed: 0, failed: 0, skipped: [] };

export function add(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: [...one.skipped, ...other.skipped],
  };
}

/** `12 passed, 0 failed`, and `, 1 skipped` if any were. */
export function finalLine({ passed, failed, skipped }: Counts): string {
  const rest = skipped.length === 0 ? "" : `, ${String(skipped.length)} skipped`;
  return `${String(passed)} passed, ${String(failed)} failed${rest}`;
}

interface JestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Counts of Jest's `--json` report; a file that does not load counts as one failure. */
export function countJest(text: string): Counts {
  const { testResults } = JSON.parse(text) as JestReport;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  return {
    passed: results.filter(({ status }) => status === "passed").length,
    failed: results.filter(({ status }) => status === "failed").length + broken.length,
    skipped: results
      .filter(({ status }) => !["passed", "failed"].includes(status))
      .map(({ fullName, status }) => `${fullName} (${status})`),
  };
}

/** Counts of TAP, as bats prints it. Tests that were planned and never ran count as failed. */
export function countTap(text: string): Counts {
  const lines = text.split("\n");
  const results = lines.filter((line) => /^(not )?ok \d+/.test(line));
  const skipped = results.filter((line) => /^ok .* # skip/i.test(line));
  const failed = results.filter((line) => line.startsWith("not ok")).length;
  const planned = Number(/^1\.\.(\d+)$/m.exec(text)?.[1] ?? results.length);
  return {
    passed: results.length - failed - skipped.length,
    failed: failed + Math.max(0, planned - results.length),
    skipped: skipped.map((line) => line.replace(/^ok \d+ /, "")),
  };
}
