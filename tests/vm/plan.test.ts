import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planMachine } from "../../vm/plan";
import { findProcess } from "../../vm/process";
import { type VmRecord, writeRecord } from "../../vm/record";

let dir: string;
const servers: Server[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fleet-vm-plan-"));
});
afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
  rmSync(dir, { recursive: true });
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

test("no port is given twice, neither within a VM nor to two VMs of one run", async () => {
  const port = await listen();
  servers.splice(0).forEach((server) => server.close());
  const one = await planMachine(dir, [port, port + 1]);
  const given = [one.sshPort, ...Object.values(one.forwards)];
  const other = await planMachine(join(dir, "other"), [port, port + 1], new Set(given));
  const all = [...given, other.sshPort, ...Object.values(other.forwards)];
  expect(new Set(all).size).toBe(all.length);
});
