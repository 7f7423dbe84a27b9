import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSecret, secret, UNKNOWN } from "../support/wire";
import { BUILD_MS, Plugin } from "../support/plugin";

let plugin: Plugin;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fleet-local-"));
  plugin = await Plugin.start("command", "command:local:Command");
}, BUILD_MS);
afterAll(() => {
  plugin.end();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  plugin.lines.length = 0;
});

test("create runs the command with stdin, environment and folder, and trims one newline", async () => {
  const { id, state } = await plugin.create({
    create: 'cat; echo; echo "$WHO in $(pwd)"; echo; echo problem >&2',
    stdin: "given",
    environment: { WHO: "me" },
    dir: folder,
  });
  expect(id).toMatch(/^step[0-9a-f]{8}$/);
  expect(state["stdout"]).toBe(`given\nme in ${folder}\n`);
  expect(state["stderr"]).toBe("problem");
});

test("the interpreter gets the command as its last argument", async () => {
  const { state } = await plugin.create({
    create: "one",
    interpreter: ["/bin/sh", "-c", 'printf "<%s>" "$0"'],
  });
  expect(state["stdout"]).toBe("<one>");
});

test("a failed command gives the official text: the cause, the command quoted, and what it printed", async () => {
  await expect(plugin.create({ create: 'echo out; echo "err" >&2; exit 3' })).rejects.toThrow(
    /^exit status 3: running "echo out; echo \\"err\\" >&2; exit 3":\n(out\nerr|err\nout)\n$/,
  );
});

test("a folder or interpreter that is not there is named", async () => {
  await expect(plugin.create({ create: "x", dir: "/not/there" })).rejects.toThrow(
    "chdir /not/there: no such file or directory",
  );
  await expect(plugin.create({ create: "x", interpreter: ["no-such-sh"] })).rejects.toThrow(
    'exec: "no-such-sh": executable file not found in $PATH',
  );
});

test("update runs in place, falls back to create, and sees the previous output", async () => {
  const olds = { create: "true", stdout: "old out", stderr: "old err" };
  const fallback = await plugin.update(olds, { create: "echo $PULUMI_COMMAND_STDOUT" });
  expect(fallback["stdout"]).toBe("old out");
  const own = await plugin.update(olds, {
    create: "echo no",
    update: "echo $PULUMI_COMMAND_STDERR",
  });
  expect(own["stdout"]).toBe("old err");
  const without = await plugin.update(olds, {
    create: "echo [$PULUMI_COMMAND_STDOUT]",
    addPreviousOutputInEnv: false,
  });
  expect(without["stdout"]).toBe("[]");
});

test("an update without update and create keeps the outputs and runs nothing", async () => {
  const state = await plugin.update({ stdout: "a", stderr: "b" }, { delete: "true" });
  expect(state).toEqual({ delete: "true", stdout: "a", stderr: "b" });
});

test("delete runs with the state's inputs; without a delete command nothing runs", async () => {
  const file = join(folder, "deleted");
  await plugin.delete({ create: `touch ${file}`, stdout: "x" });
  expect(existsSync(file)).toBe(false);
  await plugin.delete({ delete: `echo $PULUMI_COMMAND_STDOUT > ${file}`, stdout: "kept" });
  expect(readFileSync(file, "utf8")).toBe("kept\n");
});

test.each([
  ["stdoutAndStderr", ["out", "err"]],
  ["stdout", ["out"]],
  ["stderr", ["err"]],
  ["none", []],
  [undefined, ["out", "err"]],
])("logging %s shows exactly its streams, as status lines", async (logging, shown) => {
  await plugin.create({
    create: "echo out; sleep 0.05; echo err >&2",
    ...(logging === undefined ? {} : { logging }),
  });
  expect(plugin.lines.map(({ text }) => text)).toEqual(shown);
  expect(plugin.lines.every(({ status }) => status)).toBe(true);
});

test("a secret input is used unwrapped and given back wrapped; the output is plain", async () => {
  const { state } = await plugin.create({ create: "cat", stdin: secret("hidden") });
  expect(isSecret(state["stdin"])).toBe(true);
  expect(state["stdout"]).toBe("hidden");
});

test("a preview runs nothing and leaves the outputs unknown", async () => {
  const file = join(folder, "previewed");
  const { state } = await plugin.create({ create: `touch ${file}` }, { preview: true });
  expect(state).toMatchObject({ stdout: UNKNOWN, stderr: UNKNOWN, create: `touch ${file}` });
  const updated = await plugin.update({ stdout: "old" }, { create: `touch ${file}` }, true);
  expect(updated).toMatchObject({ stdout: UNKNOWN });
  expect(existsSync(file)).toBe(false);
});

test("every input change updates; only triggers replace; an unknown counts as a change", async () => {
  const same = { create: "a", delete: "d", triggers: ["1"] };
  const olds = { ...same, stdout: "", stderr: "" };
  expect(await plugin.diff(olds, same)).toEqual({ changed: [], replaces: [] });
  expect(await plugin.diff(olds, { ...same, delete: "e" })).toEqual({
    changed: ["delete"],
    replaces: [],
  });
  expect(await plugin.diff(olds, { ...same, triggers: ["2"] })).toEqual({
    changed: ["triggers"],
    replaces: ["triggers"],
  });
  expect(await plugin.diff(olds, { ...same, create: UNKNOWN })).toEqual({
    changed: ["create"],
    replaces: [],
  });
  expect(await plugin.diff(olds, { ...same, delete: "e" }, ["delete"])).toEqual({
    changed: [],
    replaces: [],
  });
});

test("check fills defaults, lets unknowns pass, and names what is wrong, all at once", async () => {
  expect((await plugin.check({ create: UNKNOWN })).inputs).toEqual({
    create: UNKNOWN,
    addPreviousOutputInEnv: true,
  });
  const { failures } = await plugin.check({ create: 1, creat: "x", logging: "loud" });
  expect(failures.map((text) => text.split(":")[0])).toEqual(["creat", "create", "logging"]);
});

test("what the stand-in cannot do is refused by the check, not left out silently", async () => {
  const { failures } = await plugin.check({ create: "x", assetPaths: ["*.txt"] });
  expect(failures).toEqual([expect.stringContaining("official plugin is needed")]);
  await expect(plugin.as("command:remote:CopyFile").create({})).rejects.toThrow(
    "does not have command:remote:CopyFile",
  );
});

test("cancel and the custom timeout kill the command", async () => {
  const running = plugin.create({ create: "echo runs; exec sleep 30" });
  const failed = expect(running).rejects.toThrow(/^signal: killed/);
  await plugin.told("runs");
  await plugin.cancel();
  await failed;
  await expect(plugin.create({ create: "exec sleep 30" }, { timeout: 0.3 })).rejects.toThrow(
    /^signal: killed/,
  );
});
