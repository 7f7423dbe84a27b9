import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settle, usedInodes } from "../../../vm/agent/settle";
import { toolEnv } from "../../../vm/run";

const UUID = "61676e74-666c-4565-8474-000000000001";
const EPOCH = 1_767_225_600;

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "settle-"));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

/** A disk of one file, made at some moment with UUIDs of its own; large enough for copies of its superblock. */
async function made(name: string, content: string): Promise<Buffer> {
  const root = join(base, name);
  mkdirSync(root);
  writeFileSync(join(root, "note"), content);
  utimesSync(join(root, "note"), 0, 1_700_000_000);
  const disk = join(base, `${name}.ext4`);
  execFileSync("mke2fs", ["-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", root, disk, "32M"], {
    env: { ...toolEnv, E2FSPROGS_FAKE_TIME: String(1_600_000_000 + name.charCodeAt(0) * 1000) },
  });
  await settle(disk, UUID, EPOCH);
  execFileSync("e2fsck", ["-f", "-n", disk], { env: toolEnv, stdio: "ignore" });
  return readFileSync(disk);
}

test("two disks of the same files are the same bytes, whenever they were made", async () => {
  const first = await made("a", "same");
  expect((await made("b", "same")).equals(first)).toBe(true);
  expect((await made("c", "another")).equals(first)).toBe(false);
});

test("a file keeps its time", async () => {
  await made("a", "same");
  const told = execFileSync("debugfs", ["-R", "stat /note", join(base, "a.ext4")], {
    env: { ...toolEnv, TZ: "UTC" },
    stdio: ["ignore", "pipe", "ignore"],
    encoding: "utf8",
  });
  expect(told).toMatch(/mtime: 0x6553f100/);
  expect(told).toMatch(/ctime: 0x6955b900/);
});

test("the inodes in use are those that no group has free", () => {
  const dump = [
    "Inode count:              20",
    "Group 0: (Blocks 1-8191)",
    "  Free inodes: 4-6, 9",
    "Group 1: (Blocks 8192-16383)",
    "  Free inodes: 11-20",
  ].join("\n");
  expect(usedInodes(dump)).toEqual([1, 2, 3, 7, 8, 10]);
});
