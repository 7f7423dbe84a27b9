/** Runs a program to its end, showing life on long ones. */
import { type SpawnOptions, spawn } from "node:child_process";

export type Say = (line: string) => void;

/** Programs of an administrator are not on everyone's PATH. */
export const toolEnv: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
  LC_ALL: "C.UTF-8",
};

export interface RunOptions extends Pick<SpawnOptions, "cwd" | "stdio"> {
  /** Beside this program's own environment. @default - nothing */
  readonly env?: Readonly<Record<string, string>>;
  /** Gets each line of stderr as it comes. @default - lines are only kept for the error */
  readonly onLine?: (line: string) => void;
  /** @default - no limit */
  readonly timeoutSeconds?: number;
}

/** @throws Error with the program's last lines, if it cannot be started, ends with another code than 0, or takes too long */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...toolEnv, ...options.env },
    stdio: options.stdio ?? ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (options.onLine) for (const line of text.split("\n").filter(Boolean)) options.onLine(line);
  });
  const timer =
    options.timeoutSeconds === undefined
      ? undefined
      : setTimeout(() => child.kill("SIGKILL"), options.timeoutSeconds * 1000);
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      resolve(status ?? signal ?? "unknown");
    });
  }).finally(() => {
    clearTimeout(timer);
  });
  if (code === 0) return stdout;
  const last = (stderr.trim() || stdout.trim()).split("\n").slice(-8).join("\n  ");
  throw new Error(`${program} ended with ${String(code)}:\n  ${last}`);
}

/** Says each phase of a long job with the seconds since its start, and again every 10 s while one lasts. */
export function phases(
  title: string,
  say: Say,
): { next: (phase: string) => void; end: () => void } {
  const begun = Date.now();
  let current = "";
  const tell = (): void => {
    say(`${title}: ${current} (${String(Math.round((Date.now() - begun) / 1000))} s)`);
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    next(phase) {
      clearInterval(timer);
      current = phase;
      tell();
      timer = setInterval(tell, 10_000);
    },
    end() {
      clearInterval(timer);
    },
  };
}
