import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { largestDuring, peakMiB, roleOf } from "../../bench/processes";

test.each([
  ["/c/engine/pulumi preview --stack bench", "engine"],
  ["node /h/plugins/resource-command-v1.2.1/pulumi-resource-command 127.0.0.1:1", "plugin"],
  ["node /c/pulumi-language-nodejs 127.0.0.1:1", "language host"],
  ["node --require x /p/node_modules/@pulumi/pulumi/cmd/run/index.js", "program"],
  ["node --require x /p/cli/main.ts preview", "fleet"],
  ["sleep 1", "other"],
])("%s is the %s", (line, role) => {
  expect(roleOf(line)).toBe(role);
});

/** Holds 300 MiB, gives them back, says so, and stays until its stdin ends. */
const PROGRAM =
  "let b = Buffer.alloc(300 << 20, 1); b = undefined; gc(); console.log('free'); process.stdin.resume()";

let started: ChildProcess | undefined;

/** Everything below it ends with its stdin. */
afterEach(() => {
  started?.stdin?.end();
});

test("a peak is known after the memory was given back", async () => {
  const child = spawn(process.execPath, ["--expose-gc", "-e", PROGRAM]);
  started = child;
  await once(child.stdout, "data");
  expect(peakMiB(child.pid ?? 0)).toBeGreaterThan(300);
});

test("the largest process below this one is found, a grandchild too", async () => {
  const { largest } = await largestDuring(async () => {
    const shell = spawn("sh", ["-c", '"$0" --expose-gc -e "$1"; true', process.execPath, PROGRAM]);
    started = shell;
    await once(shell.stdout, "data");
    // Longer than between two looks.
    await new Promise((done) => setTimeout(done, 500));
  });
  expect(largest.mib).toBeGreaterThan(300);
  expect(largest.mib).toBeLessThan(500);
});
