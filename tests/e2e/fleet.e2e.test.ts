/**
 * Many agents on many VMs, changed, moved, renamed and removed. The tests of this file are one story on
 * three VMs: each goes on from where the one before it ended.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readLocks } from "../../cli/backend";
import { findProcess, signal, type ProcessRef } from "../../vm/process";
import { Clone, type Result } from "./support/clone";
import { until } from "./support/wait";

const STACK = "three";
const TOKEN = randomBytes(24).toString("hex");
const ENTRY = "examples/compute-agent/src/index.ts";
const SNAPSHOT = readFileSync(join(__dirname, "support/snapshot.sh"), "utf8");
/** Canary 1, batch 50 %, of six agents in the order of the stack file. */
const WAVES = [["a"], ["b", "c", "d"], ["e", "f"]];

type Agents = Record<string, object>;

const clone = new Clone();
let good: string;
let secrets: string;
let before: string;
let fixing: Promise<Result> | undefined;
const agents: Record<string, Agents> = {
  "vm-1": { a: {}, b: { port: 8788 }, c: { port: 8789 }, d: { port: 8790 } },
  // Its jobs get 15 s, and one second more when it is told to stop.
  "vm-2": { e: { drainSeconds: 15, env: { JOB_GRACE_SECONDS: 1 } } },
  "vm-3": {},
};

beforeAll(async () => {
  good = clone.file(ENTRY);
  await clone.ok(["stack", "init", STACK]);
  for (const name of ["WORKER_CLUSTER_TOKEN", "CALLBACK_SIGNING_SECRET"]) {
    await clone.setSecret(`agent-fleet:secrets.${name}`, TOKEN, STACK);
  }
  secrets = clone.file(`Pulumi.${STACK}.yaml`);
});

afterAll(async () => {
  try {
    await fixing;
    await clone.fleet(["destroy", "-s", STACK, "--yes"]);
  } finally {
    clone.remove();
  }
});

/** Writes the stack file: the sealed secrets as they are, and the agents where they are to be now. */
function stackFile(more: Readonly<Record<string, unknown>> = {}): void {
  const size = { provider: "local", size: "1cpu-1gb-10gb" };
  const config = {
    hosts: Object.fromEntries(
      Object.entries(agents).map(([host, on]) => [host, { ...size, agents: on }]),
    ),
    defaults: { source: "examples/compute-agent", healthTimeoutSeconds: 90 },
    ...more,
  };
  const lines = Object.entries(config).map(
    ([key, value]) => `  agent-fleet:${key}: ${JSON.stringify(value)}\n`,
  );
  clone.write(`Pulumi.${STACK}.yaml`, secrets.replace("config:\n", `config:\n${lines.join("")}`));
}

const up = () => clone.fleet(["up", "-s", STACK]);
const on = (host: string, command: string) => clone.on(host, command, STACK);

/** How the `up` of the test before has ended. */
async function fixed(): Promise<Result> {
  if (fixing === undefined) throw new Error("it was never started");
  return fixing;
}

interface Outputs {
  readonly agents: Record<string, { host: string; unit: string; url: string; release: string }>;
}

async function outputs(): Promise<Outputs["agents"]> {
  const { stdout } = await clone.ok(["stack", "output", "--json", "-s", STACK]);
  return (JSON.parse(stdout) as Outputs).agents;
}

/** A property of every agent's unit, by agent. */
async function properties(name: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [host, placed] of Object.entries(agents)) {
    const names = Object.keys(placed);
    if (names.length === 0) continue;
    const questions = names.map(
      (agent) => `systemctl show --timestamp=us+utc -P ${name} tseeder-agent@${agent}`,
    );
    const answers = (await on(host, questions.join("; "))).split("\n");
    names.forEach((agent, index) => (found[agent] = answers[index] ?? ""));
  }
  return found;
}

const processIds = () => properties("MainPID");

/** Ran `up` well, with exactly these agents on other processes than before. */
async function expectRestarted(restarted: readonly string[]): Promise<void> {
  const earlier = await processIds();
  const { code, output } = await up();
  expect(`${String(code)} ${output}`).toMatch(/^0 /);
  const now = await processIds();
  const others = Object.keys(now).filter((name) => now[name] !== earlier[name]);
  expect(others).toEqual(restarted);
  expect(Object.values(now)).not.toContain("0");
}

/** What status says of every agent, `vm-1 a available`, sorted, when all are available but those on one host. */
function expectedStates(silent?: string): string[] {
  return Object.entries(agents)
    .flatMap(([host, placed]) =>
      Object.keys(placed).map(
        (name) => `${host} ${name} ${host === silent ? "unreachable" : "available"}`,
      ),
    )
    .sort();
}

