/**
 * The main job on a real VM, from a fresh clone to an empty machine again. The tests of this file
 * are one story: each goes on from where the one before it ended.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { findProcess } from "../../vm/process";
import { Clone } from "./support/clone";
import { follow, shellBlocks } from "./support/guide";
import { PLANTED } from "./support/planted";
import { filesWith, forms } from "./support/secrets-search";
import { statusOf } from "./support/status";
import { argumentsDuring, filesHolding, wholeJournal } from "./support/traces";
import { until } from "./support/wait";

const TOKEN = `canary-token-${randomBytes(8).toString("hex")}`;
const SIGNING = `canary-"sign$ing\`${randomBytes(8).toString("hex")}\\`;
const OWN = `canary-own-${randomBytes(8).toString("hex")}`;
const CANARIES = [TOKEN, SIGNING, OWN].flatMap(forms);
const ENTRY = "examples/compute-agent/src/index.ts";
const AGENTS = ["agent-vm-1", "agent-vm-2"] as const;
const BALLAST_BYTES = 4_000_000;

const clone = new Clone();
let good: string;
let firstRelease: string;

interface Outputs {
  readonly agents: Record<string, { url: string; release: string; health: string; unit: string }>;
  readonly hosts: Record<string, { address: string; port: number; hostKey: string }>;
}

beforeAll(() => {
  good = clone.file(ENTRY);
  // A small VM and a short deadline; everything else is the stack file of the project.
  const stack = clone
    .file("Pulumi.dev.yaml")
    .replace("provider: local", "provider: local\n      size: 2cpu-1gb-10gb")
    .replace("port: 8788", "port: 8788\n          limits: { memory: 512M, cpu: 150% }")
    .replace("defaults:", "defaults:\n    healthTimeoutSeconds: 45");
  clone.write("Pulumi.dev.yaml", stack);
  // So that a release that is sent shows in the counter of the VM's network card.
  clone.write("examples/compute-agent/ballast", randomBytes(BALLAST_BYTES).toString("base64"));
});

afterAll(async () => {
  try {
    await clone.fleet(["destroy", "--yes"]);
  } finally {
    clone.remove();
  }
});

const outputs = async () =>
  JSON.parse((await clone.ok(["stack", "output", "--json"])).stdout) as Outputs;
const vm = (command: string, input?: string) => clone.on("vm-1", command, "dev", input);

async function health(
  url: string,
  token?: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/health`, { headers, signal: AbortSignal.timeout(10_000) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const isAvailable = async (url: string) =>
  (await health(url, TOKEN).catch(() => undefined))?.status === 200;

async function expectBothAvailable(): Promise<void> {
  for (const [name, { url }] of Object.entries((await outputs()).agents)) {
    expect(await health(url, TOKEN)).toMatchObject({
      status: 200,
      body: { status: "available", workerId: name },
    });
  }
}

const processIds = () =>
  vm(AGENTS.map((name) => `systemctl show -P MainPID tseeder-agent@${name}`).join("; "));

/** Runs `./fleet up`; what it said, and how many bytes came to the VM by network meanwhile. */
async function measuredUp(): Promise<{ output: string; received: number }> {
  const counter = async () => Number(await vm("cat /sys/class/net/e*/statistics/rx_bytes"));
  const before = await counter();
  const { output } = await clone.ok(["up"]);
  return { output, received: (await counter()) - before };
}

/** How often sshd let somebody in, this question included; from the journal of all boots. */
const logins = async () => Number(await vm("journalctl -q -o cat -t sshd | grep -c '^Accepted'"));

