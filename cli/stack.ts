import { stackExists, storedOutputs, storedResources } from "./backend";
import type { StoredResource } from "./backend";
import { toOutputs } from "./outputs";
import type { Outputs } from "./outputs";
import { askPulumi } from "./pulumi";
import type { Engine } from "./pulumi";
import { say } from "./say";

/** Makes the stack in the backend if it is not there. Free where the backend is a folder and the stack exists. */
export async function ensureStack(engine: Engine, stack: string): Promise<void> {
  const exists = stackExists(engine.env["PULUMI_BACKEND_URL"], stack);
  if (exists === true) return;
  if (exists === false) {
    await askPulumi(engine, ["stack", "init", stack, "--no-select"]);
    say(`stack ${stack}: made`);
    return;
  }
  await askPulumi(engine, ["stack", "select", stack, "--create"]);
}

/** The stack's outputs as last stored. A file read where the backend is a folder and holds them in the clear. */
export async function readOutputs(engine: Engine, stack: string): Promise<Outputs> {
  const stored = storedOutputs(engine.env["PULUMI_BACKEND_URL"], stack);
  if (stored !== undefined && !isSealed(stored)) return toOutputs(stored);
  return toOutputs(JSON.parse(await secretOutputs(engine, stack)));
}

/** The stack's resources, in the order in which they were made; secret values stay encrypted. */
export async function readResources(
  engine: Engine,
  stack: string,
): Promise<readonly StoredResource[]> {
  const stored = storedResources(engine.env["PULUMI_BACKEND_URL"], stack);
  if (stored !== undefined) return stored;
  const state = JSON.parse(await askPulumi(engine, ["stack", "export", "--stack", stack])) as {
    readonly deployment: { readonly resources?: readonly StoredResource[] };
  };
  return state.deployment.resources ?? [];
}

/** All outputs as JSON, the private key too: for memory only. */
export async function secretOutputs(engine: Engine, stack: string): Promise<string> {
  return await askPulumi(engine, [
    ...["stack", "output", "--json", "--show-secrets"],
    ...["--stack", stack],
  ]);
}

// Pulumi marks a sealed value by a key of this name; a secret anywhere within an output seals all of it.
function isSealed(outputs: unknown): boolean {
  const { agents, hosts } = outputs as Readonly<Record<string, unknown>>;
  return JSON.stringify([agents, hosts]).includes('"4dabf18193072939515e22adb298388d"');
}
