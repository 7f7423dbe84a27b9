/**
 * The first contact with a VM, as `up` runs it here: the machine as JSON on stdin, progress and errors on stderr.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { say, tell } from "../vm/answer";
import { firstContact } from "./first-contact";

const machine = z.strictObject({
  name: z.string(),
  address: z.string(),
  port: z.int(),
  user: z.string(),
  privateKey: z.string(),
  plantedKey: z.string(),
  ownKey: z.strictObject({ privateKey: z.string(), publicKey: z.string() }),
});

const PATIENCE = { reach: 1200, certain: 60, pause: 1 };

async function main(): Promise<object> {
  const script = readFileSync(join(__dirname, "../assets/scripts/host-key"), "utf8");
  await firstContact(machine.parse(JSON.parse(await text(process.stdin))), script, say, PATIENCE);
  return {};
}

tell(main());