test("up takes a fresh clone to two agents that answer available", async () => {
  await clone.ok(["stack", "init", "dev"]);
  await clone.setSecret("agent-fleet:secrets.WORKER_CLUSTER_TOKEN", TOKEN);
  await clone.setSecret("agent-fleet:secrets.CALLBACK_SIGNING_SECRET", SIGNING);
  await clone.setSecret("agent-fleet:agentSecrets.agent-vm-2.R2_SECRET_ACCESS_KEY", OWN);
  const { stdout } = await clone.ok(["up"]);
  for (const name of AGENTS) {
    expect(stdout).toMatch(new RegExp(`${name} +vm-1 +available +http://127\\.0\\.0\\.1:\\d+`));
  }
  await expectBothAvailable();
  firstRelease = (await outputs()).agents["agent-vm-1"]?.release ?? "";
});

test("without the token an agent answers 401, with a wrong one 403", async () => {
  const url = (await outputs()).agents["agent-vm-1"]?.url ?? "";
  expect((await health(url)).status).toBe(401);
  expect((await health(url, "wrong")).status).toBe(403);
});

test("env files are 600 and the service user's, who has neither shell nor home", async () => {
  expect(await vm("stat -c '%a %U %n' /etc/tseeder-agent/*.env")).toBe(
    AGENTS.map((name) => `600 tseeder-agent /etc/tseeder-agent/${name}.env`).join("\n"),
  );
  expect(await vm("getent passwd tseeder-agent")).toMatch(
    /:\/nonexistent:\/(usr\/)?s?bin\/(nologin|false)$/,
  );
});

test("systemd hands every value to the agent as it was given, quotes and all", async () => {
  const environment = await vm(
    "tr '\\0' '\\n' </proc/$(systemctl show -P MainPID tseeder-agent@agent-vm-1)/environ",
  );
  expect(environment.split("\n")).toEqual(
    expect.arrayContaining([
      `CALLBACK_SIGNING_SECRET=${SIGNING}`,
      `WORKER_CLUSTER_TOKEN=${TOKEN}`,
      "DOWNLOAD_DIR=/var/lib/tseeder-agent/agent-vm-1/downloads",
    ]),
  );
  expect(environment).not.toContain(OWN);
});

