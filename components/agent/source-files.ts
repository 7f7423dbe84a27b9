/** Which files of a source folder belong into a release. */
import { readdirSync, readlinkSync, statSync } from "node:fs";
import { join, normalize, sep } from "node:path";

export interface SourceFile {
  /** Path in the release, with slashes. */
  readonly path: string;
  readonly kind: "file" | "link";
  readonly executable: boolean;
}

/** Never part of a release: history, secrets, packages of this machine's platform, editors' leavings. */
const LEFT_OUT: readonly RegExp[] = [
  /^\.(git|hg|svn|idea|vscode|fleet|ssh|aws)$/,
  /^node_modules$/,
  // `.env.example` is documentation; every other one holds values.
  /^\.env(?!\.example$)/,
  /^\.(npmrc|netrc|yarnrc\.yml|pnpmrc)$/,
  /^(id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|key|p12|pfx|kdbx))$/,
  /^\.DS_Store$|~$|\.swp$|\.log$/,
];

export function isLeftOut(name: string): boolean {
  return LEFT_OUT.some((pattern) => pattern.test(name));
}

/**
 * The files of a release, sorted by path.
 * @throws Error on a symbolic link that leads out of the folder: on the host it would lead nowhere.
 */
export function sourceFiles(folder: string): SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (relative: string): void => {
    for (const entry of readdirSync(join(folder, relative), { withFileTypes: true })) {
      const path = relative === "" ? entry.name : `${relative}/${entry.name}`;
      if (isLeftOut(entry.name)) {
        continue;
      }
      if (entry.isDirectory()) {
        visit(path);
      } else if (entry.isSymbolicLink()) {
        checkLink(folder, path);
        files.push({ path, kind: "link", executable: false });
      } else if (entry.isFile()) {
        const executable = (statSync(join(folder, path)).mode & 0o111) !== 0;
        files.push({ path, kind: "file", executable });
      }
    }
  };
  visit("");
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function checkLink(folder: string, path: string): void {
  const target = readlinkSync(join(folder, path));
  const reached = normalize(join(path, "..", target));
  if (target.startsWith("/") || reached === ".." || reached.startsWith(`..${sep}`)) {
    throw new Error(
      `source ${folder}: the link ${path} leads to ${target}, outside the folder; copy the file or remove the link`,
    );
  }
}
