import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import {
  isHeld,
  pendingOperations,
  readLocks,
  stackExists,
  storedOutputs,
} from "../../cli/backend";
import type { Lock } from "../../cli/backend";
import { heldBy, isSafeToRepeat } from "../../cli/recover";
import { until } from "../e2e/support/wait";

let folder: string;
let url: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cli-backend-"));
  url = `file://${folder}`;
  for (const part of ["stacks/agent-fleet", "locks/organization/agent-fleet/dev"]) {
    mkdirSync(join(folder, ".pulumi", part), { recursive: true });
  }
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function lock(changes: Partial<Lock> = {}): Lock {
  return {
    pid: process.pid,
    username: "ops",
    hostname: hostname(),
    timestamp: "2026-01-02T03:04:05.678Z",
    ...changes,
  };
}

/** Process id, name and state of a process first: `42 (pulumi) Z`, where it has ended and waits to be reaped. */
function statOf(pid: number): string {
  return readFileSync(`/proc/${String(pid)}/stat`, "utf8");
}

function store(latest: object): void {
  const file = join(folder, ".pulumi/stacks/agent-fleet/dev.json");
  writeFileSync(file, JSON.stringify({ version: 3, checkpoint: { latest } }));
}

test("a stack is there when its file is, and other backends cannot be seen", () => {
  expect(stackExists(url, "dev")).toBe(false);
  store({});
  expect(stackExists(url, "dev")).toBe(true);
  expect(stackExists("https://api.pulumi.com", "dev")).toBeUndefined();
  expect(stackExists(undefined, "dev")).toBeUndefined();
});

test("locks of this stack alone are read", () => {
  expect(readLocks(url, "dev")).toEqual([]);
  const held = lock();
  writeFileSync(
    join(folder, ".pulumi/locks/organization/agent-fleet/dev/id.json"),
    JSON.stringify(held),
  );
  expect(readLocks(url, "dev")).toEqual([held]);
  expect(readLocks(url, "prod")).toEqual([]);
});

describe("a lock", () => {
  test("is free when its process is gone", async () => {
    const child = spawn("true");
    await new Promise((resolve) => child.on("exit", resolve));
    expect(isHeld(lock({ pid: child.pid ?? 0 }))).toBe(false);
  });

  test("is free when its process id belongs to another program now", () => {
    expect(isHeld(lock())).toBe(false);
  });

  test("is held while a pulumi of that id runs", async () => {
    copyFileSync("/bin/sleep", join(folder, "pulumi"));
    const child = spawn(join(folder, "pulumi"), ["60"]);
    await new Promise((resolve) => child.on("spawn", resolve));
    expect(isHeld(lock({ pid: child.pid ?? 0 }))).toBe(true);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.on("exit", resolve));
  });

  test("is free when its pulumi has ended, but nobody has reaped it yet", async () => {
    copyFileSync("/bin/sleep", join(folder, "pulumi"));
    const parent = spawn("sh", ["-c", '"$0" 60 & echo $!; exec sleep 60', join(folder, "pulumi")]);
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once("data", (chunk: Buffer) => {
        resolve(Number(String(chunk)));
      });
    });
    await until("the child", 20, () => statOf(pid).includes("(pulumi)"));
    // The shell would ask for its children; what it becomes never does.
    await until("the shell's end", 20, () => statOf(parent.pid ?? 0).includes("(sleep)"));
    process.kill(pid, "SIGKILL");
    await until("its remains", 20, () => statOf(pid).startsWith(`${String(pid)} (pulumi) Z`));
    expect(isHeld(lock({ pid }))).toBe(false);
    parent.kill("SIGKILL");
    await new Promise((resolve) => parent.on("exit", resolve));
  });

  test("of another machine counts as held", () => {
    expect(isHeld(lock({ hostname: "elsewhere" }))).toBe(true);
  });

  test("is told with its holder and how to let go", () => {
    expect(heldBy("dev", lock({ pid: 7, hostname: "desk" }))).toBe(
      [
        "stack dev is in use by ops@desk (pid 7) since 2026-01-02T03:04:05",
        "  wait for that run to end; if you know that it is gone, let go of the stack with:",
        "  ./fleet cancel --yes -s dev",
      ].join("\n"),
    );
  });
});

test("pending operations and outputs come from the state file", () => {
  expect(pendingOperations(url, "dev")).toEqual([]);
  expect(storedOutputs(url, "dev")).toBeUndefined();
  store({
    resources: [
      { type: "tls:index/privateKey:PrivateKey", outputs: { no: 1 } },
      { type: "pulumi:pulumi:Stack", outputs: { agents: {} } },
    ],
    pending_operations: [
      { type: "creating", resource: { urn: "urn:a::b", type: "command:remote:Command" } },
    ],
  });
  expect(storedOutputs(url, "dev")).toEqual({ agents: {} });
  expect(pendingOperations(url, "dev")).toEqual([
    { type: "creating", urn: "urn:a::b", resourceType: "command:remote:Command" },
  ]);
});

test.each([
  ["command:remote:Command", true],
  ["command:local:Command", true],
  ["tls:index/privateKey:PrivateKey", true],
  ["hcloud:index/server:Server", false],
])("being cut off while making a %s: safe to repeat is %s", (resourceType, safe) => {
  expect(isSafeToRepeat({ type: "creating", urn: "", resourceType })).toBe(safe);
});