test("the running unit's exposure is at most 1.2, and the agent works under it", async () => {
  const text = await vm("systemd-analyze security --no-pager tseeder-agent@agent-vm-1 | tail -n 1");
  expect(Number(/exposure level .*: ([0-9.]+)/.exec(text)?.[1])).toBeLessThanOrEqual(1.2);
  const url = (await outputs()).agents["agent-vm-1"]?.url ?? "";
  const headers = { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" };
  const job = { kind: "sha256", text: "x", rounds: 10 };
  const started = await fetch(`${url}/jobs`, {
    method: "POST",
    headers,
    body: JSON.stringify(job),
  });
  expect(started.status).toBe(202);
});

test("limits hold for the agent that has them, and for no other", async () => {
  const limits = await vm(
    AGENTS.map(
      (name) => `systemctl show -P MemoryMax -P CPUQuotaPerSecUSec tseeder-agent@${name}`,
    ).join("; "),
  );
  expect(limits.split("\n").sort()).toEqual(
    ["1.500000s", "536870912", "infinity", "infinity"].sort(),
  );
});

test("the service can change neither its release nor its runtime, and cannot ask for the cloud's credentials", async () => {
  const mayWrite = await vm(
    "cd /; find /opt/tseeder-agent ! -type l -writable -print -quit | wc -l; " +
      "setpriv --reuid tseeder-agent --regid tseeder-agent --clear-groups find /opt/tseeder-agent ! -type l -writable",
  );
  expect(mayWrite).toBe("1");
  const denied = await vm("systemctl show -P IPAddressDeny tseeder-agent@agent-vm-1");
  expect(denied).toContain("169.254.169.254");
});

test("a second up changes nothing and opens no SSH connection", async () => {
  const before = await logins();
  const { output } = await clone.ok(["up"]);
  expect(output).toContain("nothing had to be changed");
  expect(await logins()).toBe(before + 1);
});

test("scan shows the pinned host key; logs and exec reach agents and hosts, and followed logs leave nothing running", async () => {
  const { port = 0, hostKey = "" } = (await outputs()).hosts["vm-1"] ?? {};
  const scan = ["scan", "127.0.0.1", "--port", String(port), "--json"];
  expect(JSON.parse((await clone.ok(scan)).stdout)).toMatchObject({
    hostKey: hostKey.split(" ").slice(0, 2).join(" "),
  });
  const { stdout } = await clone.ok(["logs", "--lines", "200"]);
  for (const name of AGENTS)
    expect(stdout).toMatch(new RegExp(`^${name} \\| \\S+Z .*listening`, "m"));
  const { output } = await clone.ok([
    "exec",
    "vm-1",
    "--",
    "systemctl",
    "is-active",
    `tseeder-agent@${AGENTS[0]}`,
  ]);
  expect(output).toBe("vm-1 | active\n");
  const following = spawn(join(clone.folder, "fleet"), ["logs", "-f"], {
    cwd: clone.folder,
    env: clone.env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise((resolve) => following.once("close", resolve));
  try {
    await new Promise((resolve) => following.stdout.once("data", resolve));
    expect(await vm("pgrep -c journalctl")).toBe("2");
  } finally {
    following.kill("SIGINT");
  }
  await ended;
  await until("no reader", 30, async () => (await vm("pgrep -c journalctl || :")) === "0");
});

test("a changed file is one upload and one restart per agent, and the old release is kept", async () => {
  const ids = await processIds();
  good = good.replace('"listening"', '"listening well"');
  clone.write(ENTRY, good);
  const { output, received } = await measuredUp();
  expect(output.match(/-upload updated/g)).toHaveLength(1);
  expect(received).toBeGreaterThan(BALLAST_BYTES);
  const now = await processIds();
  now.split("\n").forEach((id, index) => {
    expect(id).not.toBe(ids.split("\n")[index]);
  });
  // One start since then, none of them by systemd itself after a crash.
  const starts = await vm(
    AGENTS.map((name) => `systemctl show -P NRestarts tseeder-agent@${name}`).join("; "),
  );
  expect(starts).toBe("0\n0");
  const { release } = (await outputs()).agents["agent-vm-1"] ?? { release: "" };
  expect(release).not.toBe(firstRelease);
  expect((await vm("ls /opt/tseeder-agent/releases")).split("\n").sort()).toEqual(
    [firstRelease, release].sort(),
  );
  await expectBothAvailable();
});

test("going back to a kept release, and forth again, sends nothing and restarts each agent once", async () => {
  const release = async () => (await outputs()).agents["agent-vm-1"]?.release;
  const second = await release();
  const restarts = () =>
    vm(
      AGENTS.map(
        (name) => `journalctl -q -o cat -u tseeder-agent@${name} | grep -c '^Started '`,
      ).join("; "),
    );
  const before = (await restarts()).split("\n").map(Number);
  clone.write(ENTRY, good.replace('"listening well"', '"listening"'));
  expect((await measuredUp()).received).toBeLessThan(BALLAST_BYTES / 4);
  expect(await release()).toBe(firstRelease);
  await expectBothAvailable();
  clone.write(ENTRY, good);
  expect((await measuredUp()).received).toBeLessThan(BALLAST_BYTES / 4);
  expect(await release()).toBe(second);
  expect((await restarts()).split("\n").map(Number)).toEqual(before.map((count) => count + 2));
});

const BAD_RELEASES = [
  {
    name: "crashes at its start",
    change: (source: string) => `throw new Error("canary of the crash");\n${source}`,
    layer: /layer unit: it is in a crash loop \(\d+ restarts\)/,
    journal: "canary of the crash",
  },
  {
    name: "never becomes available",
    change: (source: string) =>
      source.replace("server.listen(config.port", "server.listen(config.port + 100"),
    layer:
      /not available within 45 s on vm-1.*\n.*layer health: the agent runs, but listens on another port/,
    journal: "listening well",
  },
  {
    name: "answers 403 to its own token",
    change: (source: string) =>
      source.replace(
        "readConfig(process.env)",
        'readConfig({ ...process.env, WORKER_CLUSTER_TOKEN: "another-token-of-24-chars" })',
      ),
    layer: /last answer: 403 Forbidden\n +layer health: WORKER_CLUSTER_TOKEN/,
    journal: "listening well",
  },
];

test.each(BAD_RELEASES)(
  "a release that $name makes up fail with its layer and journal, and the previous one serves",
  async ({ change, layer, journal }) => {
    const release = (await outputs()).agents["agent-vm-1"]?.release ?? "";
    clone.write(ENTRY, change(good));
    const { code, output } = await clone.fleet(["up"]);
    expect(code).not.toBe(0);
    expect(output).toMatch(layer);
    expect(output).toContain(`the previous release ${release} is back and available`);
    expect(output.slice(output.indexOf("journal:"))).toContain(journal);
    expect(await vm("readlink /opt/tseeder-agent/agents/*/current")).toBe(
      [release, release].map((id) => `../../releases/${id}`).join("\n"),
    );
    await expectBothAvailable();
  },
);

test("after bad releases the good one goes through", async () => {
  clone.write(ENTRY, good);
  await clone.ok(["up"]);
  await expectBothAvailable();
});

test("a rotated secret restarts the agents that use it, and is in no process's arguments meanwhile", async () => {
  const sampled = new Set<string>();
  const timer = setInterval(() => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        sampled.add(readFileSync(`/proc/${pid}/cmdline`, "latin1"));
      } catch {
        // It has ended meanwhile.
      }
    }
  }, 50);
  let remote: string;
  try {
    await clone.setSecret("agent-fleet:secrets.CALLBACK_SIGNING_SECRET", `${SIGNING}2`);
    remote = await argumentsDuring(vm, async () => clone.ok(["up"]));
  } finally {
    clearInterval(timer);
  }
  expect(remote).toContain("/opt/tseeder-agent/bin/activate agent-vm-1");
  for (const secret of CANARIES) {
    expect(remote).not.toContain(secret);
    expect([...sampled].filter((line) => line.includes(secret))).toEqual([]);
  }
  await expectBothAvailable();
});

