/** What is known about a VM, kept as vm.json in its folder. Only Node's own modules: the Pulumi program loads this. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "./files";
import { isAlive, type ProcessRef } from "./process";

export interface VmRecord {
  /** Changes when the VM is made anew. */
  readonly machine: string;
  readonly instanceId: string;
  readonly image: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  /** Number of the boot that the caller asked for last. */
  readonly boot: number;
  readonly accel: "kvm" | "hvf" | "tcg" | null;
  /** Loopback port of the VM's port 22; null before the first start. */
  readonly sshPort: number | null;
  /** Port in the VM → port on this machine's loopback. */
  readonly forwards: Readonly<Record<string, number>>;
  /** null while it has not been started, or was stopped on purpose. */
  readonly process: ProcessRef | null;
}

/** @returns undefined if there is no VM, or its record cannot be read */
export function readRecord(dir: string): VmRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, "vm.json"), "utf8")) as VmRecord;
  } catch {
    return undefined;
  }
}

export function writeRecord(dir: string, record: VmRecord): void {
  writeWhole(join(dir, "vm.json"), `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * The boot number to ask for: 1 if there is no VM, the recorded one while it runs, the one after if it died.
 * As an input of a resource it makes a dead VM show as a change. Reads two files, starts nothing.
 */
export function nextBoot(dir: string): number {
  const record = readRecord(dir);
  if (record === undefined) return 1;
  return isAlive(record.process ?? undefined) ? record.boot : record.boot + 1;
}
