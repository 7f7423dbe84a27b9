/** Commands that ask hosts; each host is a shell on this machine. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chosen } from "../../cli/chosen";
import { execOn } from "../../cli/commands/exec";
import { showLogs } from "../../cli/commands/logs";
import { fingerprint, keyIn } from "../../cli/commands/scan";
import type { Connections } from "../../cli/connect";
import { linesOf, sinceOf } from "../../cli/journal";
import { checkNames, prefixes } from "../../cli/names";
import { findProcess } from "../../vm/process";
import { until } from "../e2e/support/wait";
import { standInHosts } from "./stand-in-hosts";

const PROJECT = join(__dirname, "../..");
const { folder, path, connections, asked, stdout, stderr, pid, program } = standInHosts({
  "vm-1": ["a", "b"],
  "vm-2": ["c"],
  "vm-3": [],
});
const only = (args: readonly string[], door = connections) =>
  chosen(door, { stack: "dev", args, options: {} });

const entry = (unit: object, seconds: number, message: unknown) =>
  JSON.stringify({ ...unit, __REALTIME_TIMESTAMP: `${String(seconds)}000123`, MESSAGE: message });
const query = { lines: 5, since: undefined, follow: false };

describe("logs", () => {
  test("come from all hosts in the order of time, each line with its agent's name", async () => {
    const said = (name: string) => ({ _SYSTEMD_UNIT: `tseeder-agent@${name}.service` });
    const lines: Record<string, string> = {
      "tseeder-agent@a": [
        entry({ UNIT: "tseeder-agent@a.service", ...said("init") }, 3, "Started a"),
        entry(said("a"), 1, "first"),
      ].join("\n"),
      "tseeder-agent@b": entry(said("b"), 2, [...Buffer.from("bell \u0007")]),
      "tseeder-agent@c": `no JSON\n${entry(said("c"), 4, "last")}`,
    };
    for (const [unit, text] of Object.entries(lines))
      writeFileSync(join(folder, unit), `${text}\n`);
    program(
      "journalctl",
      'for word; do case $word in --unit=*) cat "$FOLDER/${word#*=}"; esac; done',
    );
    expect(await showLogs(connections, query, false)).toBe(true);
    expect(stdout).toEqual([
      "a | 1970-01-01T00:00:01Z first\n",
      "b | 1970-01-01T00:00:02Z bell \u0007\n",
      "a | 1970-01-01T00:00:03Z Started a\n",
      "c | 1970-01-01T00:00:04Z last\n",
    ]);
    stdout.length = 0;
    await showLogs(only(["c"]), query, true);
    expect(stdout.map((line) => JSON.parse(line) as object)).toEqual([
      { agent: "c", time: "1970-01-01T00:00:04Z", message: "last" },
    ]);
    expect(asked).toEqual(["vm-1", "vm-2", "vm-2"]);
  });

  test("ask for the newest lines since a time, in words that no shell takes apart", async () => {
    program("journalctl", 'printf "%s\\n" "$@" >"$FOLDER/asked"');
    await showLogs(only(["c"]), { ...query, since: "2026-11-21 20:00; x" }, false);
    expect(readFileSync(join(folder, "asked"), "utf8").split("\n")).toEqual(
      expect.arrayContaining([
        "--lines=5",
        "--unit=tseeder-agent@c",
        "--since=2026-11-21 20:00; x",
      ]),
    );
  });

  test("of a host that fails are missing, which is told; the others' are shown", async () => {
    const line = entry({ _SYSTEMD_UNIT: "tseeder-agent@c.service" }, 1, "here");
    program("journalctl", `[ $HOST = vm-2 ] && echo '${line}' || { echo 'No space' >&2; exit 1; }`);
    expect(await showLogs(only(["a", "c"]), query, false)).toBe(false);
    expect(stdout).toEqual(["c | 1970-01-01T00:00:01Z here\n"]);
    expect(stderr).toEqual(["vm-1: No space\n"]);
    [stdout.length, stderr.length] = [0, 0];
    expect(await showLogs(only(["a", "c"]), query, true)).toBe(false);
    expect(stdout.map((line) => JSON.parse(line) as object)).toEqual([
      { host: "vm-1", error: "No space" },
      { agent: "c", time: "1970-01-01T00:00:01Z", message: "here" },
    ]);
    expect(stderr).toEqual([]);
  });

  test("that are followed end on the host when nobody listens any more, without another line", async () => {
    program("journalctl", 'echo $$ >>"$FOLDER/followers"; exec sleep 600');
    const followers = () =>
      existsSync(join(folder, "followers"))
        ? readFileSync(join(folder, "followers"), "utf8").trim().split("\n").map(Number)
        : [];
    const children: ReturnType<Connections["ssh"]>[] = [];
    const door: Connections = {
      ...connections,
      ssh: (...args) => {
        const child = connections.ssh(...args);
        children.push(child);
        return child;
      },
    };
    const shown = showLogs(only(["a", "b"], door), { ...query, follow: true }, false);
    await until("two followers", 10, () => followers().length === 2);
    children.forEach(({ stdin }) => stdin?.end());
    await shown;
    await until("no follower", 10, () => !followers().some(isAlive));
  });

  test("take times ago and dates, and refuse what is no number of lines", () => {
    expect(["30m", "2h", "yesterday", undefined].map(sinceOf)).toEqual([
      "-30m",
      "-2h",
      "yesterday",
      undefined,
    ]);
    expect(linesOf("7", 100)).toBe(7);
    expect(linesOf(undefined, 100)).toBe(100);
    expect(() => linesOf("-1", 100)).toThrow('--lines: got "-1", expected a number up to 999999');
  });
});

describe("exec", () => {
  test("runs on all hosts, names each line's host, and ends with the worst exit code", async () => {
    const code = await execOn(
      connections,
      ["vm-1", "vm-3"],
      "echo out $HOST; echo err >&2; [ $HOST = vm-1 ] || exit 7",
      false,
    );
    expect(code).toBe(7);
    expect(stdout.sort()).toEqual(["vm-1 | out vm-1\n", "vm-3 | out vm-3\n"]);
    expect(stderr.sort()).toEqual(["vm-1 | err\n", "vm-3 | err\n", "vm-3 | exited 7\n"]);
  });

  test("as JSON is an object a line on stdout: each line that a host prints, and last its exit code", async () => {
    expect(await execOn(connections, ["vm-2"], 'echo "a\\"b"; echo err >&2; exit 7', true)).toBe(7);
    const told = stdout.map((line) => JSON.parse(line) as object);
    expect(told.at(-1)).toEqual({ host: "vm-2", exitCode: 7 });
    expect(told.slice(0, -1)).toEqual(
      expect.arrayContaining([
        { host: "vm-2", stream: "stdout", line: 'a"b' },
        { host: "vm-2", stream: "stderr", line: "err" },
      ]),
    );
    expect(told).toHaveLength(3);
    expect(stderr).toEqual([]);
  });

  test("gives a command that reads its input nothing to wait for", async () => {
    expect(await execOn(connections, ["vm-1"], "cat", false)).toBe(0);
  });
});

test("names that are not known are told all at once, with the known ones", () => {
  expect(() => {
    checkNames("agent", ["a", "x", "y"], ["a", "b"], "dev");
  }).toThrow("agent x, y: not in stack dev; expected a, b");
  expect(() => {
    checkNames("host", ["x"], [], "dev");
  }).toThrow(
    "host x: not in stack dev; the stack has none yet; bring them up with: ./fleet up -s dev",
  );
});

test.each([
  [[], {}, ["a", "b", "c"]],
  [["c", "a"], {}, ["a", "c"]],
  [[], { host: "vm-1" }, ["a", "b"]],
  [[], { host: "vm-1,vm-2" }, ["a", "b", "c"]],
  [["b"], { host: "vm-1" }, ["b"]],
  [[], { host: "vm-3" }, []],
])("agents %j on %j are %j", (args, options, expected) => {
  const { outputs: narrowed } = chosen(connections, { stack: "dev", args, options });
  expect(Object.keys(narrowed.agents)).toEqual(expected);
  expect(narrowed.hosts).toBe(connections.outputs.hosts);
});

test("an agent that is not on the hosts named beside it is refused, and so is a host that is not there", () => {
  const choose = (args: readonly string[], host: string) =>
    chosen(connections, { stack: "dev", args, options: { host } });
  expect(() => choose(["a", "c"], "vm-2")).toThrow("agent a: not on vm-2, got both");
  expect(() => choose([], "vm-9")).toThrow(
    "host vm-9: not in stack dev; expected vm-1, vm-2, vm-3",
  );
});

test("names stand in one column, and have colours where they are asked for", () => {
  expect([...prefixes(["a", "long"], false).values()]).toEqual(["a    | ", "long | "]);
  expect(prefixes(["a"], true).get("a")).toContain("\u001b[");
});

test("a scanned key is the ed25519 one, and its fingerprint is what ssh-keygen shows on the machine", () => {
  const file = join(folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "x", "-f", file]);
  const key = readFileSync(`${file}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
  const scanned = `# a comment\n[h]:22 ssh-rsa AAAA\n[h]:22 ${key}\n`;
  expect(keyIn(scanned)).toBe(key);
  expect(keyIn("# nothing\n")).toBeUndefined();
  const shown = execFileSync("ssh-keygen", ["-lf", `${file}.pub`], { encoding: "utf8" });
  expect(shown).toContain(` ${fingerprint(key)} `);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s leaves no connection and no folder behind",
  async (signal) => {
    program("pulumi", `echo '{"hosts":{"vm-1":{"hostKey":"ssh-ed25519 AAAA"}},"agents":{}}'`);
    program("ssh", 'echo $$ >"$FOLDER/ssh.pid"; exec sleep 600');
    const script = `
    const { withConnections } = require("./cli/connect.ts");
    void withConnections({ pulumi: "pulumi", env: process.env }, "dev", async ({ ssh }) => {
      ssh("vm-1", ["true"]);
      await new Promise((done) => setTimeout(done, 600_000));
    });`;
    const temporary = mkdtempSync(join(folder, "tmp-"));
    const child = spawn("node", ["--require", "./toolchain/transpile.cjs", "-e", script], {
      cwd: PROJECT,
      stdio: "ignore",
      env: { ...process.env, PATH: path, FOLDER: folder, TMPDIR: temporary },
    });
    try {
      await until("a connection", 20, () => pid("ssh.pid") > 0);
      const ended = new Promise((resolve) =>
        child.once("exit", (_, by) => {
          resolve(by);
        }),
      );
      child.kill(signal);
      expect(await ended).toBe(signal);
      await until("no connection", 10, () => !isAlive(pid("ssh.pid")));
      expect(readdirSync(temporary)).toEqual([]);
    } finally {
      child.kill("SIGKILL");
      rmSync(join(folder, "ssh.pid"), { force: true });
    }
  },
);

const isAlive = (pid: number) => findProcess(pid) !== undefined;