/** The id of a job of the first agent that waits for so long. */
async function startJob(seconds: number): Promise<string> {
  const url = (await outputs()).agents[AGENTS[0]]?.url ?? "";
  const headers = { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ kind: "sleep", seconds });
  const answer = await fetch(`${url}/jobs`, { method: "POST", headers, body });
  return ((await answer.json()) as { id: string }).id;
}

test("a job that runs comes to its end before its agent is restarted", async () => {
  const id = await startJob(15);
  clone.write(ENTRY, (good = good.replace('"listening well"', '"listening"')));
  const { stdout } = await clone.ok(["up"]);
  expect(stdout).toMatch(
    /agent-vm-1 .*restarted, [0-9.]+ s without an answer, after [0-9.]+ s of drain/,
  );
  const journal = await vm("journalctl -q -o cat -u tseeder-agent@agent-vm-1");
  expect(journal).toContain(`job done id="${id}"`);
  expect(journal).not.toMatch(/stoppedJobs=[1-9]/);
});

test("status tells jobs, memory and disk; restart waits for a running job, and touches no other agent", async () => {
  const [, second] = (await processIds()).split("\n");
  const id = await startJob(30);
  const [one, other] = await statusOf(clone);
  expect(one).toMatchObject({ agent: "agent-vm-1", state: "available", jobs: 1 });
  expect(other).toMatchObject({ agent: "agent-vm-2", state: "available", jobs: 0 });
  // In bytes, as systemd has it a moment later.
  const memory = Number(await vm("systemctl show -P MemoryCurrent tseeder-agent@agent-vm-1"));
  expect(one?.memory).toBeGreaterThan(memory / 2);
  expect(one?.memory).toBeLessThan(memory * 2);
  expect(one?.diskFree).toBeGreaterThan(1);
  const { stdout } = await clone.ok(["restart", "agent-vm-1"]);
  expect(stdout).toMatch(
    /^agent-vm-1 \| restarted, [0-9.]+ s without an answer, after [0-9.]+ s of drain\n$/,
  );
  const journal = await vm("journalctl -q -o cat -u tseeder-agent@agent-vm-1");
  expect(journal).toContain(`job done id="${id}"`);
  expect((await processIds()).split("\n")[1]).toBe(second);
});

