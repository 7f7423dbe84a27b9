/** The life of a VM: one folder, one QEMU process. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { chooseAccel } from "./accel";
import { besideOf, shareWhole } from "./files";
import { fitForwards } from "./forwards";
import { sshGreets } from "./greeting";
import { ensureImage } from "./image";
import { withLock } from "./lock";
import {
  commandLine,
  findProcess,
  isAlive,
  type ProcessRef,
  signal,
  waitUntilGone,
} from "./process";
import { qemuArgs, qemuProgram, vmFiles } from "./qemu";
import { openQmp, type Qmp } from "./qmp";
import { readRecord, type VmRecord, writeRecord } from "./record";
import { run, type Say, toolEnv } from "./run";
import { seedFiles, writeSeed } from "./seed";
import { ensureTools, hostArch } from "./tools";

export { nextBoot } from "./record";

export interface VmSpec {
  readonly instanceId: string;
  readonly hostname: string;
  /** The cloud-init document. */
  readonly userData: string;
  /** A second document, as clouds add one; the first wins. @default - none */
  readonly vendorData?: string | undefined;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** May grow later, never shrink. */
  readonly diskGiB: number;
  /** Identity of this VM, as `planMachine` gave it; kept for the next plan. */
  readonly machine: string;
  /** Port on 127.0.0.1 that leads to port 22. */
  readonly sshPort: number;
  /** Port of the VM → port on 127.0.0.1 that leads to it. */
  readonly forwards: Readonly<Record<string, number>>;
  readonly image: string;
  /** See nextBoot. */
  readonly boot: number;
}

export interface StartedVm {
  readonly sshPort: number;
  /** Port in the VM → port on 127.0.0.1. */
  readonly forwards: Readonly<Record<string, number>>;
  readonly accel: "kvm" | "hvf" | "tcg";
}

/** How long the VM may take to shut down before it is switched off. */
const shutdownSeconds = 60;

/**
 * Makes the VM if it is not there, starts it if it does not run, and fits its forwards, size and disk to `spec`.
 * A VM that has run before is waited for until its SSH server greets; the first boot is not. A second call with the same
 * spec changes nothing.
 * @throws Error with QEMU's own words if it does not run, or when SSH is silent for 600 s
 */
export async function start(dir: string, spec: VmSpec, say: Say): Promise<StartedVm> {
  mkdirSync(dirname(dir), { recursive: true });
  const again = readRecord(dir)?.sshPort != null;
  const vm = await startLocked(dir, spec, say);
  if (again) await waitForSsh(dir, vm.sshPort);
  return vm;
}

async function startLocked(dir: string, spec: VmSpec, say: Say): Promise<StartedVm> {
  return withLock(`${dir}.lock`, say, async () => {
    const vm = basename(dir);
    const record = await prepareFolder(dir, spec, say);
    let running = findRunning(dir, record);
    if (running && needsRestart(record, spec)) {
      say(`${vm}: restarting it for its new size`);
      await shutDown(dir, running);
      running = undefined;
    }
    const size = running ? {} : await fitDisk(dir, record, spec);
    const ready: VmRecord = { ...record, ...size, boot: spec.boot };
    if (!running) await writeSeedIfNew(dir, spec);
    const launched = running ? { process: running } : await launch(dir, spec, ready, say);
    const started: VmRecord = { ...ready, ...launched };
    writeRecord(dir, started);
    return connectForwards(dir, spec, started);
  });
}

/** Ends the process, removes disk and folder. Nothing there is no error. */
export async function destroy(dir: string, say: Say): Promise<void> {
  mkdirSync(dirname(dir), { recursive: true });
  await withLock(`${dir}.lock`, say, async () => {
    if (!existsSync(dir)) return;
    const running = findRunning(dir, readRecord(dir));
    if (running) await switchOff(dir, running);
    refuseForeign(dir);
    rmSync(dir, { recursive: true, force: true });
  });
}

export interface VmStatus extends Partial<VmRecord> {
  readonly running: boolean;
}

export function status(dir: string): VmStatus {
  const record = readRecord(dir);
  return { running: findRunning(dir, record) !== undefined, ...record };
}

