/**
 * Free ports of this machine's loopback. Between the choice and the VM that holds it, a port is claimed for the VM's
 * folder, as long as the process lives that chose it: two runs that start at once do not choose the same.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { cacheFolder } from "./cache";
import { writeWhole } from "./files";
import { withLock } from "./lock";
import { findProcess, isAlive, type ProcessRef } from "./process";

interface Claim {
  readonly port: number;
  /** The VM's folder. */
  readonly dir: string;
  readonly by: ProcessRef;
}

/** Claims the first free port from the one given on. @throws Error where none is left */
export type ClaimPort = (from: number) => Promise<number>;

/** Runs `work`, which claims ports for the VM in `dir`, while no other process claims any. */
export async function claimPorts<T>(
  dir: string,
  work: (claim: ClaimPort) => Promise<T>,
): Promise<T> {
  const folder = cacheFolder("ports");
  const file = join(folder, "claims.json");
  return withLock(join(folder, "lock"), ignore, async () => {
    // What another run chose for the same VM is history: that VM gets its ports anew.
    const claims = read(file).filter((claim) => claim.dir !== dir && isAlive(claim.by));
    const by = findProcess(process.pid);
    const result = await work(async (from) => {
      for (let port = from; port < 65_536; port += 1) {
        if (claims.every((claim) => claim.port !== port) && (await isFree(port))) {
          if (by) claims.push({ port, dir, by });
          return port;
        }
      }
      throw new Error(`no free port from ${String(from)} on 127.0.0.1`);
    });
    writeWhole(file, JSON.stringify(claims));
    return result;
  });
}

const ignore = (): void => undefined;

function read(file: string): Claim[] {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Claim[];
  } catch {
    return [];
  }
}

/** Whether nothing listens on this port of 127.0.0.1. */
export async function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => {
      done(false);
    });
    server.listen(port, "127.0.0.1", () => {
      server.close(() => {
        done(true);
      });
    });
  });
}