test("an agent that was stopped stays so through an up without a change, and start brings it back", async () => {
  expect((await clone.ok(["stop", "agent-vm-2"])).stdout).toMatch(/^agent-vm-2 \| stopped/);
  expect((await clone.ok(["up"])).output).toContain("nothing had to be changed");
  expect(await statusOf(clone)).toMatchObject([
    { state: "available" },
    { state: "stopped", jobs: null },
  ]);
  const { stdout } = await clone.ok(["start", "--host", "vm-1"]);
  expect(stdout).toMatch(/^agent-vm-1 \| runs already$/m);
  expect(stdout).toMatch(/^agent-vm-2 \| available after [0-9.]+ s$/m);
  await expectBothAvailable();
});

test("the guide's lines restart, stop and start agents, as they stand there", async () => {
  const guide = shellBlocks(clone.file("docs/operations.md"), "## Restart, stop and start agents");
  const [one = "", all = "", stop = "", start = "", ...more] = guide.join("").trim().split("\n");
  expect(await follow(clone, one)).toMatch(/^agent-vm-1 \| restarted/m);
  expect((await follow(clone, all)).match(/^agent-vm-[12] \| restarted/gm)).toHaveLength(2);
  await follow(clone, stop);
  expect(await statusOf(clone)).toMatchObject([{ state: "stopped" }, { state: "stopped" }]);
  await follow(clone, start);
  await expectBothAvailable();
  expect(more).toEqual([]);
});

test("one env value changed restarts that agent alone", async () => {
  const [first = "", second = ""] = (await processIds()).split("\n");
  clone.write(
    "Pulumi.dev.yaml",
    clone.file("Pulumi.dev.yaml").replace("MAX_CONCURRENT_JOBS: 4", "MAX_CONCURRENT_JOBS: 5"),
  );
  await clone.ok(["up"]);
  const [firstNow, secondNow] = (await processIds()).split("\n");
  expect(firstNow).toBe(first);
  expect(secondNow).not.toBe(second);
});

test("a bad canary stops the rollout: it serves its old release, and the agent behind it is never restarted", async () => {
  const stack = clone.file("Pulumi.dev.yaml");
  clone.write(
    "Pulumi.dev.yaml",
    stack.replace("config:\n", "config:\n  agent-fleet:rollout: { canary: 1, batch: 50% }\n"),
  );
  const [, second] = (await processIds()).split("\n");
  clone.write(ENTRY, `throw new Error("bad canary");\n${good}`);
  const { code, output } = await clone.fleet(["up"]);
  expect(code).not.toBe(0);
  expect(output).toMatch(/agent-vm-1: not available.*\n.*layer unit.*\n.*is back and available/);
  expect(output).not.toContain("agent-vm-2@vm-1-activation");
  expect((await processIds()).split("\n")[1]).toBe(second);
  await expectBothAvailable();
  clone.write(ENTRY, good);
  await clone.ok(["up"]);
  expect((await processIds()).split("\n")[1]).toBe(second);
  clone.write("Pulumi.dev.yaml", stack);
});

test("what was changed by hand is shown by diff, repaired by up --verify, and leaves no difference behind", async () => {
  await vm("echo X=1 >>/etc/tseeder-agent/agent-vm-1.env; systemctl stop tseeder-agent@agent-vm-2");
  const shown = await clone.fleet(["diff"]);
  expect(shown.code).toBe(1);
  expect(shown.stdout).toMatch(/agent-vm-1 +vm-1 +env file/);
  expect(shown.stdout).toMatch(/agent-vm-2 +vm-1 +running state +active +inactive/);
  await clone.ok(["up", "--verify"]);
  expect((await clone.fleet(["diff"])).code).toBe(0);
  expect((await clone.ok(["up"])).output).toContain("nothing had to be changed");
  await expectBothAvailable();
});

