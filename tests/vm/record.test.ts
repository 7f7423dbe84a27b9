import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProcess, waitUntilGone } from "../../vm/process";
import { nextBoot, type VmRecord, writeRecord } from "../../vm/record";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fleet-vm-record-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

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

test("without a VM the next boot is the first", () => {
  expect(nextBoot(dir)).toBe(1);
  expect(nextBoot(join(dir, "not-there"))).toBe(1);
});

test("a record that cannot be read counts as no VM", () => {
  writeFileSync(join(dir, "vm.json"), '{"boot": 3');
  expect(nextBoot(dir)).toBe(1);
});

test("while the VM runs its boot stays, when it died the next one is due", async () => {
  const child = spawn("sleep", ["60"]);
  const ref = findProcess(child.pid ?? 0);
  if (!ref) throw new Error("sleep did not start");
  writeRecord(dir, { ...record, process: ref });
  expect(nextBoot(dir)).toBe(3);
  child.kill("SIGKILL");
  expect(await waitUntilGone(ref, 5)).toBe(true);
  expect(nextBoot(dir)).toBe(4);
});

test("another process that got the same pid is not taken for the VM", () => {
  writeRecord(dir, { ...record, process: { pid: process.pid, start: "an earlier one" } });
  expect(nextBoot(dir)).toBe(4);
});

test("a VM whose start was interrupted is due for another boot", () => {
  writeRecord(dir, record);
  expect(nextBoot(dir)).toBe(4);
});
