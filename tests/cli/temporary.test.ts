import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { temporaryFolder } from "../../cli/temporary";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cli-temporary-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

test("what a killed process has left is removed by the next one, and no other's", async () => {
  const killed = spawn("true");
  await new Promise((resolve) => killed.on("exit", resolve));
  const left = join(root, `events-${String(killed.pid)}-abcdef`);
  const used = join(root, `events-${String(process.ppid)}-abcdef`);
  mkdirSync(join(left, "deeper"), { recursive: true });
  mkdirSync(used);
  const own = temporaryFolder("events", root);
  expect(existsSync(left)).toBe(false);
  expect(existsSync(used)).toBe(true);
  expect(readdirSync(root)).toHaveLength(2);
  expect(temporaryFolder("events", root)).not.toBe(own);
  expect(existsSync(own)).toBe(true);
});