/** What doctor says of the fleet: cause and agent of each finding. */
async function diagnosed(): Promise<{ code: number; fleet: { cause: string; agent?: string }[] }> {
  const { code, stdout } = await clone.fleet(["doctor", "--json"]);
  const { fleet } = JSON.parse(stdout) as { fleet: { cause: string; agent?: string }[] };
  return { code, fleet };
}

test("doctor finds nothing on a healthy fleet, and says so", async () => {
  const { stdout } = await clone.ok(["doctor"]);
  expect(stdout).toContain("\nstack dev: nothing is wrong with agent-vm-1, agent-vm-2\n");
});

test.each(PLANTED)(
  "doctor names $cause where it is planted, and nothing else",
  async ({ cause, agent, plant, undo }) => {
    const run = async (script: string) => clone.ok(["ssh", "vm-1", "--", "sh", "-s"], script);
    await run(plant);
    try {
      const { code, fleet } = await diagnosed();
      expect(fleet.map((finding) => [finding.cause, finding.agent])).toEqual([[cause, agent]]);
      expect(code).toBe(1);
    } finally {
      await run(`${undo}\nuntil /opt/tseeder-agent/bin/health agent-vm-1; do sleep 0.5; done`);
    }
  },
);

test("doctor finds nothing when all faults are gone", async () => {
  await until("a healthy fleet", 60, async () => (await diagnosed()).fleet.length === 0);
  expect((await clone.fleet(["diff"])).code).toBe(0);
});

test("graph tells how the agents are, their ports, the firewall, and that this machine alone reaches them", async () => {
  const { hosts } = JSON.parse((await clone.ok(["graph", "--json"])).stdout) as { hosts: object[] };
  expect(hosts).toMatchObject([
    {
      ...{ name: "vm-1", provider: "local", firewall: true, reason: null },
      way: { kind: "open", from: "this machine" },
      agents: AGENTS.map((name, index) => ({ name, state: "available", port: 8787 + index })),
    },
  ]);
});

test("the guide's lines make the picture and the page, as they stand there", async () => {
  const guide = shellBlocks(clone.file("docs/operations.md"), "## See it as a picture");
  for (const line of guide.join("").trim().split("\n")) await follow(clone, line);
  expect(clone.file("fleet.svg")).toMatch(/^<svg [^]*agent-vm-1[^]*agent-vm-2[^]*<\/svg>\n$/);
  expect(clone.file(".fleet/pictures/dev.html")).toContain("agent-vm-2");
});

test("plain pulumi does the same work, and its events hold no secret", async () => {
  const events = clone.path("events.json");
  await clone.setSecret("agent-fleet:secrets.CALLBACK_SIGNING_SECRET", SIGNING);
  const { output, code } = await clone.pulumi(
    ["up", "--stack", "dev", "--yes", "--event-log", events],
    // The log of events is one of Pulumi's hidden flags.
    { PULUMI_DEBUG_COMMANDS: "true" },
  );
  expect(output).toMatch(/~ 2 updated/);
  expect(code).toBe(0);
  clone.transcript += output + readFileSync(events, "utf8");
  await expectBothAvailable();
});

