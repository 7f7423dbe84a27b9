import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { ADDRESS, ADDRESS_EXPECTED } from "../../stacks/address";
import type { Context } from "../context";
import { numberOption } from "../number-option";
import { Failure, print } from "../say";

const SECONDS = 10;

/** Shows the host key that a machine answers with, to be compared there, and the lines to paste. Trusts nothing by itself. */
export async function run({ args, options }: Context): Promise<number> {
  const [address = ""] = args;
  if (!ADDRESS.test(address)) {
    throw new Failure(`scan: got "${address}", expected ${ADDRESS_EXPECTED} (--port 2222)`);
  }
  const port = String(numberOption("--port", options["port"] ?? "22", { from: 1, to: 65_535 }));
  const key = keyIn(await keyscan(address, port));
  if (key === undefined) {
    throw new Failure(
      `scan: ${address} port ${port} does not answer with an ed25519 host key within ${String(SECONDS)} s; ` +
        "is it on, is this its SSH port, and does a firewall let this machine in?",
    );
  }
  print(
    options["json"] === true
      ? JSON.stringify({ address, port: Number(port), hostKey: key, fingerprint: fingerprint(key) })
      : told(address, port, key),
  );
  return 0;
}

/** The key of an ssh-keyscan, without the address. */
export function keyIn(output: string): string | undefined {
  return /^\S+ (ssh-ed25519 [A-Za-z0-9+/=]+)$/m.exec(output)?.[1];
}

/** As ssh-keygen shows it. */
export function fingerprint(key: string): string {
  const bytes = Buffer.from(key.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(bytes).digest("base64").replace(/=+$/, "")}`;
}

function told(address: string, port: string, key: string): string {
  const isUsual = port === "22";
  return [
    `${address}${isUsual ? "" : ` port ${port}`} answers with the host key ${fingerprint(key)}`,
    "",
    "Whoever sits between you and it could answer so. Compare it on the machine itself, by its console:",
    "  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    "",
    "If they are equal, paste into the host's part of the stack file:",
    `  address: ${address}`,
    `  hostKey: ${key}`,
    ...(isUsual ? [] : [`  ssh: { port: ${port} }`]),
    "or make a stack of it:",
    `  ./fleet init NAME --provider ssh --address ${address}${isUsual ? "" : ` --port ${port}`} --host-key "${key}"`,
  ].join("\n");
}

async function keyscan(address: string, port: string): Promise<string> {
  const options = ["-t", "ed25519", "-T", String(SECONDS), "-p", port];
  const child = spawn("ssh-keyscan", [...options, address], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  return await new Promise((resolve, reject) => {
    child.on("error", ({ message }) => {
      reject(new Failure(`scan: ssh-keyscan cannot be run: ${message}; install OpenSSH's client`));
    });
    child.on("close", () => {
      resolve(output);
    });
  });
}
