import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EventLog, resourceName, type Done } from "./events";
import { exitCode, start } from "./pulumi";
import type { Engine } from "./pulumi";
import { say } from "./say";
import { temporaryFolder } from "./temporary";

export interface Deployment {
  /** Pulumi's exit code. */
  readonly code: number;
  /** Whether anything was, or in a preview would be, created, changed or removed. */
  readonly changed: boolean;
  /** Why steps failed: URN → the engine's own words. */
  readonly failures: ReadonlyMap<string, string>;
  /** Names of the resources that were made or changed. */
  readonly done: Done;
}

/** Without a terminal, a line says after this long that work goes on; in ms. */
const SILENCE_MS = 15_000;

/**
 * Runs `pulumi up`, `preview` or `destroy` with its own display, live. Without a terminal, silence is broken by lines
 * that name the steps under way.
 */
export async function deploy(engine: Engine, args: readonly string[]): Promise<Deployment> {
  const folder = temporaryFolder("events");
  const path = join(folder, "log");
  writeFileSync(path, "", { mode: 0o600 });
  const events = new EventLog(path);
  // The event log is one of Pulumi's hidden flags.
  const env = { ...engine.env, PULUMI_DEBUG_COMMANDS: "true", PULUMI_SKIP_UPDATE_CHECK: "true" };
  const all = [...args, "--event-log", path, "--suppress-outputs", "--suppress-permalink=true"];
  try {
    const code = process.stdout.isTTY
      ? await exitCode(start(engine, all, "inherit", env))
      : await withHeartbeat(
          engine,
          [...all, "--suppress-progress", "--color", "never"],
          env,
          events,
        );
    events.read();
    const { changed, failures } = events;
    return { code, changed, failures, done: events.done };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withHeartbeat(
  engine: Engine,
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv>,
  events: EventLog,
): Promise<number> {
  const child = start(engine, args, ["ignore", "pipe", "pipe"], env);
  const begun = Date.now();
  let heard = begun;
  child.stdout?.on("data", (data: Buffer) => {
    heard = Date.now();
    process.stdout.write(data);
  });
  child.stderr?.on("data", (data: Buffer) => {
    heard = Date.now();
    process.stderr.write(data);
  });
  const timer = setInterval(() => {
    events.read();
    if (Date.now() - heard < SILENCE_MS) return;
    heard = Date.now();
    say(heartbeat(begun, events.running, heard));
  }, 1000);
  try {
    return await exitCode(child);
  } finally {
    clearInterval(timer);
  }
}

/** `  … 60 s: vm-1-vm (55 s)`. Times in ms since the epoch. */
export function heartbeat(
  begun: number,
  running: ReadonlyMap<string, number>,
  now: number,
): string {
  const seconds = (since: number): string => `${String(Math.round((now - since) / 1000))} s`;
  const steps = [...running]
    .filter(([urn]) => !urn.includes("pulumi:pulumi:Stack::"))
    .map(([urn, since]) => `${resourceName(urn)} (${seconds(since)})`);
  return `  … ${seconds(begun)}${steps.length === 0 ? "" : `: ${steps.join(", ")}`}`;
}
