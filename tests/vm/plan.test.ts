import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MachinePlan, planMachine } from "../../vm/plan";
import { findProcess } from "../../vm/process";
import { type VmRecord, writeRecord } from "../../vm/record";

let dir: string;
const servers: Server[] = [];
const cache = process.env["AGENT_FLEET_CACHE"];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fleet-vm-plan-"));
  process.env["AGENT_FLEET_CACHE"] = join(dir, "cache");
});
afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
  rmSync(dir, { recursive: true });
  if (cache === undefined) delete process.env["AGENT_FLEET_CACHE"];
  else process.env["AGENT_FLEET_CACHE"] = cache;
});

/** Takes a free port of this machine, or the one given. */
async function listen(port = 0): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

const record: VmRecord = {
  machine: "m-1",
  instanceId: "i-1",
  image: "debian-12",
  cpus: 1,
  memoryMiB: 512,
  diskGiB: 4,
  boot: 3,
  accel: "tcg",
  sshPort: 22_222,
  forwards: {},
  process: null,
};
const running = () => ({ ...record, process: findProcess(process.pid) ?? null });

test("a new VM gets an identity of its own, the first boot and free ports", async () => {
  const taken = await listen();
  const plan = await planMachine(dir, [taken]);
  expect(plan.boot).toBe(1);
  expect(plan.forwards[String(taken)]).toBeGreaterThan(taken);
  expect((await planMachine(dir, [])).machine).not.toBe(plan.machine);
});

test("a running VM keeps identity, boot and ports, though its own forwards hold them", async () => {
  const port = await listen();
  writeRecord(dir, { ...running(), sshPort: port, forwards: { "8787": port } });
  expect(await planMachine(dir, [8787])).toEqual({
    machine: "m-1",
    boot: 3,
    sshPort: port,
    forwards: { "8787": port },
  });
});

test("a VM that died keeps its identity, is due for another boot, and gives up a port that others took", async () => {
  const port = await listen();
  writeRecord(dir, { ...record, forwards: { "8787": port } });
  const plan = await planMachine(dir, [8787]);
  expect(plan).toMatchObject({ machine: "m-1", boot: 4 });
  expect(plan.forwards["8787"]).toBeGreaterThan(port);
});

const portsOf = (plan: MachinePlan) => [plan.sshPort, ...Object.values(plan.forwards)];

test("no port is given twice, neither within a VM nor to VMs that are planned at once", async () => {
  const port = await listen();
  servers.splice(0).forEach((server) => server.close());
  const plans = await Promise.all(
    ["one", "two", "three"].map((name) => planMachine(join(dir, name), [port, port + 1])),
  );
  const all = plans.flatMap(portsOf);
  expect(new Set(all).size).toBe(9);
});

test("a port stays chosen for a VM that has not started, while the run lives that chose it", async () => {
  const port = await listen();
  servers.splice(0).forEach((server) => server.close());
  const plan = `
    const { planMachine } = require("./vm/plan");
    planMachine(${JSON.stringify(join(dir, "one"))}, [${String(port)}]).then((plan) => {
      process.stdout.write(JSON.stringify(plan));
      setInterval(() => undefined, 1000);
    });`;
  const other = spawn("node", ["--require", "./toolchain/transpile.cjs", "-e", plan], {
    cwd: join(__dirname, "../.."),
    env: process.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(other, "exit");
  try {
    const [said] = (await once(other.stdout, "data")) as [Buffer];
    const theirs = JSON.parse(said.toString()) as MachinePlan;
    expect(theirs.forwards[String(port)]).toBe(port);
    const ours = await planMachine(join(dir, "two"), [port]);
    expect(portsOf(theirs)).not.toContain(ours.sshPort);
    expect(portsOf(theirs)).not.toContain(ours.forwards[String(port)]);
  } finally {
    other.kill();
    await gone;
  }
  expect((await planMachine(join(dir, "two"), [port])).forwards[String(port)]).toBe(port);
});

test("planned again before it starts, a VM keeps its ports", async () => {
  const { sshPort, forwards } = await planMachine(dir, [8787, 8788]);
  expect(await planMachine(dir, [8787, 8788])).toMatchObject({ sshPort, forwards });
});
