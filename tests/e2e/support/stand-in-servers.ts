/**
 * The servers of the stand-in for a cloud (toolchain/standins/any-cloud): each is a VM on this machine,
 * booted from exactly the user data that it was given. As in a cloud it has an address of its own, on
 * which port 22 leads to it: one of loopback's, forwarded by QEMU. That takes Linux, root, and no other
 * SSH server that listens on every address.
 *
 *   stand-in-servers create ID   inputs of the server as JSON on stdin, its address as JSON on stdout
 *   stand-in-servers delete ID
 *
 * STAND_IN_SERVERS_FOLDER holds the VMs. With STAND_IN_SERVERS_HOST_KEY, the path of a private key, a
 * server boots with that host key in place of the planted one.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { say, tell } from "../../../vm/answer";
import { destroy, start } from "../../../vm/machine";
import { planMachine } from "../../../vm/plan";
import { netdev, vmFiles } from "../../../vm/qemu";
import { openQmp } from "../../../vm/qmp";

interface Inputs {
  readonly userData: string;
}

async function create(id: string, folder: string): Promise<{ ipv4Address: string }> {
  const { userData } = JSON.parse(await text(process.stdin)) as Inputs;
  await start(
    folder,
    {
      ...(await planMachine(folder, [])),
      instanceId: id,
      hostname: `server-${id}`,
      userData: withHostKey(userData, process.env["STAND_IN_SERVERS_HOST_KEY"]),
      cpus: 2,
      memoryMiB: 1024,
      diskGiB: 10,
      image: "debian-12",
    },
    say,
  );
  const ipv4Address = addressOf(Number(id));
  const qmp = await openQmp(folder, vmFiles.qmp);
  try {
    const refusal = await qmp.human(`hostfwd_add ${netdev} tcp:${ipv4Address}:22-:22`);
    if (refusal !== "") throw new Error(`${ipv4Address}:22: ${refusal.trim()}`);
  } finally {
    qmp.close();
  }
  return { ipv4Address };
}

/** Far from 127.0.0.1, where this machine's own servers listen. */
function addressOf(id: number): string {
  const byte = (place: number, values: number) => Math.floor(id / 256 ** place) % values;
  return `127.${String(64 + byte(2, 64))}.${String(byte(1, 256))}.${String(1 + byte(0, 254))}`;
}

function withHostKey(userData: string, file: string | undefined): string {
  if (file === undefined) return userData;
  const quoted = (path: string) => JSON.stringify(readFileSync(path, "utf8"));
  return userData
    .replace(/ed25519_private: .*/, () => `ed25519_private: ${quoted(file)}`)
    .replace(/ed25519_public: .*/, () => `ed25519_public: ${quoted(`${file}.pub`)}`);
}

async function answer([verb, id = ""]: readonly string[]): Promise<unknown> {
  const folder = join(process.env["STAND_IN_SERVERS_FOLDER"] ?? "", id);
  switch (verb) {
    case "create":
      return create(id, folder);
    case "delete":
      await destroy(folder, say);
      return {};
    default:
      throw new Error(`${String(verb)}: expected create or delete`);
  }
}

tell(answer(process.argv.slice(2)));
