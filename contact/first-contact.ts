/**
 * The first contact with a VM that the stack has made:
 *   1. waits until it answers with the key planted by cloud-init, or with its own;
 *   2. sends it its own, which never was in user data;
 *   3. confirms by a new connection that it answers with that one alone.
 * A run that was cut off anywhere can be done again. Keys are in memory only.
 */
import type { Client } from "ssh2";
import { quote } from "../components/remote/quote";
import { logIn, seeHostKey, type Machine } from "./log-in";
import { Unreached } from "./unreached";

export interface NewMachine extends Machine {
  readonly name: string;
  /** `ssh-ed25519 AAAA…` from its user data. */
  readonly plantedKey: string;
  /** The one that it is to have. */
  readonly ownKey: { readonly privateKey: string; readonly publicKey: string };
}

/** Seconds. */
export interface Patience {
  /** Until it is reached. */
  readonly reach: number;
  /** For what more waiting hardly changes: sshd may be up before cloud-init has come to it. */
  readonly certain: number;
  readonly pause: number;
}

/** The script's own limit, on the machine. */
const SCRIPT_SECONDS = 60;

/** @param script text of assets/scripts/host-key */
export async function firstContact(
  machine: NewMachine,
  script: string,
  say: (line: string) => void,
  patience: Patience,
): Promise<void> {
  const { name, plantedKey, ownKey } = machine;
  const wait = { name, say, patience };
  await retried(wait, async () => {
    const client = await logIn(machine, [plantedKey, ownKey.publicKey]);
    await replaceKey(client, machine, script);
  });
  await retried(wait, async () => {
    await seeHostKey(machine, ownKey.publicKey).catch(sayOldKey(plantedKey));
  });
}

function sayOldKey(plantedKey: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof Unreached && error.detail === plantedKey
      ? new Unreached("old key", error.at)
      : error;
  };
}

interface Wait {
  readonly name: string;
  readonly say: (line: string) => void;
  readonly patience: Patience;
}

/** Tries until it goes, the time is over, or what is in the way stays there. Says a reason that lasts. */
async function retried({ name, say, patience }: Wait, attempt: () => Promise<void>): Promise<void> {
  const begun = Date.now();
  let last: { readonly why: string; readonly since: number; said: boolean } | undefined;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!(error instanceof Unreached)) throw error;
      const { why, message, remedy, certain } = error;
      if (why !== last?.why) {
        last = { why, since: Date.now(), said: false };
      } else if (!last.said) {
        last.said = true;
        say(`${name}: ${message}`);
      }
      const [from, limit] = certain ? [last.since, patience.certain] : [begun, patience.reach];
      if (Date.now() - from >= limit * 1000) {
        const waited = Math.round((Date.now() - begun) / 1000);
        throw new Error(`${name}: given up after ${String(waited)} s: ${message}\n  ${remedy}`);
      }
      await new Promise((done) => setTimeout(done, patience.pause * 1000));
    }
  }
}

async function replaceKey(client: Client, machine: NewMachine, script: string): Promise<void> {
  const { name, user, address, port, ownKey } = machine;
  const sudo = user === "root" ? "" : "sudo -n ";
  const line = `${sudo}timeout -k 10 ${String(SCRIPT_SECONDS)} sh -c ${quote(script)} host-key`;
  const { code, stderr } = await run(client, line, ownKey.privateKey);
  if (code === undefined) throw new Unreached("lost", `${address} port ${String(port)}`);
  if (code !== 0) {
    throw new Error(
      `${name}: could not take its own host key (exit code ${String(code)}): ${stderr.trim()}`,
    );
  }
}

/** Runs one command and closes the connection. No code: the connection ended first. */
async function run(
  client: Client,
  line: string,
  stdin: string,
): Promise<{ code: number | undefined; stderr: string }> {
  return new Promise((resolve, reject) => {
    let code: number | undefined;
    let stderr = "";
    const end = (): void => {
      clearTimeout(deadline);
      client.destroy();
      resolve({ code, stderr });
    };
    const deadline = setTimeout(end, (SCRIPT_SECONDS + 30) * 1000);
    client.removeAllListeners("error").on("error", end).once("close", end);
    client.exec(line, (error, channel) => {
      if (error !== undefined) {
        clearTimeout(deadline);
        client.destroy();
        reject(error);
        return;
      }
      channel.on("exit", (status: number | null) => (code = status ?? undefined));
      channel.on("close", end).resume();
      channel.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      channel.end(stdin);
    });
  });
}
