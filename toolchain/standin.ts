/** Builds the stand-ins: each is one Go program in a folder that says what it is. */
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { goBuild, type Say } from "./go";
import { PLUGINS, PULUMI } from "./versions";

/** Beside the program of a stand-in: says that it is one, and from which source it was built. */
const NOTE = "STAND-IN";
const MODULE = join(__dirname, "standins");

/** The source of all stand-ins as one checksum; go.sum holds the libraries'. */
export function sourceHash(): string {
  known ??= computeSourceHash();
  return known;
}

let known: string | undefined;

function computeSourceHash(): string {
  const hash = createHash("sha256");
  for (const file of ["go.ts", "standin.ts", "standins", "versions.ts"]) {
    addTo(hash, join(__dirname, file));
  }
  return hash.digest("hex");
}

function addTo(hash: ReturnType<typeof createHash>, path: string): void {
  if (!statSync(path).isDirectory()) {
    hash.update(path.slice(__dirname.length)).update(readFileSync(path));
    return;
  }
  for (const name of readdirSync(path).sort()) {
    addTo(hash, join(path, name));
  }
}

/** Whether the folder holds a stand-in, and one of the present source. */
export function standIn(folder: string): "none" | "current" | "outdated" {
  const note = join(folder, NOTE);
  if (!existsSync(note)) {
    return "none";
  }
  return readFileSync(note, "utf8").includes(sourceHash()) ? "current" : "outdated";
}

/**
 * Builds the program into `folder/<name>`, replacing the whole folder. Two runs at once do not
 * disturb each other: each builds in a folder of its own and renames it.
 */
export async function installStandIn(
  folder: string,
  name: string,
  go: string,
  say: Say,
): Promise<void> {
  const temporary = `${folder}.new-${randomBytes(6).toString("hex")}`;
  mkdirSync(temporary, { recursive: true });
  try {
    await goBuild({
      go,
      what: `the stand-in for ${name}`,
      module: MODULE,
      program: `./${name}`,
      output: join(temporary, name),
      variables: {
        "agent-fleet/toolchain/standins/internal/versions.Pulumi": PULUMI,
        "agent-fleet/toolchain/standins/internal/versions.Command": PLUGINS.command,
        "agent-fleet/toolchain/standins/internal/versions.TLS": PLUGINS.tls,
      },
      say,
    });
    writeFileSync(
      join(temporary, NOTE),
      `This is a stand-in for ${name}, written for agent-fleet and used where the official one\n` +
        "cannot be downloaded. Remove this folder to have the official one tried again.\n" +
        `source sha256:${sourceHash()}\n`,
    );
    replaceFolder(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Puts a finished folder in its place, unless a parallel run was faster: its result is as good. */
export function placeFolder(finished: string, folder: string): void {
  try {
    renameSync(finished, folder);
  } catch (error) {
    if (!existsSync(folder)) {
      throw error;
    }
  }
}

/** Puts a finished folder in place of an older one. */
function replaceFolder(finished: string, folder: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  const old = `${finished}.old`;
  try {
    renameSync(folder, old);
  } catch {
    // There is none, or a parallel run has just moved it away.
  }
  placeFolder(finished, folder);
  rmSync(old, { recursive: true, force: true });
}
