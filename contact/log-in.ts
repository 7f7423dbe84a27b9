/** One attempt to log in to a machine, and what was in its way. */
import { connect, type Socket } from "node:net";
import { Client } from "ssh2";
import { Unreached } from "./unreached";

export interface Machine {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** The operator's private key. */
  readonly privateKey: string;
}

/** Seconds that one attempt waits at most. */
const CONNECT_SECONDS = 5;
/** What forwards to a machine that boots takes the connection and says nothing; a new one is then faster. */
const GREETING_SECONDS = 5;
/** A machine that boots may need long for a handshake. */
const HANDSHAKE_SECONDS = 30;

/**
 * Logs in where the machine answers with one of these ed25519 host keys (`ssh-ed25519 AAAA…`).
 * @throws Unreached
 */
export async function logIn(machine: Machine, hostKeys: readonly string[]): Promise<Client> {
  return reach(machine, hostKeys, "ready");
}

/**
 * Sees whether the machine proves that it has this host key; does not log in, which takes it as long again.
 * @throws Unreached
 */
export async function seeHostKey(machine: Machine, hostKey: string): Promise<void> {
  (await reach(machine, [hostKey], "handshake")).destroy();
}

async function reach(
  machine: Machine,
  hostKeys: readonly string[],
  until: "handshake" | "ready",
): Promise<Client> {
  const { user, privateKey } = machine;
  const at = `${machine.address} port ${String(machine.port)}`;
  const socket = await open(machine, at);
  const accepted = hostKeys.map((key) => key.split(" ")[1]);
  const client = new Client();
  let greeting: NodeJS.Timeout | undefined;
  let foreign: string | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      greeting = setTimeout(() => {
        reject(new Unreached("hangs", at));
      }, GREETING_SECONDS * 1000);
      client
        .once(until as "ready", resolve)
        .on("error", (error: Error & { level?: string }) => {
          reject(unreached(error, at, user, foreign));
        })
        .once("close", () => {
          reject(new Unreached("closed", at));
        });
      client.connect({
        sock: socket,
        username: user,
        privateKey,
        readyTimeout: HANDSHAKE_SECONDS * 1000,
        algorithms: { serverHostKey: ["ssh-ed25519"] },
        hostVerifier: (key: Buffer) => {
          const seen = key.toString("base64");
          if (accepted.includes(seen)) return true;
          foreign = `ssh-ed25519 ${seen}`;
          return false;
        },
      });
      socket.once("data", () => {
        clearTimeout(greeting);
      });
    });
    return client;
  } catch (error) {
    client.destroy();
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(greeting);
  }
}

async function open({ address, port }: Machine, at: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address);
    const fail = (why: Unreached): void => {
      socket.destroy();
      reject(why);
    };
    socket.setTimeout(CONNECT_SECONDS * 1000, () => {
      fail(new Unreached("silent", at));
    });
    socket.once("error", ({ message, code }: NodeJS.ErrnoException) => {
      fail(new Unreached(BY_CODE[code ?? ""] ?? "other", at, message));
    });
    socket.once("connect", () => {
      socket.setTimeout(0).removeAllListeners("error");
      resolve(socket);
    });
  });
}

const BY_CODE: Readonly<Record<string, Unreached["why"]>> = {
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "no route",
  ENETUNREACH: "no route",
  ETIMEDOUT: "silent",
};

/** What an error of ssh2 means. */
function unreached(
  { message, level }: Error & { level?: string },
  at: string,
  user: string,
  foreign: string | undefined,
): Unreached {
  if (foreign !== undefined) return new Unreached("other key", at, foreign);
  if (message.includes("no matching host key format")) {
    return new Unreached("other key", at, "none of type ed25519");
  }
  if (level === "client-authentication") return new Unreached("not let in", at, user);
  if (level === "client-timeout") return new Unreached("hangs", at);
  // Reset, or ended before the handshake.
  return level === "client-socket" || message.startsWith("Connection lost")
    ? new Unreached("closed", at)
    : new Unreached("other", at, message);
}
