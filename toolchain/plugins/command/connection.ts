/** The SSH connection of a remote resource: dialling, retries, host key pin, bastion. */
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, utils } from "ssh2";
import type { AuthHandlerMiddleware, ConnectConfig, ParsedKey } from "ssh2";
import type { Fields } from "../fields";
import { cause, hostPort } from "../go-text";
import type { Call } from "../serve";
import type { Properties } from "../wire";

const END_FIELDS: Fields = {
  host: { type: "string", required: true },
  port: { type: "number", default: 22 },
  user: { type: "string", default: "root" },
  password: { type: "string" },
  privateKey: { type: "string" },
  privateKeyPassword: { type: "string" },
  hostKey: { type: "string" },
  agentSocketPath: { type: "string" },
  dialErrorLimit: { type: "number", default: 10 },
  perDialTimeout: { type: "number", default: 15 },
};

export const CONNECTION_FIELD = {
  type: "any",
  required: true,
  secret: true,
  fields: { ...END_FIELDS, proxy: { type: "any", fields: END_FIELDS } },
} as const satisfies Fields[string];

/** One end of a connection; how to get in, and how long to try. */
interface End {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  readonly hostKey?: string;
  readonly agentSocketPath?: string;
  /** Dials after which it gives up, -1 for never. @default 10 */
  readonly dialErrorLimit?: number;
  /** Seconds for one TCP connection; 0 for no limit. The handshake has no limit. @default 15 */
  readonly perDialTimeout?: number;
}
interface Connection extends End {
  readonly proxy?: End;
}

/** An authenticated client. Errors hold the official plugin's texts; no key or password. */
export async function dial(inputs: Properties, call: Call): Promise<Client> {
  const target = inputs["connection"] as unknown as Connection;
  const config = await prepare(target);
  if (target.proxy === undefined) {
    return retrying("Dial", target, call, async () =>
      handshake(await openSocket(target, call), config, call),
    );
  }
  const { proxy } = target;
  try {
    const bastionConfig = await prepare(proxy);
    const bastion = await retrying("Dial proxy", proxy, call, async () =>
      handshake(await openSocket(proxy, call), bastionConfig, call),
    );
    const channel = await retrying("Dial from proxy", target, call, () => forward(bastion, target));
    return await retrying("Dial", target, call, () => handshake(channel, config, call));
  } catch (error) {
    throw new Error(`proxy: ${(error as Error).message}`, { cause: error });
  }
}

/** Retries with growing pauses: 0.1 s, then 1.5 times the last one, at most 5 s. */
async function retrying<T>(what: string, end: End, call: Call, dialOnce: () => Promise<T>) {
  const limit = end.dialErrorLimit ?? 10;
  let pause = 100;
  for (let dials = 1; ; dials++) {
    try {
      return await dialOnce();
    } catch (error) {
      if (limit > -1 && dials > limit) {
        throw new Error(
          `after ${(dials - 1).toString()} failed attempts: ${(error as Error).message}`,
          { cause: error },
        );
      }
    }
    const of = limit === -1 ? "inf" : limit.toString();
    call.log("info", `${what} ${dials.toString()}/${of} failed: retrying`, true);
    await sleep(pause, undefined, { signal: call.signal }).catch(() => {
      throw call.signal.reason;
    });
    pause = Math.min(pause * 1.5, 5000);
  }
}

function openSocket(end: End, call: Call): Promise<Socket> {
  const port = end.port ?? 22;
  const address = hostPort(end.host, port);
  const seconds = end.perDialTimeout ?? 15;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: end.host, port });
    const fail = (text: string) => {
      clearTimeout(timer);
      call.signal.removeEventListener("abort", aborted);
      socket.destroy();
      reject(new Error(text));
    };
    const aborted = () => {
      fail("operation was canceled");
    };
    const timer =
      seconds > 0
        ? setTimeout(() => {
            fail(`dial tcp ${address}: i/o timeout`);
          }, seconds * 1000)
        : undefined;
    call.signal.addEventListener("abort", aborted);
    socket.once("error", (error: NodeJS.ErrnoException) => {
      fail(
        error.code === "ENOTFOUND" || error.code === "EAI_AGAIN"
          ? `dial tcp: lookup ${end.host}: no such host`
          : `dial tcp ${address}: ${cause(error)}`,
      );
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      call.signal.removeEventListener("abort", aborted);
      socket.removeAllListeners("error");
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

function forward(bastion: Client, target: End): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    bastion.forwardOut("127.0.0.1", 0, target.host, target.port ?? 22, (error, channel) => {
      if (error === undefined) {
        resolve(channel);
      } else {
        reject(new Error(`ssh: rejected: connect failed (${error.message})`));
      }
    });
  });
}

type Method = Exclude<Parameters<Parameters<AuthHandlerMiddleware>[2]>[0], false | string>;

interface Prepared {
  readonly user: string;
  readonly methods: readonly Method[];
  readonly pin: ParsedKey | undefined;
}

