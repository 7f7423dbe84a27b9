import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProcess } from "../vm/process";
import { PROJECT_NAME } from "./project";

/**
 * A look at Pulumi's file backend without starting Pulumi, which costs half a second each time.
 * Every function says "unknown" (undefined) for another backend.
 */
export interface Lock {
  readonly pid: number;
  readonly username: string;
  readonly hostname: string;
  readonly timestamp: string;
}

/** The folder of a `file://` backend. */
export function backendFolder(url: string | undefined): string | undefined {
  if (url === undefined || !url.startsWith("file:///")) return undefined;
  return join(fileURLToPath(url.split("?")[0] ?? url), ".pulumi");
}

/** Whether the stack exists; undefined if that cannot be seen from here. */
export function stackExists(url: string | undefined, stack: string): boolean | undefined {
  const folder = backendFolder(url);
  return folder === undefined
    ? undefined
    : ["json", "json.gz"].some((end) =>
        existsSync(join(folder, "stacks", PROJECT_NAME, `${stack}.${end}`)),
      );
}

/** Who holds the stack; empty if nobody does or it cannot be seen from here. */
export function readLocks(url: string | undefined, stack: string): Lock[] {
  const folder = backendFolder(url);
  if (folder === undefined) return [];
  const locks = join(folder, "locks", "organization", PROJECT_NAME, stack);
  if (!existsSync(locks)) return [];
  return readdirSync(locks)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      try {
        return [JSON.parse(readFileSync(join(locks, file), "utf8")) as Lock];
      } catch {
        return []; // released between the two calls
      }
    });
}

/** Whether the process that made the lock still runs; locks of other machines count as held. */
export function isHeld(lock: Lock): boolean {
  if (lock.hostname !== hostname()) return true;
  // One that was killed, but is not yet reaped by its parent, holds nothing any more.
  if (findProcess(lock.pid) === undefined) return false;
  // Process ids are used again: where it can be seen, it must be a Pulumi.
  const name = `/proc/${String(lock.pid)}/comm`;
  return !existsSync(name) || readFileSync(name, "utf8").startsWith("pulumi");
}

export interface PendingOperation {
  readonly type: string;
  readonly urn: string;
  readonly resourceType: string;
}

/** A resource as Pulumi stores it; secret values stay encrypted. */
export interface StoredResource {
  readonly urn: string;
  readonly type: string;
  readonly parent?: string;
  readonly dependencies?: readonly string[];
  readonly propertyDependencies?: Readonly<Record<string, readonly string[] | null>>;
  readonly deletedWith?: string;
  readonly protect?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: unknown;
}

interface Checkpoint {
  readonly checkpoint?: {
    readonly latest?: {
      readonly resources?: readonly StoredResource[];
      readonly pending_operations?: readonly {
        readonly type: string;
        readonly resource: { readonly urn: string; readonly type: string };
      }[];
    };
  };
}

function readCheckpoint(url: string | undefined, stack: string): Checkpoint | undefined {
  const folder = backendFolder(url);
  if (folder === undefined) return undefined;
  const file = join(folder, "stacks", PROJECT_NAME, `${stack}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Checkpoint) : undefined;
}

/** Operations that an earlier run began and nobody saw the end of. */
export function pendingOperations(url: string | undefined, stack: string): PendingOperation[] {
  const operations = readCheckpoint(url, stack)?.checkpoint?.latest?.pending_operations ?? [];
  return operations.map(({ type, resource }) => ({
    type,
    urn: resource.urn,
    resourceType: resource.type,
  }));
}

/** The stack's outputs as last stored (secret ones stay encrypted); undefined if they cannot be seen from here. */
export function storedOutputs(url: string | undefined, stack: string): unknown {
  const resources = readCheckpoint(url, stack)?.checkpoint?.latest?.resources ?? [];
  return resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs;
}

/** All resources in the order in which they were made; undefined if they cannot be seen from here. */
export function storedResources(
  url: string | undefined,
  stack: string,
): readonly StoredResource[] | undefined {
  const latest = readCheckpoint(url, stack)?.checkpoint?.latest;
  return latest === undefined ? undefined : (latest.resources ?? []);
}
