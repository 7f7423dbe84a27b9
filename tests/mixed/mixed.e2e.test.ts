/**
 * Agents of three kinds side by side on one local VM: two of tseeder, two of the real OpenCode, and the stand-in for
 * techulus with its BuildKit, which joins them and is taken out again. One story.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Clone, run } from "../e2e/support/clone";
import { forms } from "../e2e/support/secrets-search";
import { dropPackages, StandInPrograms } from "../e2e/support/stand-in-programs";
import { statusOf } from "../e2e/support/status";
import { argumentsDuring, filesHolding, wholeJournal } from "../e2e/support/traces";

const STACK = "mixed";
const TOKEN = `canary-one-time-${randomBytes(16).toString("hex")}`;
const SNAPSHOT = readFileSync(join(__dirname, "../e2e/support/snapshot.sh"), "utf8");
const tseeder = { profile: "tseeder", source: "examples/compute-agent" };
const STAYING = {
  "seed-1": tseeder,
  "seed-2": { ...tseeder, port: 8788 },
  "code-1": { profile: "opencode" },
  "code-2": { profile: "opencode", port: 4097 },
};
const UNITS =
  "tseeder-agent@seed-1 tseeder-agent@seed-2 opencode@code-1 opencode@code-2 agent-fleet-firewall";
/** What the agents that stay write themselves. */
const OWN_STATE = / \/var\/lib\/(opencode|tseeder-agent)\//;

const clone = new Clone();
const programs = new StandInPrograms();
let secrets: string;
let withToken: string;
let before: string;
let processes: string;

// Without KVM the first answer of two OpenCodes takes minutes.
jest.setTimeout(1_800_000);

beforeAll(async () => {
  await programs.listen();
  dropPackages(clone, "techulus");
  await clone.ok(["stack", "init", STACK]);
  for (const name of [
    "WORKER_CLUSTER_TOKEN",
    "CALLBACK_SIGNING_SECRET",
    "OPENCODE_SERVER_PASSWORD",
  ])
    await clone.setSecret(`agent-fleet:secrets.${name}`, randomBytes(24).toString("hex"), STACK);
  secrets = clone.file(`Pulumi.${STACK}.yaml`);
  await clone.setSecret("agent-fleet:agentSecrets.worker.TECHULUS_TOKEN", TOKEN, STACK);
  withToken = clone.file(`Pulumi.${STACK}.yaml`);
});

afterAll(async () => {
  programs.close();
  try {
    await clone.fleet(["destroy", "-s", STACK, "--yes"]);
  } finally {
    clone.remove();
  }
});

/** @param sealed - the stack file with its secrets alone @param joining - agents beside those that stay */
function stackFile(sealed: string, joining: object = {}): void {
  const agents = { ...STAYING, ...joining };
  const hosts = { "vm-1": { provider: "local", size: "2cpu-3gb-10gb", agents } };
  const config = [
    `  agent-fleet:hosts: ${JSON.stringify(hosts)}`,
    "  agent-fleet:defaults: { healthTimeoutSeconds: 1500 }",
    "  agent-fleet:purgeData: true",
  ];
  clone.write(
    `Pulumi.${STACK}.yaml`,
    sealed.replace("config:\n", `config:\n${config.join("\n")}\n`),
  );
}

const up = () => clone.ok(["up", "-s", STACK]);
const shell = (command: string, input?: string) => clone.on("vm-1", command, STACK, input);
const processIds = () =>
  shell(`for unit in ${UNITS}; do systemctl show -P MainPID,InvocationID $unit; done`);
const snapshot = async () =>
  (await shell("sh -s", SNAPSHOT)).split("\n").filter((line) => !OWN_STATE.test(line));
const available = async () =>
  (await statusOf(clone, STACK))
    .filter(({ state }) => state === "available")
    .map(({ agent }) => agent)
    .sort();

/** Files of this machine that hold one of the strings: all of the clone's, the VM's disk and the stack's state among them. */
async function filesHere(strings: readonly string[]): Promise<string[]> {
  const { code, output } = await run("grep", ["-rlaF", "--devices=skip", "-f", "-", clone.path()], {
    cwd: clone.path(),
    input: `${strings.join("\n")}\n`,
  });
  // 1: nothing was found.
  expect([0, 1]).toContain(code);
  return output.trim().split("\n").filter(Boolean);
}

test("two agents of tseeder and two of OpenCode come to one VM by one stack file", async () => {
  stackFile(secrets);
  await up();
  expect(await available()).toEqual(Object.keys(STAYING).sort());
  before = (await snapshot()).join("\n");
  processes = await processIds();
});

test("techulus joins them with its one-time token: all five are available, and no other was restarted", async () => {
  const worker = {
    profile: "techulus",
    env: { TECHULUS_URL: "https://cloud.example.com" },
    program: programs.program("techulus-agent"),
    units: { buildkitd: programs.program("buildkitd") },
    tools: { railpack: programs.program("railpack") },
  };
  stackFile(withToken, { worker });
  const seen = await argumentsDuring(shell, up);
  expect(await available()).toEqual([...Object.keys(STAYING), "worker"].sort());
  expect(await processIds()).toBe(processes);
  expect(await shell("systemctl is-active buildkitd")).toBe("active");
  expect(seen).toContain("/opt/techulus-agent/bin/activate worker");
  expect(seen).not.toContain(TOKEN);
});

test("its token is nowhere afterwards: in no file or journal of the VM, nor on this machine or in the VM's disk", async () => {
  expect(await filesHolding(shell, [TOKEN])).toEqual([]);
  expect(await wholeJournal(shell)).not.toContain(TOKEN);
  expect(clone.transcript).not.toContain(TOKEN);
  expect(await filesHere(forms(TOKEN))).toEqual([]);
  // What the VM has on its disk would be found.
  const identity = await shell("sync; cat /var/lib/techulus-agent/worker/config.json");
  const { serverId } = JSON.parse(identity) as { serverId: string };
  expect(await filesHere([serverId])).toContainEqual(expect.stringMatching(/\.qcow2$/));
});

test("taken out of the file it goes without a trace, and the four others keep their processes", async () => {
  const container = await shell("cat /var/lib/techulus-agent/worker/container");
  stackFile(secrets);
  await up();
  expect(await processIds()).toBe(processes);
  expect(await available()).toEqual(Object.keys(STAYING).sort());
  // A container outlives its agent, as KillMode=process is for.
  expect(await shell(`ps -o comm= -p ${container} && kill ${container}`)).toBe("sleep");
  expect((await snapshot()).join("\n")).toBe(before);
  expect(await shell("ls -d /run/*techulus* /run/*buildkit* /var/log/*techulus* || :")).toBe("");
});