/** Asks until all is as expected; a host that is busy may be asked more than once: status waits 10 s for each. */
async function expectStates(expected: readonly string[]): Promise<Result> {
  let last: Result | undefined;
  await until(expected.join(", "), 120, async () => {
    last = await clone.fleet(["status", "-s", STACK, "--json"]);
    const told = JSON.parse(last.stdout) as { host: string; agent: string; state: string }[];
    const states = told.map(({ host, agent, state }) => `${host} ${agent} ${state}`).sort();
    return states.join() === expected.join();
  });
  if (last === undefined) throw new Error("status was never asked");
  return last;
}

async function expectAllAvailable(): Promise<void> {
  await expectStates(expectedStates());
}

/** Those on one host are unreachable, for this reason; the others are available. */
async function expectUnreachable(host: string, reason: RegExp): Promise<void> {
  const { code, stdout } = await expectStates(expectedStates(host));
  expect(code).toBe(1);
  const told = JSON.parse(stdout) as { host: string; reason?: string }[];
  for (const each of told) {
    if (each.host === host) expect(each.reason).toMatch(reason);
    else expect(each.reason).toBeUndefined();
  }
}

/** The process of a host's VM. */
function machine(host: string): ProcessRef {
  const record = clone.file(`.fleet/vms/${STACK}-${host}/vm.json`);
  return (JSON.parse(record) as { process: ProcessRef }).process;
}

const snapshot = async (host: string) => {
  const { stdout } = await clone.ok(["ssh", "-s", STACK, host, "--", "sh -s"], SNAPSHOT);
  return stdout;
};

test("up makes three VMs, one of them without agents", async () => {
  stackFile();
  const { code, output } = await up();
  expect(`${String(code)} ${output}`).toMatch(/^0 /);
  await expectAllAvailable();
  await until("vm-3 booted", 240, async () => {
    const booted = "test -e /run/cloud-init/result.json && systemctl is-system-running";
    const { stdout } = await clone.fleet(["ssh", "-s", STACK, "vm-3", "--", booted]);
    return ["running", "degraded"].includes(stdout.trim());
  });
  before = await snapshot("vm-3");
  // Three VMs boot at the same time, on as few cores as there are.
}, 1_200_000);

test("an agent more restarts nobody, and neither does another purgeData", async () => {
  const earlier = await processIds();
  agents["vm-3"] = { f: {} };
  stackFile({ purgeData: true });
  const { code, output } = await up();
  expect(`${String(code)} ${output}`).toMatch(/^0 /);
  expect(await processIds()).toMatchObject(earlier);
  await expectAllAvailable();
});

test("of four agents on one VM, the one whose env value is another is restarted, and no other anywhere", async () => {
  agents["vm-1"] = { ...agents["vm-1"], b: { port: 8788, env: { MAX_CONCURRENT_JOBS: 3 } } };
  stackFile({ purgeData: true });
  await expectRestarted(["b"]);
});

test("a bad release stops at the canary, which serves its old one; the five others are never restarted", async () => {
  stackFile({ purgeData: true, rollout: { canary: 1, batch: "50%" } });
  const earlier = await processIds();
  const releases = await on("vm-1", "readlink /opt/tseeder-agent/agents/*/current");
  clone.write(ENTRY, `throw new Error("bad canary");\n${good}`);
  const { code, output } = await up();
  expect(code).not.toBe(0);
  expect(output).toMatch(/a: not available on vm-1.*\n.*layer unit.*\n.*is back and available/);
  expect(output).not.toMatch(/[b-f]@vm-\d-activation/);
  const { a, ...others } = await processIds();
  const { a: canary, ...same } = earlier;
  expect(others).toEqual(same);
  expect(a).not.toBe(canary);
  expect(await on("vm-1", "readlink /opt/tseeder-agent/agents/*/current")).toBe(releases);
  await expectAllAvailable();
});

test("while an up runs, a second operator is told who holds the stack and the way out, and changes nothing", async () => {
  const { e } = await outputs();
  const answer = await fetch(`${e?.url ?? ""}/jobs`, {
    method: "POST",
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify({ kind: "sleep", seconds: 3000 }),
  });
  expect(answer.status).toBe(202);
  clone.write(ENTRY, good.replace('"listening"', '"listening well"'));
  fixing = up();
  const state = `file://${clone.folder}/.fleet/state`;
  await until("the lock", 60, () => readLocks(state, STACK).length > 0);
  for (const command of [["up"], ["destroy", "--yes"]]) {
    const { code, output } = await clone.fleet([...command, "-s", STACK]);
    expect(code).not.toBe(0);
    expect(output).toMatch(/^stack three is in use by \S+@\S+ \(pid \d+\) since 20[0-9T:-]+$/m);
    expect(output).toContain(`./fleet cancel --yes -s ${STACK}`);
    expect(output).not.toMatch(/updat|creat|delet/i);
  }
});

