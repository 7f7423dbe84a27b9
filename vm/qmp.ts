/** A client of QEMU's control socket. */
import { connect, type Socket } from "node:net";

export interface Qmp {
  /** @throws Error with QEMU's own text, or without an answer in time */
  execute: (command: string, args?: Record<string, unknown>) => Promise<unknown>;
  /** A line of the human monitor, which alone can change forwards; its text comes back, "" where all went well. */
  human: (line: string) => Promise<string>;
  close: () => void;
}

interface Message {
  readonly QMP?: unknown;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

const answerWithinMs = 10_000;

/**
 * Connects to the socket `name` in `dir`.
 * @param withinMs - how long an answer may take; writing all of a VM's memory takes longer than most
 * @throws Error if nothing answers there
 */
export async function openQmp(
  dir: string,
  name: string,
  withinMs: number = answerWithinMs,
): Promise<Qmp> {
  const socket = connectIn(dir, name);
  const messages = reader(socket, withinMs);
  await messages.next();
  const execute: Qmp["execute"] = async (command, args) => {
    socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }) })}\n`);
    const message = await messages.next();
    if (message.error) throw new Error(`${command}: ${message.error.desc}`);
    return message.return;
  };
  await execute("qmp_capabilities");
  return {
    execute,
    human: async (line) =>
      String(await execute("human-monitor-command", { "command-line": line })).trim(),
    close: () => socket.destroy(),
  };
}

/** A socket's path may have about 100 bytes, and a project may lie deep: so connect from inside the folder. */
function connectIn(dir: string, name: string): Socket {
  const before = process.cwd();
  process.chdir(dir);
  try {
    return connect(name);
  } finally {
    process.chdir(before);
  }
}

/** Greeting and answers in their order; events are passed over. */
function reader(socket: Socket, withinMs: number): { next: () => Promise<Message> } {
  const arrived: Message[] = [];
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  let text = "";
  const fail = (error: Error): void => {
    failure ??= error;
    wake?.();
  };
  socket.setEncoding("utf8");
  socket.on("error", fail);
  socket.on("close", () => {
    fail(new Error("QEMU closed its control socket"));
  });
  socket.on("data", (chunk: Buffer | string) => {
    text += String(chunk);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines.filter((one) => one.trim() !== "")) {
      const message = JSON.parse(line) as Message;
      if ("QMP" in message || "return" in message || "error" in message) arrived.push(message);
    }
    wake?.();
  });
  return {
    async next() {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const message = arrived.shift();
        if (message) return message;
        if (failure) throw failure;
        const left = deadline - Date.now();
        if (left <= 0) throw new Error("QEMU's control socket does not answer");
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
  };
}