test("secrets are found nowhere but in env files, the agents' processes and the encrypted state", async () => {
  // The stack's own SSH key must not be seen either: a line from the middle of it stands for it.
  const { stdout: outputsWithKey } = await clone.pulumi([
    "stack",
    "output",
    "--stack",
    "dev",
    "--json",
    "--show-secrets",
  ]);
  const key =
    (JSON.parse(outputsWithKey) as { sshPrivateKey: string }).sshPrivateKey.split("\n")[3] ?? "";
  expect(key.length).toBeGreaterThan(40);
  expect(clone.transcript).not.toContain(key);
  expect(filesWith(clone.path("tmp"), [key])).toEqual([]);
  clone.transcript += (await clone.ok(["stack", "export"])).stdout;
  clone.transcript += (await clone.ok(["preview", "--json"])).output;
  // The stack's file holds them sealed; the clone has no other copy, and no temporary file is left.
  for (const secret of CANARIES) {
    expect(clone.transcript.split("\n").filter((line) => line.includes(secret))).toEqual([]);
  }
  expect(filesWith(clone.path("tmp"), CANARIES)).toEqual([]);
  expect(
    filesWith(clone.folder, CANARIES).filter((file) => !/\/(disk|rootfs)[^/]*\.qcow2$/.test(file)),
  ).toEqual([]);

  expect(await filesHolding(vm, CANARIES)).toEqual(
    AGENTS.map((name) => `/etc/tseeder-agent/${name}.env`),
  );
  const journal = await wholeJournal(vm);
  expect(CANARIES.filter((secret) => journal.includes(secret))).toEqual([]);
});

test("agents come back by themselves after a reboot of the VM", async () => {
  const boot = await vm("cat /proc/sys/kernel/random/boot_id");
  // A moment later, so that the answer to this still comes through.
  await vm("systemd-run --quiet --on-active=1 systemctl reboot");
  await until("another boot", 300, async () => {
    const args = ["exec", "vm-1", "--", "cat /proc/sys/kernel/random/boot_id"];
    const { code, stdout } = await clone.fleet(args);
    return code === 0 && !stdout.includes(boot);
  });
  for (const { url } of Object.values((await outputs()).agents)) {
    await until(`${url} available`, 240, () => isAvailable(url));
  }
});

test("status tells of a VM that hangs within its deadline", async () => {
  const { process: qemu } = JSON.parse(clone.file(".fleet/vms/dev-vm-1/vm.json")) as {
    process: { pid: number };
  };
  process.kill(qemu.pid, "SIGSTOP");
  try {
    const { code, stdout, seconds } = await clone.fleet(["status"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^agent-vm-1 +vm-1 +unreachable$/m);
    expect(stdout).toMatch(/^vm-1: /m);
    // 10 s for the host, the rest for the engine on a busy machine.
    expect(seconds).toBeLessThan(30);
  } finally {
    process.kill(qemu.pid, "SIGCONT");
  }
});

test("a VM that has died shows in the plan with its agents, and the next up starts it and ends when they answer", async () => {
  const record = JSON.parse(clone.file(".fleet/vms/dev-vm-1/vm.json")) as {
    process: { pid: number };
  };
  process.kill(record.process.pid, "SIGKILL");
  await until("QEMU gone", 10, () => findProcess(record.process.pid) === undefined);
  const { output: plan } = await clone.ok(["preview"]);
  const changes = [...plan.matchAll(/^ ~ +\S+ (\S+) update\b/gm)].map(([, name]) => name);
  expect(changes.sort()).toEqual([
    ...AGENTS.map((name) => `${name}@vm-1-activation`),
    "vm-1-machine",
  ]);
  await clone.ok(["up"]);
  await expectBothAvailable();
  expect((await clone.ok(["up"])).output).toContain("nothing had to be changed");
});

test("destroy leaves no VM, disk, forward or process", async () => {
  const { agents, hosts } = await outputs();
  const { process: qemu } = JSON.parse(clone.file(".fleet/vms/dev-vm-1/vm.json")) as {
    process: { pid: number };
  };
  await clone.ok(["destroy", "--yes"]);
  expect(existsSync(join(clone.folder, ".fleet/vms/dev-vm-1"))).toBe(false);
  expect(findProcess(qemu.pid)).toBeUndefined();
  const ports = [
    ...Object.values(agents).map(({ url }) => Number(new URL(url).port)),
    ...Object.values(hosts).map(({ port }) => port),
  ];
  expect(await Promise.all(ports.map(isOpen))).toEqual(ports.map(() => false));
});

async function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => {
      done(false);
    });
  });
}
