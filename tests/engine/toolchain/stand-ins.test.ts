/** The stand-ins under the real engine. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Sshd } from "../../toolchain/support/sshd";
import { type Result, Stack } from "../../toolchain/support/stack";

let sshd: Sshd;
let stack: Stack;

beforeAll(async () => {
  sshd = await Sshd.start();
  stack = await Stack.start();
}, 600_000);
afterAll(() => {
  stack.end();
  sshd.end();
});
afterEach(async () => {
  await stack.pulumi("destroy", "--yes", "--skip-preview");
}, 60_000);
beforeEach(() => {
  journal();
  sshd.log = "";
});

const journal = () => {
  const file = sshd.file("journal");
  const text = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  rmSync(file, { force: true });
  return text.split("\n").filter((line) => line !== "");
};
const writes = (word: string) => JSON.stringify(`echo ${word} >>${sshd.file("journal")}`);
const connection = (changes: Record<string, unknown> = {}) =>
  JSON.stringify(sshd.connection(changes));

function succeeded(result: Result): string {
  if (result.code !== 0) {
    throw new Error(result.output);
  }
  return result.output;
}

test("a change updates in place, with update or else create; nothing changed runs nothing", async () => {
  const program = (create: string, more = "") => {
    stack.program(`new remote.Command("step", { connection: ${connection()},
      create: ${writes(create)}, delete: ${writes("deleted")}, ${more} });`);
  };
  program("one");
  succeeded(await stack.up());
  expect(journal()).toEqual(["one"]);
  const sessions = sshd.accepted();
  expect(succeeded(await stack.up())).toMatch(/2 unchanged/);
  expect(journal()).toEqual([]);
  expect(sshd.accepted()).toBe(sessions);
  program("two");
  expect(succeeded(await stack.up())).toMatch(/1 updated/);
  program("three", `update: ${writes("updated")}, logging: "none",`);
  expect(succeeded(await stack.up())).toMatch(/1 updated/);
  expect(journal()).toEqual(["two", "updated"]);
  succeeded(await stack.pulumi("destroy", "--yes", "--skip-preview"));
  expect(journal()).toEqual(["deleted"]);
}, 60_000);

test("a changed trigger replaces: create first, then delete", async () => {
  const program = (word: string) => {
    stack.program(`new remote.Command("step", { connection: ${connection()}, triggers: ["${word}"],
      create: ${writes(`create-${word}`)}, delete: ${writes(`delete-${word}`)} });`);
  };
  program("a");
  succeeded(await stack.up());
  program("b");
  expect(succeeded(await stack.up())).toMatch(/1 replaced/);
  expect(journal()).toEqual(["create-a", "create-b", "delete-a"]);
}, 60_000);

test("delete uses the connection in the state: it fails when the machine is gone, but not with deletedWith", async () => {
  const program = (extra: string) => {
    stack.program(`const machine = new local.Command("machine", { create: "true" });
      new remote.Command("step", { connection: ${connection()}, create: "true",
        delete: ${writes("deleted")} }, { dependsOn: machine ${extra} });`);
  };
  program("");
  succeeded(await stack.up());
  await sshd.stop();
  const failed = await stack.pulumi("destroy", "--yes", "--skip-preview");
  expect(failed.code).not.toBe(0);
  expect(failed.output).toContain("connect: connection refused");
  program(", deletedWith: machine");
  succeeded(await stack.up());
  succeeded(await stack.pulumi("destroy", "--yes", "--skip-preview"));
  await sshd.run();
  expect(journal()).toEqual([]);
}, 60_000);

test("a host key that does not fit the pin fails the update with nothing sent", async () => {
  stack.program(`new remote.Command("step", { create: ${writes("never")},
    connection: ${connection({ hostKey: sshd.read("other-host.pub") })} });`);
  const { code, output } = await stack.up();
  expect(code).not.toBe(0);
  expect(output).toContain("ssh: host key mismatch");
  expect(journal()).toEqual([]);
  expect(sshd.accepted()).toBe(0);
}, 60_000);

test("a failed command fails the update with the command and what it printed", async () => {
  stack.program(`new remote.Command("step", { connection: ${connection()},
    create: "echo the reason >&2; exit 4" });`);
  const { code, output } = await stack.up();
  expect(code).not.toBe(0);
  expect(output).toContain('Process exited with status 4: running "echo the reason >&2; exit 4":');
}, 60_000);

test("secrets reach the host by stdin and stay out of output and state", async () => {
  const canary = "canary-5b1f0c";
  stack.program(`new remote.Command("step", { connection: ${connection()}, logging: "none",
      create: "cat", stdin: pulumi.secret("${canary}"), addPreviousOutputInEnv: false },
      { additionalSecretOutputs: ["stdout", "stderr"] });
    const key = new PrivateKey("key", { algorithm: "ED25519" });
    export const shown = new local.Command("reader", { create: "cat", logging: "none",
      stdin: key.privateKeyOpenssh }, { additionalSecretOutputs: ["stdout"] }).stdout;`);
  const preview = await stack.pulumi("preview", "--diff");
  const up = await stack.up();
  const state = readFileSync(join(stack.state, ".pulumi", "stacks", "tiny", "test.json"), "utf8");
  for (const text of [succeeded(preview), succeeded(up), state]) {
    expect(text).not.toContain(canary);
    expect(text).not.toContain("OPENSSH PRIVATE KEY");
  }
  expect((await stack.outputs())["shown"]).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----/);
}, 60_000);

test("an unknown input is allowed in a preview, and its command runs once it is known", async () => {
  stack.program(`const first = new local.Command("first", { create: "echo known" });
    export const second = new remote.Command("second", { connection: ${connection()},
      create: pulumi.interpolate\`echo \${first.stdout}\`, triggers: [first.stdout] }).stdout;`);
  expect(succeeded(await stack.pulumi("preview"))).toMatch(/3 to create/);
  succeeded(await stack.up());
  expect((await stack.outputs())["second"]).toBe("known");
}, 60_000);

test("a changed file is uploaded again, and only then", async () => {
  const file = join(stack.folder, "payload");
  stack.program(`new remote.CopyToRemote("copy", { connection: ${connection()},
    source: new pulumi.asset.FileAsset("payload"), remotePath: "${sshd.file("arrived")}" });`);
  writeFileSync(file, "one");
  succeeded(await stack.up());
  const sessions = sshd.accepted();
  expect(succeeded(await stack.up())).toMatch(/2 unchanged/);
  expect(sshd.accepted()).toBe(sessions);
  writeFileSync(file, "two");
  expect(succeeded(await stack.up())).toMatch(/1 updated/);
  expect(readFileSync(sshd.file("arrived"), "utf8")).toBe("two");
}, 60_000);

test("a refresh finds no drift and opens no connection", async () => {
  stack.program(`new remote.Command("step", { connection: ${connection()}, create: "true" });`);
  succeeded(await stack.up());
  const sessions = sshd.accepted();
  const output = succeeded(await stack.pulumi("refresh", "--yes", "--skip-preview"));
  expect(output).toMatch(/2 unchanged/);
  expect(sshd.accepted()).toBe(sessions);
}, 60_000);

test("bad inputs are refused before anything runs", async () => {
  stack.program(`new local.Command("step", { create: "true", logging: "loud" as never });`);
  const { code, output } = await stack.pulumi("preview");
  expect(code).not.toBe(0);
  expect(output).toContain("must be one of stdout, stderr, stdoutAndStderr, none");
}, 60_000);

test("no warning names a plugin or a language host", async () => {
  stack.program(`new local.Command("step", { create: "true" });`);
  expect(succeeded(await stack.up())).not.toMatch(/warning:|\$PATH/);
}, 60_000);
