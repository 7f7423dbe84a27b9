/** Whether a runtime or a release in an image is as its listing has it, which a host compares before an agent runs. */
import { basename, dirname, join } from "node:path";
import type { Entry, Ext4 } from "./ext4";

/** What `find -printf %y` calls them. */
const letters: Readonly<Record<Entry["kind"], string>> = {
  file: "f",
  folder: "d",
  link: "l",
  other: "?",
};

/** What is not as assets/scripts/bin/lib-record.sh listed it, by path; times are not compared. */
export function treeChanges(image: Ext4, folder: string): string[] {
  const listing = image.text(join(dirname(folder), `.listing-${basename(folder)}`));
  if (listing === undefined) return ["it has no listing"];
  const was = new Map(listing.split("\n").filter(Boolean).map(listedAs));
  const is = treeOf(image, folder);
  // Both are in the order of their file systems.
  const paths = [...new Set([...was.keys(), ...is.keys()])].sort();
  return paths.flatMap((path) => {
    if (!is.has(path)) return [`missing ${path}`];
    if (!was.has(path)) return [`added ${path}`];
    return is.get(path) === was.get(path) ? [] : [`modified ${path}`];
  });
}

/** `src/index.ts<TAB>f 644 0 0 812 1767225600.0 `: kind, mode, owner, group, size, time, and where a link leads. */
function listedAs(line: string): [path: string, as: string] {
  const [path = "", facts = ""] = line.split("\t");
  const [kind = "", mode = "", uid, gid, size] = facts.split(" ");
  return [path, summary(kind, mode, Number(uid), Number(gid), Number(size))];
}

/** Everything below the folder. */
function treeOf(image: Ext4, folder: string, prefix = ""): Map<string, string> {
  const tree = new Map<string, string>();
  for (const { name, kind, mode, uid, gid, size } of image.folder(join(folder, prefix))) {
    const path = join(prefix, name);
    tree.set(path, summary(letters[kind], mode.toString(8), uid, gid, size));
    if (kind !== "folder") continue;
    for (const [below, as] of treeOf(image, folder, path)) tree.set(below, as);
  }
  return tree;
}

/** A folder's size is its file system's. */
function summary(kind: string, mode: string, uid: number, gid: number, size: number): string {
  return [kind, mode, uid, gid, ...(kind === "d" ? [] : [size])].join(" ");
}
