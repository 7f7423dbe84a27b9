/** restart, stop, start and drain; each host is a shell on this machine, and its script `control` a stand-in. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { control } from "../../cli/control";
import type { Plan } from "../../cli/control";
import { controlWaves } from "../../cli/control-waves";
import { standInHosts } from "./stand-in-hosts";

const { folder, connections, asked, stdout, stderr, program } = standInHosts({
  "vm-1": ["a", "b"],
  "vm-2": ["c"],
  "vm-3": ["d", "e", "f", "g", "h"],
});
const log = join(folder, "log");
const told = () => readFileSync(log, "utf8").trim().split("\n");

const REPORT = `printf '{"agent":"%s","changed":true,"gapSeconds":2.14,"drain":"idle","drainedSeconds":3.00,"jobsLeft":0}\\n' $2`;
const PLAN: Plan = {
  verb: "restart",
  waves: [["a"], ["b", "c"], ["d"]],
  pauseSeconds: 0,
  drains: true,
  asJson: false,
};

beforeEach(() => {
  rmSync(log, { force: true });
});

test("agents are restarted wave after wave, each wave together, and told in one line each", async () => {
  // b and c end only when both have begun.
  program(
    "control",
    `echo "begin $2" >>$FOLDER/log
case $2 in b | c) until [ $(grep -c 'begin [bc]' $FOLDER/log) = 2 ]; do sleep 0.02; done ;; esac
echo "end $2" >>$FOLDER/log
${REPORT}`,
  );
  expect(await control(connections, PLAN)).toBe(0);
  const order = told();
  expect(order.slice(0, 2)).toEqual(["begin a", "end a"]);
  expect(order.slice(2, 4).sort()).toEqual(["begin b", "begin c"]);
  expect(order.slice(4, 6).sort()).toEqual(["end b", "end c"]);
  expect(order.slice(6)).toEqual(["begin d", "end d"]);
  const line = "restarted, 2.1 s without an answer, after 3.0 s of drain\n";
  expect(stdout.sort()).toEqual(["a", "b", "c", "d"].map((agent) => `${agent} | ${line}`));
});

test("after a wave with a failure none begins; the host's words and what was not touched are told", async () => {
  program("control", `[ $2 != b ] || { echo "b: not available" >&2; exit 1; }; ${REPORT}`);
  expect(await control(connections, PLAN)).toBe(1);
  expect(asked).toEqual(["vm-1", "vm-1", "vm-2"]);
  expect(stdout).toHaveLength(2);
  expect(stderr).toEqual([
    "b | b: not available\n",
    "b | restart failed on vm-1; exit code 1\n",
    "not touched, as one before them has failed: d\n",
  ]);
});

test("the host is told what to do, and learns when nobody waits for it any more", async () => {
  program("control", `echo "$*" >>$FOLDER/log; ${REPORT}`);
  const input: unknown[] = [];
  const door = {
    ...connections,
    ssh: (...[host, command, options]: Parameters<typeof connections.ssh>) => {
      input.push((options?.stdio as readonly unknown[])[0]);
      return connections.ssh(host, command, options);
    },
  };
  await control(door, { ...PLAN, verb: "stop", waves: [["a"]], drains: false, asJson: true });
  expect(told()).toEqual(["stop a --attended --no-drain"]);
  expect(input).toEqual(["pipe"]);
  expect(JSON.parse(stdout.join(""))).toMatchObject({ agent: "a", host: "vm-1", jobsLeft: 0 });
});

test("of one wave, no more than four are at work on one host", async () => {
  // Each stays until four are there; the first of them leaves time for a fifth.
  program(
    "control",
    `mkdir $FOLDER/at-work-$2
until [ -e $FOLDER/four ] || [ $(ls -d $FOLDER/at-work-* | wc -l) -ge 4 ]; do sleep 0.02; done
touch $FOLDER/four
sleep 0.2
ls -d $FOLDER/at-work-* | wc -l >>$FOLDER/log
rmdir $FOLDER/at-work-$2
${REPORT}`,
  );
  expect(await control(connections, { ...PLAN, waves: [["d", "e", "f", "g", "h"]] })).toBe(0);
  expect(told().map(Number)).toHaveLength(5);
  expect(Math.max(...told().map(Number))).toBe(4);
});

test("a host of an older version is told as such", async () => {
  rmSync(join(folder, "control"));
  expect(await control(connections, { ...PLAN, waves: [["c"]], asJson: true })).toBe(1);
  const hint = "this host was set up by an older version; run ./fleet up first";
  expect(stderr.slice(-2)).toEqual([
    "c | restart failed on vm-2; exit code 127\n",
    `c | ${hint}\n`,
  ]);
  const { error, ...rest } = JSON.parse(stdout.join("")) as Record<string, string>;
  expect(rest).toEqual({ agent: "c", host: "vm-2" });
  expect(error).toContain(hint);
});

const IDLE = { drain: "none", drainedSeconds: 0, jobsLeft: null };
test.each([
  ["start", { changed: true, ...IDLE }, "available after 2.1 s"],
  ["start", { changed: false, ...IDLE }, "runs already"],
  ["stop", { changed: true, ...IDLE }, "stopped"],
  [
    "stop",
    { changed: true, drain: "cap", drainedSeconds: 60, jobsLeft: 2 },
    "stopped after 60.0 s of drain, 2 left (cap)",
  ],
  ["stop", { changed: false, ...IDLE }, "is stopped already"],
  ["drain", { changed: false, ...IDLE }, "has no jobs to wait for"],
  [
    "drain",
    { changed: false, drain: "idle", drainedSeconds: 3, jobsLeft: 0 },
    "idle after 3.0 s of drain",
  ],
] as const)("%s that reports %j is told as: %s", async (verb, report, text) => {
  program("control", `echo '${JSON.stringify({ agent: "a", gapSeconds: 2.14, ...report })}'`);
  await control(connections, { ...PLAN, verb, waves: [["a"]] });
  expect(stdout).toEqual([`a | ${text}\n`]);
});

test.each([
  ["{ canary: 1, batch: 2, pauseSeconds: 3 }", undefined, [["a"], ["b", "c"], ["d", "e"]], 3],
  ["{ canary: 1, batch: 2, pauseSeconds: 3 }", 4, [["a", "b", "c", "d"], ["e"]], 0],
  ["{ batch: 50% }", undefined, [["a"], ["b", "c", "d"], ["e"]], 0],
  ["{}", undefined, [["a", "b", "c", "d", "e"]], 0],
  ["{}", 2, [["a", "b"], ["c", "d"], ["e"]], 0],
])(
  "with the rollout %s and --parallel %s, the waves are %j",
  (rollout, parallel, waves, pauseSeconds) => {
    const text = `config: { agent-fleet:hosts: { vm-1: { provider: local, agents: { a: {} } } }, agent-fleet:rollout: ${rollout} }`;
    expect(controlWaves(["a", "b", "c", "d", "e"], text, parallel)).toEqual({
      waves,
      pauseSeconds,
    });
  },
);

test("without rollout and --parallel eight go at a time", () => {
  const agents = Array.from({ length: 12 }, (_, index) => `agent-${String(index)}`);
  const { waves } = controlWaves(agents, "config: {}", undefined);
  expect(waves.map(({ length }) => length)).toEqual([8, 4]);
});
