import { execFileSync } from "node:child_process";
import { join } from "node:path";

const PROJECT = join(__dirname, "../..");
const STORIES = execFileSync(
  process.execPath,
  [join(PROJECT, "node_modules/jest/bin/jest.js"), "--listTests", "--json"],
  { cwd: PROJECT, encoding: "utf8", env: { ...process.env, FLEET_TESTS: "e2e" } },
);

test("every story on a VM that is part of each run has its place in the order", () => {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- Jest wants a module of this kind
  const { ORDER } = require("../../cli/testing/longest-first.cjs") as { ORDER: string[] };
  const listed = (JSON.parse(STORIES) as string[]).map((path) => path.slice(PROJECT.length + 1));
  expect(listed).toEqual(ORDER);
});
