import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./temporary";

/** An ed25519 key pair in OpenSSH form. ssh-keygen can only write files: in a folder of ours alone, for an instant. */
export function makeKeyPair(comment: string): { privateKey: string; publicKey: string } {
  const folder = temporaryFolder("key");
  try {
    const file = join(folder, "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
    return {
      privateKey: readFileSync(file, "utf8"),
      publicKey: readFileSync(`${file}.pub`, "utf8").trim(),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
