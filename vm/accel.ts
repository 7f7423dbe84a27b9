/** Whether this machine really runs a VM in hardware. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "./cache";
import { writeWhole } from "./files";
import { bootId } from "./process";
import { type Accel, accelArgs, type Arch, qemuProgram } from "./qemu";
import { run, type Say } from "./run";

const deadlineSeconds = 5;

interface Verdict {
  readonly boot: string;
  readonly accel: Accel;
}

/**
 * kvm or hvf where a VM runs with it, else tcg (emulation, several times slower). Tried once per boot of this machine.
 * @param kernel - a kernel to try with. @default - a boot sector, which finds fewer faults
 */
export async function chooseAccel(
  arch: Arch,
  kernel: string | undefined,
  say: Say,
): Promise<Accel> {
  const file = join(cacheFolder(), "accel.json");
  const known = readVerdict(file);
  if (known?.boot === bootId()) return known.accel;
  const accel = await probe(arch, kernel, say);
  writeWhole(file, JSON.stringify({ boot: bootId(), accel } satisfies Verdict));
  return accel;
}

async function probe(arch: Arch, kernel: string | undefined, say: Say): Promise<Accel> {
  if (process.platform === "darwin") return hasHvf(arch) ? "hvf" : "tcg";
  if (!mayUse("/dev/kvm")) {
    say("no access to /dev/kvm: the VM is emulated, which is several times slower");
    return "tcg";
  }
  const failure = kernel === undefined ? await tryBootSector(arch) : await tryKernel(arch, kernel);
  if (failure === undefined) return "kvm";
  say(`KVM is here but runs no VM (${failure}): the VM is emulated, which is several times slower`);
  return "tcg";
}

/** A device that opens may still hang when the first guest enters its kernel, as under nested virtualisation. */
async function tryKernel(arch: Arch, kernel: string): Promise<string | undefined> {
  // Without a root disk the kernel panics, which ends this VM: that far is far enough.
  return attempt(arch, ["-kernel", kernel, "-append", "panic=-1 quiet"], 0);
}

async function tryBootSector(arch: Arch): Promise<string | undefined> {
  if (arch !== "amd64") return "no kernel to try it with";
  const sector = join(tmpdir(), `agent-fleet-probe-${String(process.pid)}`);
  // mov dx,0x501; mov al,0x10; out dx,al; hlt: the exit device ends QEMU with 2 * 0x10 + 1.
  const code = Buffer.from([0xba, 0x01, 0x05, 0xb0, 0x10, 0xee, 0xf4]);
  writeFileSync(sector, Buffer.concat([code, Buffer.alloc(503), Buffer.from([0x55, 0xaa])]));
  try {
    const exit = ["-device", "isa-debug-exit,iobase=0x501,iosize=1"];
    return await attempt(arch, [...exit, "-drive", `file=${sector},format=raw,if=ide`], 33);
  } finally {
    rmSync(sector, { force: true });
  }
}

/** @returns the reason why it did not run, undefined if it did */
async function attempt(
  arch: Arch,
  args: readonly string[],
  expected: number,
): Promise<string | undefined> {
  const quiet = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "256"];
  try {
    await run(qemuProgram(arch), [...accelArgs(arch, "kvm"), ...quiet, ...args], {
      timeoutSeconds: deadlineSeconds,
    });
    return expected === 0 ? undefined : "it ended before the guest's first instruction";
  } catch (error) {
    const text = String(error);
    if (text.includes(`ended with ${String(expected)}:`)) return undefined;
    if (text.includes("SIGKILL"))
      return `a test VM did not get going in ${String(deadlineSeconds)} s`;
    return text.split("\n").at(-1)?.trim() ?? text;
  }
}

function hasHvf(arch: Arch): boolean {
  const help = spawnSync(qemuProgram(arch), ["-accel", "help"], { encoding: "utf8" });
  return /\bhvf\b/.test(help.stdout);
}

function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function readVerdict(file: string): Verdict | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Verdict;
  } catch {
    return undefined;
  }
}
