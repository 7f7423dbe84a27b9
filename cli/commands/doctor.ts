import { places } from "../../toolchain/places";
import { stackExists } from "../backend";
import { chosen } from "../chosen";
import { withConnections } from "../connect";
import type { Context } from "../context";
import { renderFindings } from "../doctor/findings";
import type { Finding } from "../doctor/findings";
import { askFleet } from "../doctor/fleet";
import { machineFindings, renderMachine } from "../doctor/machine";
import { engineFor } from "../pulumi";
import { print } from "../say";
import { readStackFile } from "../stack-file";

/**
 * Looks at this machine and, of a stack that was brought up, at its hosts; changes nothing. Exit code 1 if something
 * is missing here or wrong there.
 */
export async function run(context: Context): Promise<number> {
  const { stack, args, options } = context;
  const machine = await machineFindings();
  const asJson = options["json"] === true;
  if (!asJson) print(renderMachine(machine));
  const isChoice = args.length > 0 || options["host"] !== undefined;
  const fleet = isChoice || (await isUp(stack)) ? await lookAt(context) : undefined;
  if (asJson) print(JSON.stringify({ machine, fleet: fleet?.findings ?? null }, null, 2));
  else if (fleet !== undefined) print(`\n${render(stack, fleet)}`);
  const isWell = machine.every(({ state }) => state !== "missing");
  return isWell && (fleet?.findings ?? []).length === 0 ? 0 : 1;
}

/** Of another backend than a folder only Pulumi knows: it is asked where it is there, and not installed for a look. */
async function isUp(stack: string): Promise<boolean> {
  const own = places().backend["PULUMI_BACKEND_URL"];
  const exists = stackExists(own ?? process.env["PULUMI_BACKEND_URL"], stack);
  if (exists !== undefined) return exists;
  const { inspectEngine } = await import("../../toolchain/engine");
  return inspectEngine().cli !== undefined;
}

interface Looked {
  readonly agents: readonly string[];
  readonly findings: readonly Finding[];
}

async function lookAt(context: Context): Promise<Looked> {
  const engine = await engineFor(readStackFile(context.stack));
  return await withConnections(engine, context.stack, async (connections) => {
    const agents = Object.keys(chosen(connections, context).outputs.agents);
    return { agents, findings: await askFleet(connections, agents) };
  });
}

function render(stack: string, { agents, findings }: Looked): string {
  if (agents.length === 0) return `stack ${stack} has no agents`;
  return findings.length === 0
    ? `stack ${stack}: nothing is wrong with ${agents.join(", ")}`
    : renderFindings(findings);
}