test("the fixed release goes through in waves, seen in the order in which agents were started", async () => {
  const { code, output } = await fixed();
  expect(`${String(code)} ${output}`).toMatch(/^0 /);
  const releases = new Set(Object.values(await outputs()).map(({ release }) => release));
  expect(releases.size).toBe(1);
  const started = await properties("ActiveEnterTimestamp");
  const times = WAVES.map((wave) => wave.map((name) => toMicroseconds(started[name] ?? "")));
  expect(Math.max(...(times[0] ?? []))).toBeLessThan(Math.min(...(times[1] ?? [])));
  expect(Math.max(...(times[1] ?? []))).toBeLessThan(Math.min(...(times[2] ?? [])));
  await expectAllAvailable();
});

test("a job longer than the cap was cut at the cap, is reported, and its agent runs the new release", async () => {
  const { output } = await fixed();
  expect(output).toMatch(/e .*restarted, .* after (1[5-9]|2\d)\.\d s of drain, 1 left \(cap\)/);
  const journal = await on("vm-2", "journalctl -q -o cat -u tseeder-agent@e");
  expect(journal).toMatch(/stoppedJobs=1\b[^]*listening well/);
});

test("an agent moves to another VM, there before it goes here; the VM that it was the last on is as it was", async () => {
  const earlier = await processIds();
  agents["vm-2"] = { ...agents["vm-2"], f: { port: 8788 } };
  agents["vm-3"] = {};
  // In the same run, one is renamed: the next test looks at it.
  const { d, ...rest } = agents["vm-1"] ?? {};
  agents["vm-1"] = { ...rest, delta: { ...d } };
  stackFile({ purgeData: true });
  const { code, output } = await up();
  expect(`${String(code)} ${output}`).toMatch(/^0 /);
  expect(output).toMatch(/f@vm-2-activation created[^]*f@vm-3-activation deleted/);
  const { a, b, c, e } = earlier;
  expect(await processIds()).toMatchObject({ a, b, c, e });
  await expectAllAvailable();
  expect(await snapshot("vm-3")).toBe(before);
});

test("a renamed agent has its old one's port, and of the old one nothing is left", async () => {
  expect((await outputs())["delta"]?.host).toBe("vm-1");
  expect(await on("vm-1", "cat /opt/tseeder-agent/agents/delta/port")).toBe("8790");
  const left =
    "ls -d /opt/tseeder-agent/agents/d /etc/tseeder-agent/d.env /var/lib/tseeder-agent/d";
  expect(await on("vm-1", `${left} 2>/dev/null || systemctl is-active tseeder-agent@d || :`)).toBe(
    "inactive",
  );
});

test("with twelve agents on three VMs, status tells of the four on one that hangs in time, and of all when it goes on", async () => {
  agents["vm-2"] = { ...agents["vm-2"], g: { port: 8789 }, h: { port: 8790 } };
  agents["vm-3"] = { i: {}, j: { port: 8788 }, k: { port: 8789 }, l: { port: 8790 } };
  stackFile({ purgeData: true });
  const { code, output } = await up();
  expect(`${String(code)} ${output}`).toMatch(/^0 /);
  await expectAllAvailable();
  expect(expectedStates("vm-3").filter((state) => state.endsWith(" available"))).toHaveLength(8);
  signal(machine("vm-3"), "SIGSTOP");
  try {
    await expectUnreachable("vm-3", /^no answer within 10 s$/);
  } finally {
    signal(machine("vm-3"), "SIGCONT");
  }
  await expectAllAvailable();
});

test("status tells of the agents of a VM that has died; destroy removes every VM, that one too", async () => {
  const machines = Object.keys(agents).map(machine);
  signal(machine("vm-2"), "SIGKILL");
  await until("QEMU gone", 10, () => findProcess(machine("vm-2").pid) === undefined);
  await expectUnreachable("vm-2", /refused/);
  await clone.ok(["destroy", "-s", STACK, "--yes"]);
  expect(machines.map(({ pid }) => findProcess(pid))).toEqual([undefined, undefined, undefined]);
  expect(existsSync(join(clone.folder, `.fleet/vms/${STACK}-vm-1`))).toBe(false);
});

/** Of `Sat 2026-11-21 13:24:57.123456 UTC`. */
function toMicroseconds(timestamp: string): number {
  const [, day = "", time = "", micro = ""] =
    /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\.(\d{6}) UTC/.exec(timestamp) ?? [];
  return Date.parse(`${day}T${time}Z`) * 1000 + Number(micro);
}
