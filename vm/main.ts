/**
 * The command line of local VMs; see `usage`. Progress goes to stderr, the answer as one line of JSON to stdout.
 */
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { say, tell } from "./answer";
import { ensureImage } from "./image";
import { destroy, start, status } from "./machine";
import { defaultImage } from "./recipe";

const usage = `usage: main.ts start <dir>      make and start the VM described by JSON on stdin
       main.ts destroy <dir>    end it, remove its disk
       main.ts status <dir>
       main.ts image [<name>]   make or find the base image`;

const port = z.int().min(1).max(65_535);
const spec = z.strictObject({
  instanceId: z.string().min(1),
  hostname: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
  userData: z.string(),
  vendorData: z.string().optional(),
  cpus: z.int().min(1),
  memoryMiB: z.int().min(256),
  diskGiB: z.int().min(2),
  machine: z.string().min(1),
  sshPort: port,
  forwards: z.record(z.string().regex(/^[0-9]+$/), port),
  image: z.string(),
  boot: z.int().min(1),
});

async function answer(args: readonly string[]): Promise<unknown> {
  const [verb, operand] = args;
  if (verb === "image") return ensureImage(operand ?? defaultImage, say);
  if (operand === undefined) throw new Error(usage);
  const dir = resolve(operand);
  switch (verb) {
    case "start":
      return start(dir, spec.parse(JSON.parse(await text(process.stdin))), say);
    case "destroy":
      await destroy(dir, say);
      return {};
    case "status":
      return status(dir);
    default:
      throw new Error(usage);
  }
}

tell(answer(process.argv.slice(2)));
