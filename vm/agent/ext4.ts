/** Reads an ext4 file system in a file, without mounting it, by debugfs of e2fsprogs. */
import { spawnSync } from "node:child_process";
import { basename, dirname } from "node:path";
import { toolEnv } from "../run";

export interface Entry {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
  /** Permissions, such as 0o644. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** 0 of folders. */
  readonly size: number;
}

const kinds: Readonly<Record<number, Entry["kind"]>> = {
  0o10: "file",
  0o04: "folder",
  0o12: "link",
};

export class Ext4 {
  readonly #folders = new Map<string, Entry[]>();

  constructor(readonly file: string) {}

  /** What e2fsck finds wrong; undefined where nothing is. */
  fault(): string | undefined {
    const { status, stdout, stderr } = tool("e2fsck", ["-f", "-n", this.file]);
    if (status === 0) return undefined;
    // Its version and its phases are no faults.
    const words = `${stdout}\n${stderr}`
      .split("\n")
      .filter((line) => !/^(e2fsck \d|Pass \d|$)/.test(line));
    return words[0] ?? `e2fsck ends with ${String(status)}`;
  }

  /** What is in a folder; nothing where there is none. Links on the way are followed. */
  folder(path: string): readonly Entry[] {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const lines = this.#ask(`ls -p "${path}"`).split("\n");
    const entries = lines.flatMap((line) => entryIn(line) ?? []);
    this.#folders.set(path, entries);
    return entries;
  }

  /** A file, a folder or a link itself, not what it leads to. */
  entry(path: string): Entry | undefined {
    return this.folder(dirname(path)).find(({ name }) => name === basename(path));
  }

  /** A file's content; undefined where it is no file. */
  text(path: string): string | undefined {
    return this.entry(path)?.kind === "file" ? this.#ask(`cat "${path}"`) : undefined;
  }

  #ask(command: string): string {
    return tool("debugfs", ["-R", command, this.file]).stdout;
  }
}

/** `/131/100644/0/0/passwd/1024/`: inode, mode, owner, group, name, size. */
function entryIn(line: string): Entry | undefined {
  const [, inode, mode = "", uid, gid, name = "", size] = line.split("/");
  if (inode === undefined || inode === "0" || name === "." || name === ".." || name === "") {
    return undefined;
  }
  const bits = parseInt(mode, 8);
  const kind = kinds[bits >> 12] ?? "other";
  return {
    name,
    kind,
    mode: bits & 0o7777,
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
  };
}

function tool(program: string, args: readonly string[]) {
  const result = spawnSync(program, args, {
    encoding: "utf8",
    env: toolEnv,
    maxBuffer: 2 ** 26,
  });
  if (result.error) {
    throw new Error(`${program} cannot be run (${result.error.message}); install e2fsprogs`);
  }
  return result;
}