/** Completes what an interrupted start left; every file is whole or absent. */
async function prepareFolder(dir: string, spec: VmSpec, say: Say): Promise<VmRecord> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
  refuseForeign(dir);
  const found = readRecord(dir);
  const record = found ?? newRecord(spec);
  if (!found) writeRecord(dir, record);
  if (existsSync(join(dir, vmFiles.disk))) {
    if (record.image !== spec.image) {
      say(
        `${basename(dir)}: stays on ${record.image}; another image (${spec.image}) needs a new VM`,
      );
    }
    if (spec.diskGiB < record.diskGiB) {
      const [is, asked] = [String(record.diskGiB), String(spec.diskGiB)];
      say(`${basename(dir)}: the disk stays at ${is} GiB; to shrink it to ${asked} needs a new VM`);
    }
    return record;
  }
  const image = await ensureImage(spec.image, say);
  // Shared with the cache, not referred to: the VM goes on if the cache is emptied.
  shareWhole(image.disk, join(dir, vmFiles.base));
  if (image.kernel) shareWhole(image.kernel, join(dir, vmFiles.kernel));
  if (image.initrd) shareWhole(image.initrd, join(dir, vmFiles.initrd));
  const beside = besideOf(join(dir, vmFiles.disk));
  rmSync(beside, { force: true });
  const backing = ["-F", "qcow2", "-b", vmFiles.base];
  await qemuImg(dir, "create", "-q", "-f", "qcow2", ...backing, beside, `${String(spec.diskGiB)}G`);
  renameSync(beside, join(dir, vmFiles.disk));
  const made: VmRecord = { ...record, image: spec.image, diskGiB: spec.diskGiB };
  writeRecord(dir, made);
  return made;
}

function newRecord(spec: VmSpec): VmRecord {
  const { machine, instanceId, image, cpus, memoryMiB, diskGiB, boot } = spec;
  const size = { cpus, memoryMiB, diskGiB };
  const notStarted = { accel: null, sshPort: null, forwards: {}, process: null };
  return { machine, instanceId, image, ...size, boot, ...notStarted };
}

/** The VM's process: the recorded one, or one whose start was interrupted before it was recorded. */
function findRunning(dir: string, record: VmRecord | undefined): ProcessRef | undefined {
  if (record?.process && isAlive(record.process)) return record.process;
  const pid = readPid(join(dir, vmFiles.pid));
  const found = pid === undefined ? undefined : findProcess(pid);
  return found && commandLine(found.pid).includes(join(dir, vmFiles.pid)) ? found : undefined;
}

