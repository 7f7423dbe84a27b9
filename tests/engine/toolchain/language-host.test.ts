/** The language host stand-in under the real engine. */
import { execFileSync } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Stack } from "../../toolchain/support/stack";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, 600_000);
afterAll(() => {
  stack.end();
});

test("configuration arrives, with secret keys as secrets, and outputs go back", async () => {
  await stack.pulumi("config", "set", "plain", "a value");
  await stack.pulumi("config", "set", "--secret", "hidden", "canary-77");
  stack.program(`const config = new pulumi.Config();
    export const plain = config.require("plain");
    export const hidden = config.requireSecret("hidden");
    export const where = [pulumi.getProject(), pulumi.getStack(), pulumi.runtime.isDryRun()];`);
  const { code, output } = await stack.up();
  expect(code).toBe(0);
  expect(output).not.toContain("canary-77");
  expect(await stack.outputs()).toEqual({
    plain: "a value",
    hidden: "canary-77",
    where: ["tiny", "test", false],
  });
}, 60_000);

test("a preview tells the program that it is one", async () => {
  stack.program(`console.log("dry run:", pulumi.runtime.isDryRun());`);
  expect((await stack.pulumi("preview")).output).toContain("dry run: true");
}, 60_000);

test("what the program prints is shown", async () => {
  stack.program(`console.log("to stdout"); console.error("to stderr");`);
  const { output } = await stack.up();
  expect(output).toContain("to stdout");
  expect(output).toContain("to stderr");
}, 60_000);

test("a RunError shows its text alone, and the run fails", async () => {
  stack.program(`throw new pulumi.RunError("the plain reason");`);
  const { code, output } = await stack.up();
  expect(code).not.toBe(0);
  expect(output).toContain("the plain reason");
  expect(output).not.toMatch(/non-zero exit code|at .*index\.ts/);
}, 60_000);

test("a program that ends itself fails the run and destroys nothing", async () => {
  stack.program(`new local.Command("step", { create: "true" });`);
  expect((await stack.up()).code).toBe(0);
  stack.program(`process.exit(5);`);
  const { code, output } = await stack.up();
  expect(code).not.toBe(0);
  expect(output).toContain("Program exited with non-zero exit code: 5");
  expect((await stack.pulumi("stack", "--show-urns")).output).toContain("::step");
}, 60_000);

test("a program without node_modules is told what to do", async () => {
  const modules = join(stack.folder, "node_modules");
  rmSync(modules);
  const { code, output } = await stack.up();
  symlinkSync(join(__dirname, "..", "..", "..", "node_modules"), modules);
  expect(code).not.toBe(0);
  expect(output).toContain("@pulumi/pulumi is not installed in");
}, 60_000);

test("an engine that is killed takes its program and its plugins with it", async () => {
  stack.program(`console.log("pid", process.pid); setInterval(() => undefined, 1000);`);
  const run = stack.start(["up", "--yes", "--skip-preview"]);
  let pid: string | undefined;
  for (let tries = 0; tries < 200 && pid === undefined; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    pid = /pid (\d+)/.exec(run.output())?.[1];
  }
  expect(alive(Number(pid))).toBe(true);
  run.child.kill("SIGKILL");
  for (let tries = 0; tries < 50 && alive(Number(pid)); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(alive(Number(pid))).toBe(false);
  await stack.pulumi("cancel", "--yes");
}, 60_000);

test("a run that changes nothing ends without waiting for its parts", async () => {
  stack.program("");
  await stack.up();
  const { seconds, output } = await stack.up();
  const worked = Number(/Duration: (\d+)s/.exec(output)?.[1]);
  // Parts that do not heed the engine's goodbye cost five seconds each, after the work is done.
  expect(seconds - worked).toBeLessThan(4);
}, 60_000);

test("about asks the language host", async () => {
  expect((await stack.pulumi("about")).output).toContain(`version='${process.version}'`);
}, 60_000);

function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(execFileSync("cat", [`/proc/${pid.toString()}/status`]).toString());
  } catch {
    return false;
  }
}
