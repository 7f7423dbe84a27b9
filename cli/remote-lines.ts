import { createInterface } from "node:readline";
import type { Connections } from "./connect";

export interface LinesOptions {
  /** Whether its input stays open until this program ends: so a host learns that nobody listens any more. @default false */
  readonly keepInput?: boolean;
  readonly onLine: (line: string, stream: "stdout" | "stderr") => void;
}

/**
 * Runs a command on a host without questions, and hands over each line as it comes. Gives its exit code, 255 where
 * the host was not reached, and its last complaint. Never throws for what the host does.
 */
export async function runLines(
  connections: Connections,
  host: string,
  command: string,
  { keepInput = false, onLine }: LinesOptions,
): Promise<{ readonly code: number; readonly complaint: string }> {
  const child = connections.ssh(host, [command], {
    stdio: [keepInput ? "pipe" : "ignore", "pipe", "pipe"],
    batch: true,
  });
  let complaint = "";
  const streams = (["stdout", "stderr"] as const).map(async (name) => {
    const input = child[name];
    if (input === null) return;
    for await (const line of createInterface({ input })) {
      if (name === "stderr") complaint = line;
      onLine(line, name);
    }
  });
  const code = await new Promise<number>((resolve) => {
    child.on("error", ({ message }) => {
      complaint = message;
      resolve(255);
    });
    child.on("close", (status) => {
      resolve(status ?? 255);
    });
  });
  await Promise.all(streams);
  return { code, complaint };
}
