import { isHeld, pendingOperations, readLocks } from "./backend";
import type { Lock, PendingOperation } from "./backend";
import { resourceName } from "./events";
import { askPulumi } from "./pulumi";
import type { Engine } from "./pulumi";
import { Failure, say } from "./say";

/**
 * Makes way for a run after one that was killed: lets go of the stack where the holder is gone, and forgets steps that
 * were cut off where doing them again is safe. Costs two small file reads where there is nothing to do.
 *
 * @throws Failure that names the holder if the stack is in use
 */
export async function recover(engine: Engine, stack: string): Promise<void> {
  const url = engine.env["PULUMI_BACKEND_URL"];
  const locks = readLocks(url, stack);
  const held = locks.find(isHeld);
  if (held !== undefined) throw new Failure(heldBy(stack, held));
  if (locks.length > 0) {
    const pids = locks.map(({ pid }) => String(pid)).join(", ");
    say(`stack ${stack}: an earlier run (pid ${pids}) was killed; going on from where it was`);
    await askPulumi(engine, ["cancel", "--yes", "--stack", stack]);
  }
  await forgetCutOff(engine, stack, pendingOperations(url, stack));
}

export function heldBy(stack: string, lock: Lock): string {
  const holder = `${lock.username}@${lock.hostname} (pid ${String(lock.pid)})`;
  return [
    `stack ${stack} is in use by ${holder} since ${lock.timestamp.slice(0, 19)}`,
    "  wait for that run to end; if you know that it is gone, let go of the stack with:",
    `  ./fleet cancel --yes -s ${stack}`,
  ].join("\n");
}

/** Remote steps, local VMs and keys may be done again; a cloud's VM that was being made may exist, so it may not. */
export function isSafeToRepeat({ resourceType }: PendingOperation): boolean {
  return /^(command|tls|agent-fleet):/.test(resourceType);
}

async function forgetCutOff(
  engine: Engine,
  stack: string,
  operations: readonly PendingOperation[],
): Promise<void> {
  // Pulumi itself drops all others with the next run.
  const creating = operations.filter(({ type }) => type === "creating");
  if (creating.length === 0) return;
  const unsafe = creating.filter((operation) => !isSafeToRepeat(operation));
  const names = (unsafe.length > 0 ? unsafe : creating).map(({ urn }) => resourceName(urn));
  if (unsafe.length > 0) {
    say(`stack ${stack}: cut off while being made, and may exist: ${names.join(", ")}`);
    say(`  look at the provider; ./fleet refresh -s ${stack} asks what to do with each`);
    return;
  }
  say(`stack ${stack}: cut off by an earlier run, will be done again: ${names.join(", ")}`);
  // An import drops pending operations. Secrets in the export stay encrypted, and it never touches the disk.
  const state = await askPulumi(engine, ["stack", "export", "--stack", stack]);
  await askPulumi(engine, ["stack", "import", "--stack", stack], { input: state });
}
