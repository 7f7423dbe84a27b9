/** How a preview grows with the fleet: this project's program under the real engine, and no machine at all. */
import { generateKeyPairSync } from "node:crypto";
import { rounded } from "./figures";
import { largestDuring } from "./processes";
import type { Preview } from "./results";
import { BenchStack, STACK } from "./stack";

const SIZES = [10, 100, 1000];
const AGENTS_A_HOST = 4;
/** Kept for documentation (RFC 5737): nobody answers there. */
const TEST_NETS = ["192.0.2", "198.51.100", "203.0.113"];

export async function measurePreviews(
  runs: number,
  say: (line: string) => void,
): Promise<Preview[]> {
  const stack = new BenchStack();
  try {
    await stack.make();
    const previews: Preview[] = [];
    // The first run of a clone fills its caches.
    stack.hosts(fleetOf(AGENTS_A_HOST));
    await stack.clone.ok(["preview", "-s", STACK]);
    for (const agents of SIZES) {
      stack.hosts(fleetOf(agents));
      previews.push(await measure(stack, agents, runs, say));
    }
    return previews;
  } finally {
    stack.clone.remove();
  }
}

async function measure(
  { clone }: BenchStack,
  agents: number,
  runs: number,
  say: (line: string) => void,
): Promise<Preview> {
  const seconds: number[] = [];
  const peaks: { readonly role: string; readonly mib: number }[] = [];
  let resources = 0;
  for (let run = 0; run < runs; run += 1) {
    const { result, largest } = await largestDuring(() => clone.ok(["preview", "-s", STACK]));
    seconds.push(rounded(result.seconds));
    peaks.push({ role: largest.role, mib: Math.round(largest.mib) });
    resources = Number(/\+ (\d+) to create/.exec(result.stdout)?.[1] ?? 0);
    say(
      `preview of ${String(agents)} agents: ${result.seconds.toFixed(1)} s, ${largest.role} ${largest.mib.toFixed(0)} MiB`,
    );
  }
  const top = peaks.reduce((one, other) => (one.mib >= other.mib ? one : other));
  return { agents, seconds, peakMiB: peaks.map(({ mib }) => mib), largest: top.role, resources };
}

/** Hosts that exist nowhere, with four agents each. */
function fleetOf(agents: number): object {
  const hosts = Math.ceil(agents / AGENTS_A_HOST);
  return Object.fromEntries(
    Array.from({ length: hosts }, (_, host) => {
      const first = host * AGENTS_A_HOST;
      const here = Math.min(AGENTS_A_HOST, agents - first);
      const names = Array.from({ length: here }, (_, index) => [
        `agent-${String(first + index + 1)}`,
        { port: 8787 + index },
      ]);
      const address = `${TEST_NETS[Math.floor(host / 250)] ?? ""}.${String((host % 250) + 1)}`;
      const agentsHere = Object.fromEntries(names) as object;
      return [
        `vm-${String(host + 1)}`,
        { provider: "ssh", address, hostKey: madeUpHostKey(), agents: agentsHere },
      ];
    }),
  );
}

/** As ssh-keygen writes it: the type and 32 bytes, each after its length. */
function madeUpHostKey(): string {
  const { x = "" } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  const field = (content: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    return Buffer.concat([length, content]);
  };
  const type = "ssh-ed25519";
  const key = Buffer.concat([field(Buffer.from(type)), field(Buffer.from(x, "base64url"))]);
  return `${type} ${key.toString("base64")}`;
}