function readPid(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const pid = Number(readFileSync(path, "utf8").trim());
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

function needsRestart(record: VmRecord, spec: VmSpec): boolean {
  return (
    record.cpus !== spec.cpus ||
    record.memoryMiB !== spec.memoryMiB ||
    spec.diskGiB > record.diskGiB
  );
}

/** Grows the disk of a VM that does not run; its file system follows at the next boot. */
async function fitDisk(
  dir: string,
  record: VmRecord,
  spec: VmSpec,
): Promise<Pick<VmRecord, "cpus" | "memoryMiB" | "diskGiB">> {
  const { cpus, memoryMiB } = spec;
  if (spec.diskGiB <= record.diskGiB) return { cpus, memoryMiB, diskGiB: record.diskGiB };
  await qemuImg(dir, "resize", "-q", vmFiles.disk, `${String(spec.diskGiB)}G`);
  return { cpus, memoryMiB, diskGiB: spec.diskGiB };
}

/** The seed is read at each boot, but the machine's own first-boot work depends on the instance id alone. */
async function writeSeedIfNew(dir: string, spec: VmSpec): Promise<void> {
  const source = join(dir, "seed.json");
  const content = JSON.stringify(seedFiles(spec));
  const same = existsSync(source) && readFileSync(source, "utf8") === content;
  if (same && existsSync(join(dir, vmFiles.seed))) return;
  await writeSeed(dir, spec);
  writeFileSync(source, content, { mode: 0o600 });
}

async function launch(
  dir: string,
  spec: VmSpec,
  record: VmRecord,
  say: Say,
): Promise<Pick<VmRecord, "process" | "accel">> {
  await ensureTools(say);
  const arch = hostArch();
  const kernel = existsSync(join(dir, vmFiles.kernel));
  const accel = await chooseAccel(arch, kernel ? join(dir, vmFiles.kernel) : undefined, say);
  const console = join(dir, vmFiles.console);
  if (existsSync(console)) renameSync(console, `${console}.1`);
  writeFileSync(console, "", { mode: 0o600 });
  for (const leftover of [vmFiles.qmp, vmFiles.pid]) rmSync(join(dir, leftover), { force: true });

  const { cpus, memoryMiB } = record;
  const sandbox = process.platform === "linux";
  const size = { cpus, memoryMiB };
  const name = spec.hostname;
  const args = qemuArgs({ arch, accel, ...size, name, dir, kernel, sandbox });
  say(`${basename(dir)}: starting it (${accel}, boot ${String(spec.boot)})`);
  const started = spawnDetached(dir, qemuProgram(arch), args);
  if (!started || !(await answers(dir, started))) {
    const words = [vmFiles.log, vmFiles.console].map((file) => tail(join(dir, file))).join("");
    throw new Error(`${basename(dir)}: QEMU ended right after its start${words}`);
  }
  return { process: started, accel };
}

/**
 * In a session of its own, without a terminal, so that the VM outlives the operator's login. (QEMU's own -daemonize
 * does the same, but not under the strict system call filter.)
 */
function spawnDetached(
  dir: string,
  program: string,
  args: readonly string[],
): ProcessRef | undefined {
  const log = openSync(join(dir, vmFiles.log), "w", 0o600);
  try {
    const child = spawn(program, args, {
      cwd: dir,
      env: toolEnv,
      detached: true,
      stdio: ["ignore", log, log],
    });
    // A program that cannot be started has no pid, which is told below.
    child.on("error", () => undefined);
    child.unref();
    return child.pid === undefined ? undefined : findProcess(child.pid);
  } finally {
    closeSync(log);
  }
}

/** Waits for the control socket: QEMU has read its arguments and opened its files then. */
async function answers(dir: string, started: ProcessRef): Promise<boolean> {
  while (isAlive(started)) {
    const qmp = await openQmp(dir, vmFiles.qmp).catch(() => undefined);
    qmp?.close();
    if (qmp) return isAlive(started);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

function tail(file: string): string {
  const lines = readFileSync(file, "utf8").trim().split("\n").slice(-5).filter(Boolean);
  return lines.map((line) => `\n  ${line}`).join("");
}

async function connectForwards(dir: string, spec: VmSpec, record: VmRecord): Promise<StartedVm> {
  const { machine, sshPort, forwards } = spec;
  const wanted = new Map(Object.entries(forwards).map(([port, at]) => [Number(port), at]));
  const qmp = await openQmp(dir, vmFiles.qmp);
  try {
    await fitForwards(qmp, wanted.set(22, sshPort));
    writeRecord(dir, { ...record, machine, sshPort, forwards });
    return { sshPort, forwards, accel: record.accel ?? "tcg" };
  } finally {
    qmp.close();
  }
}

async function waitForSsh(dir: string, port: number): Promise<void> {
  const alive = (): boolean => isAlive(readRecord(dir)?.process ?? undefined);
  if (await sshGreets(port, alive)) return;
  const what = alive()
    ? `no SSH server answers on 127.0.0.1 port ${String(port)}`
    : "QEMU has ended";
  throw new Error(
    `${basename(dir)}: started again, but ${what}${tail(join(dir, vmFiles.console))}`,
  );
}

/** Asks the guest to end; switches it off when it does not in time. */
async function shutDown(dir: string, running: ProcessRef): Promise<void> {
  await withQmp(dir, (qmp) => qmp.execute("system_powerdown"));
  if (!(await waitUntilGone(running, shutdownSeconds))) await switchOff(dir, running);
}

/** At once, as pulling the plug. */
async function switchOff(dir: string, running: ProcessRef): Promise<void> {
  await withQmp(dir, (qmp) => qmp.execute("quit"));
  if (await waitUntilGone(running, 5)) return;
  signal(running, "SIGTERM");
  if (await waitUntilGone(running, 5)) return;
  signal(running, "SIGKILL");
  if (!(await waitUntilGone(running, 10))) {
    throw new Error(`${basename(dir)}: process ${String(running.pid)} does not end`);
  }
}

/** A QEMU that does not answer is ended by signals: what goes wrong here is not an error. */
async function withQmp(dir: string, work: (qmp: Qmp) => Promise<unknown>): Promise<void> {
  const qmp = await openQmp(dir, vmFiles.qmp).catch(() => undefined);
  try {
    if (qmp) await work(qmp);
  } catch {
    // It closes the socket as it ends.
  } finally {
    qmp?.close();
  }
}

/** A wrong path on the command line must not cost someone their files. */
function refuseForeign(dir: string): void {
  const found = readdirSync(dir);
  const ours: readonly string[] = ["vm.json", "vm.json.partial", ...Object.values(vmFiles)];
  if (found.length > 0 && !found.some((name) => ours.includes(name))) {
    throw new Error(`${dir} is not empty and holds no VM; name another folder`);
  }
}

async function qemuImg(dir: string, ...args: string[]): Promise<void> {
  await run("qemu-img", args, { cwd: dir });
}
