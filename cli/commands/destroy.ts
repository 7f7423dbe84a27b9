import { existsSync } from "node:fs";
import { join } from "node:path";
import { stackExists } from "../backend";
import type { StoredResource } from "../backend";
import { forgetPlan, forgettable, protectedBy, tell, uncleaned } from "../cleaning";
import type { Uncleaned } from "../cleaning";
import { drained } from "../drained";
import { deploy } from "../deployment";
import type { Deployment } from "../deployment";
import { byWhom } from "../by-whom";
import type { Context } from "../context";
import { parallelArgs } from "../parallel";
import { PROJECT } from "../project";
import { askPulumi, engineFor } from "../pulumi";
import type { Engine } from "../pulumi";
import { recover } from "../recover";
import { ask, canAsk, Failure, say } from "../say";
import { readResources } from "../stack";
import { readStackFile } from "../stack-file";
import type { StackFile } from "../stack-file";
import { stackOption } from "../summary";
import { endTunnels, patience } from "../tunnels";

/**
 * Removes everything that the stack made. The stack, its file and its secrets stay, unless `--remove` is given.
 * A machine that existed before and cannot be cleaned does not stop the others, and can be given up.
 */
export async function run({ stack, yes, options }: Context): Promise<number> {
  const parallel = parallelArgs(options);
  const file = readStackFile(stack);
  const engine = await engineFor(file);
  if (stackExists(engine.env["PULUMI_BACKEND_URL"], stack) === false) {
    say(`stack ${stack}: not there; nothing to destroy`);
    return 0;
  }
  await recover(engine, stack);
  const resources = await readResources(engine, stack);
  const toForget = checkBefore(resources, stack, options["forget"]);
  if (canAsk(yes)) {
    const preview = await deploy(engine, ["destroy", "--stack", stack, "--preview-only"]);
    if (preview.code !== 0) return preview.code;
    if (!(await ask(`\ndestroy stack ${stack} like this?`)))
      throw new Failure("nothing was changed");
  }
  const args = ["destroy", "--stack", stack, "--yes", "--skip-preview", "--continue-on-error"];
  const forgotten: string[] = [];
  await endTunnels(engine, stack, resources);
  const isWorthAnotherTry = patience();
  for (;;) {
    const result = await drained(engine, stack, options, () =>
      deploy(engine, [...args, ...parallel, ...byWhom("destroy")]),
    );
    if (result.code === 0) break;
    if (await isWorthAnotherTry(result.failures)) continue;
    const given = await giveUp(engine, stack, result, { toForget, yes });
    if (given.length === 0) return result.code;
    forgotten.push(...given);
  }
  const left = leftovers(file);
  for (const folder of left) say(`left over: ${folder}`);
  const but = forgotten.length === 0 ? "" : `, but for what is left on ${forgotten.join(", ")}`;
  if (options["remove"] === true) {
    await askPulumi(engine, ["stack", "rm", stack, "--yes"]);
    say(`stack ${stack}: removed, with Pulumi.${stack}.yaml${but}`);
  } else {
    say(`\nstack ${stack}: destroyed${but}; its settings stay in Pulumi.${stack}.yaml`);
  }
  return left.length === 0 ? 0 : 1;
}

/**
 * The machines that may be given up.
 * @throws Failure where something is protected, or such a machine is not one that existed before
 */
function checkBefore(
  resources: readonly StoredResource[],
  stack: string,
  forget: unknown,
): string[] {
  const guarded = protectedBy(resources, stack);
  if (guarded.length > 0) throw new Failure([...guarded, "nothing was destroyed"].join("\n"));
  const named = Array.isArray(forget) ? forget.map(String) : [];
  const known = forgettable(resources);
  const wrong = named.filter((host) => !known.includes(host));
  if (wrong.length > 0) {
    const expected =
      known.length === 0 ? "this stack has none of its hosts" : `expected ${known.join(", ")}`;
    throw new Failure(
      `--forget ${wrong.join(" ")}: only a machine that existed before the stack can be forgotten; ${expected}`,
    );
  }
  return named;
}

/** Says what is left, and lets go of the machines that the operator gives up; their names. */
async function giveUp(
  engine: Engine,
  stack: string,
  { failures }: Deployment,
  { toForget, yes }: { readonly toForget: readonly string[]; readonly yes: boolean },
): Promise<string[]> {
  const resources = await readResources(engine, stack);
  const left = uncleaned(resources, failures);
  say("");
  for (const each of left) say(tell(each));
  const given: string[] = [];
  for (const each of left) {
    if (toForget.includes(each.host) || (await isGivenUp(each, yes))) given.push(each.host);
  }
  const plan = forgetPlan(resources, given);
  if (plan.length === 0) {
    say(`destroy failed; what is gone is recorded, and destroy goes on from there`);
    for (const { host } of left.filter(({ hostFault }) => hostFault)) {
      say(`  if ${host} is gone for good, or cleaned by hand, give it up:`);
      say(`  ./fleet destroy${stackOption(stack)} --forget ${host}`);
    }
    return [];
  }
  for (const { urn, withDependents } of plan) {
    const dependents = withDependents ? ["--target-dependents"] : [];
    await askPulumi(engine, ["state", "delete", urn, ...dependents, "--yes", "--stack", stack]);
  }
  say(`${given.join(", ")}: forgotten; going on with the rest`);
  return given;
}

async function isGivenUp({ host, hostFault }: Uncleaned, yes: boolean): Promise<boolean> {
  return hostFault && canAsk(yes) && (await ask(`forget ${host} and go on without it?`));
}

/** Folders of local VMs that should be gone with the stack. */
export function leftovers({ name, hosts }: StackFile, project = PROJECT): string[] {
  return hosts
    .map((host) => join(project, ".fleet", "vms", `${name}-${host}`))
    .filter((folder) => existsSync(folder));
}
