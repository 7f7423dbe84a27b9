/** Takes out of an ext4 disk what differs from one making to the next: its UUIDs and all times of the making. */
import { rmSync, writeFileSync } from "node:fs";
import { run } from "../run";

/** @param epoch - seconds since 1970 that stand for the time of the making */
export async function settle(disk: string, uuid: string, epoch: number): Promise<void> {
  const env = { E2FSPROGS_FAKE_TIME: String(epoch) };
  // Before tune2fs, which writes the copies of the superblock too.
  await change(disk, env, [
    `set_super_value hash_seed ${uuid}`,
    `set_super_value mkfs_time @${String(epoch)}`,
    `set_super_value lastcheck @${String(epoch)}`,
  ]);
  // The journal keeps the UUID that it was made with.
  await run("tune2fs", ["-O", "^has_journal", disk], { env });
  await run("tune2fs", ["-U", uuid, disk], { env });
  await run("tune2fs", ["-j", disk], { env });
  const inodes = usedInodes(await run("dumpe2fs", [disk]));
  await change(
    disk,
    env,
    inodes.flatMap((inode) => timesOf(inode, epoch)),
  );
}

/** By commands of debugfs. */
async function change(
  disk: string,
  env: Readonly<Record<string, string>>,
  commands: readonly string[],
): Promise<void> {
  const script = `${disk}.settle`;
  writeFileSync(script, `${commands.join("\n")}\n`);
  try {
    // It prints each command.
    const stdio = ["ignore", "ignore", "pipe"] as const;
    await run("debugfs", ["-w", "-f", script, disk], { env, stdio: [...stdio] });
  } finally {
    rmSync(script);
  }
}

/** Up to this number inodes are the file system's own: the root folder, the journal, lost+found. */
const LAST_OWN_INODE = 11;

/** A file's time of change in content is the package's, and stays. */
function timesOf(inode: number, epoch: number): string[] {
  const fields = ["atime", "ctime", "crtime", ...(inode <= LAST_OWN_INODE ? ["mtime"] : [])];
  return fields.map((field) => `set_inode_field <${String(inode)}> ${field} @${String(epoch)}`);
}

/** The inodes in use, from what dumpe2fs tells. */
export function usedInodes(dump: string): number[] {
  const count = Number(/^Inode count: +(\d+)$/m.exec(dump)?.[1] ?? 0);
  const free = new Set<number>();
  for (const [, ranges = ""] of dump.matchAll(/^ {2}Free inodes: (.+)$/gm)) {
    for (const range of ranges.split(", ")) {
      const [first = 0, last = first] = range.split("-").map(Number);
      for (let inode = first; inode <= last; inode += 1) free.add(inode);
    }
  }
  return Array.from({ length: count }, (_, index) => index + 1).filter((inode) => !free.has(inode));
}
