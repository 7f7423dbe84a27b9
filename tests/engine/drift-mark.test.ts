/** That a mark in the stored state makes exactly one update, and none afterwards, is the engine's word. */
import { readFileSync } from "node:fs";
import { mark, type State } from "../../cli/mark";
import { Sshd } from "../toolchain/support/sshd";
import { Stack } from "../toolchain/support/stack";

let sshd: Sshd;
let stack: Stack;

beforeAll(async () => {
  sshd = await Sshd.start();
  stack = await Stack.start();
});
afterAll(() => {
  stack.end();
  sshd.end();
});

test("a marked activation is planned as one update in place, done once, and is no change afterwards", async () => {
  const log = sshd.file("ran");
  stack.program(`
    for (const agent of ["a", "b"])
      new remote.Command(agent + "@vm-1-activation", {
        connection: ${JSON.stringify(sshd.connection())},
        create: "echo " + agent + " >>${log} # on machine id",
        delete: "echo gone >>${log}",
        stdin: pulumi.secret("token-canary"),
      });
  `);
  expect((await stack.up()).code).toBe(0);

  const exported = await stack.pulumi("stack", "export", "--stack", "test");
  const state = JSON.parse(exported.output) as State;
  const edited = { what: "env file", expected: "", found: "", changedAt: "", changedBy: "" };
  const drift = [{ agent: "a", host: "vm-1", differences: [edited] }];
  expect(mark(state, { agents: {}, hosts: {} }, drift)).toBe(1);
  expect(JSON.stringify(state)).not.toContain("token-canary");
  stack.write("state.json", JSON.stringify(state));
  const imported = ["stack", "import", "--stack", "test", "--file", "state.json"];
  expect((await stack.pulumi(...imported)).code).toBe(0);

  const preview = await stack.pulumi("preview", "--stack", "test");
  expect(preview.output).toMatch(/a@vm-1-activation +update/);
  expect(preview.output).toMatch(/~ 1 to update\n +2 unchanged/);
  expect((await stack.up()).output).toMatch(/~ 1 updated\n +2 unchanged/);
  expect(readFileSync(log, "utf8").split("\n").sort()).toEqual(["", "a", "a", "b"]);

  const after = await stack.pulumi("preview", "--stack", "test", "--expect-no-changes");
  expect(after.code).toBe(0);
});