/** Reads keys before the first dial: a wrong one is a mistake, not a reason to try again. */
async function prepare(end: End): Promise<Prepared> {
  const user = end.user ?? "root";
  const methods: Method[] = [];
  if (end.privateKey !== undefined) {
    methods.push({ type: "publickey", username: user, key: readKey(end) });
  }
  const { password } = end;
  if (password !== undefined) {
    methods.push({ type: "password", username: user, password });
    methods.push({
      type: "keyboard-interactive",
      username: user,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        finish(prompts.map(() => password));
      },
    });
  }
  const agent = end.agentSocketPath ?? process.env["SSH_AUTH_SOCK"] ?? "";
  if (agent !== "") {
    await reachable(agent);
    // With a private key the agent is not asked: publickey is tried once.
    if (end.privateKey === undefined) {
      methods.push({ type: "agent", username: user, agent });
    }
  }
  const pin = end.hostKey === undefined ? undefined : readPin(end.hostKey);
  return { user, methods, pin };
}

function readKey(end: End): ParsedKey {
  const key = parseKey(end.privateKey ?? "", end.privateKeyPassword);
  if (!(key instanceof Error)) {
    return key;
  }
  throw new Error(
    /encrypted|passphrase/i.test(key.message) && end.privateKeyPassword === undefined
      ? "ssh: this private key is passphrase protected"
      : "ssh: no key found",
  );
}

/** A line of authorized_keys: type and base64, with or without a comment. */
function readPin(line: string): ParsedKey {
  const key = parseKey(line.trim());
  if (key instanceof Error) {
    throw new Error("failed to parse host key: ssh: no key found");
  }
  return key;
}

function parseKey(text: string, password?: string): ParsedKey | Error {
  // Its types leave out that a file can hold several keys.
  const parsed = utils.parseKey(text, password) as ParsedKey | ParsedKey[] | Error;
  return Array.isArray(parsed) ? (parsed[0] ?? new Error("no key")) : parsed;
}

function reachable(agent: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(agent);
    socket.once("error", (error) => {
      reject(new Error(`dial unix ${agent}: connect: ${cause(error)}`));
    });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}

/** The host key is compared before anything about the user is sent. */
function handshake(socket: Duplex, { user, methods, pin }: Prepared, call: Call): Promise<Client> {
  if (socket.destroyed) {
    // A second try on the bastion's channel, as the official plugin makes it; it cannot succeed.
    return Promise.reject(new Error("ssh: handshake failed: EOF"));
  }
  const attempted: string[] = [];
  let mismatch = false;
  const pinned = pin?.getPublicSSH();
  const config: ConnectConfig = {
    sock: socket,
    username: user,
    readyTimeout: 0,
    keepaliveInterval: 0,
    ...(pin === undefined ? {} : { algorithms: { serverHostKey: [pin.type] } }),
    hostVerifier: (key: Buffer) => {
      mismatch = pinned !== undefined && !pinned.equals(key);
      return !mismatch;
    },
    authHandler: nextMethod(user, methods, attempted),
  };
  return new Promise((resolve, reject) => {
    const client = new Client();
    const fail = (text: string) => {
      call.signal.removeEventListener("abort", aborted);
      socket.destroy();
      reject(new Error(`ssh: handshake failed: ${text}`));
    };
    const aborted = () => {
      fail("operation was canceled");
    };
    call.signal.addEventListener("abort", aborted);
    client.on("error", (error) => {
      fail(mismatch ? "ssh: host key mismatch" : handshakeText(error, attempted, pin));
    });
    client.on("close", () => {
      fail("EOF");
    });
    client.on("ready", () => {
      call.signal.removeEventListener("abort", aborted);
      client.removeAllListeners("close");
      resolve(client);
    });
    client.connect(config);
  });
}

/** "none" first, then each configured method that the server takes, each name once. */
function nextMethod(
  user: string,
  methods: readonly Method[],
  attempted: string[],
): AuthHandlerMiddleware {
  return (left, _partial, next) => {
    // The types say that `left` is always a list; before the first answer there is none.
    const allowed = left as string[] | null;
    if (allowed === null) {
      attempted.push("none");
      next({ type: "none", username: user });
      return;
    }
    const method = methods.find(({ type }) => {
      const name = type === "agent" ? "publickey" : type;
      return allowed.includes(name) && !attempted.includes(name);
    });
    if (method === undefined) {
      // The types leave out that false ends the list.
      (next as unknown as (end: false) => void)(false);
      return;
    }
    attempted.push(method.type === "agent" ? "publickey" : method.type);
    next(method);
  };
}

function handshakeText(error: Error, attempted: string[], pin: ParsedKey | undefined): string {
  if ((error as { level?: string }).level === "client-authentication") {
    return (
      `ssh: unable to authenticate, attempted methods [${attempted.join(" ")}], ` +
      "no supported methods remain"
    );
  }
  if (error.message.includes("no matching host key format")) {
    return `ssh: no common algorithm for host key; we offered: [${pin?.type ?? ""}]`;
  }
  return error.message === "Connection lost before handshake" ? "EOF" : cause(error);
}
