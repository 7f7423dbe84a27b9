import { deploy } from "../deployment";
import type { Done } from "../events";
import type { Context } from "../main";
import { parallelArgs } from "../parallel";
import { engineFor } from "../pulumi";
import type { Engine } from "../pulumi";
import { recover } from "../recover";
import { ask, canAsk, Failure, print, say } from "../say";
import { makeSecrets } from "../secrets";
import { ensureStack, readOutputs } from "../stack";
import { faultsOf, readStackFile } from "../stack-file";
import type { StackFile } from "../stack-file";
import { stackOption, summary } from "../summary";

/** From a stack file to agents that answer: checks, installs what is missing, plans, asks, does. */
export async function run({ stack, yes, options }: Context): Promise<number> {
  const parallel = parallelArgs(options);
  const engine = await prepare(stack);
  const file = readStackFile(stack);
  await prepareLocalHosts(file);
  if (options["verify"] === true || file.verifyAlways) {
    const { verifyHosts } = await import("../verify");
    await verifyHosts(engine, stack);
  }
  if (canAsk(yes)) {
    const preview = await deploy(engine, ["preview", "--stack", stack]);
    if (preview.code !== 0) return preview.code;
    if (!preview.changed) return await finish(engine, stack, "nothing to do", new Map());
    if (!(await ask(`\nbring stack ${stack} up like this?`)))
      throw new Failure("nothing was changed");
  }
  const args = ["up", "--stack", stack, "--yes", "--skip-preview", ...parallel];
  const { code, changed, done } = await drained(engine, stack, options, () => deploy(engine, args));
  if (code !== 0) {
    const option = stackOption(stack);
    say(
      `\nup failed; what was changed until then is recorded, and up goes on from there. Look with:`,
    );
    say(`  ./fleet status${option}`);
    for (const host of readStackFile(stack).hosts) say(`  ./fleet ssh${option} ${host}`);
    return code;
  }
  return await finish(engine, stack, changed ? "done" : "nothing had to be changed", done);
}

async function finish(engine: Engine, stack: string, said: string, done: Done): Promise<number> {
  say(`\nstack ${stack}: ${said}\n`);
  print(summary(await readOutputs(engine, stack), stack, done));
  return 0;
}

/** Runs the action, where `--no-drain` is given while agents are stopped without waiting for their jobs. */
export async function drained<T>(
  engine: Engine,
  stack: string,
  options: Context["options"],
  action: () => Promise<T>,
): Promise<T> {
  if (options["drain"] !== false) return await action();
  const { withoutDrain } = await import("../no-drain");
  return await withoutDrain(engine, stack, action);
}

/** Everything before the plan. @throws Failure with all faults of the settings, before anything is installed */
export async function prepare(stack: string): Promise<Engine> {
  const file = readStackFile(stack);
  const faults = faultsOf(file);
  if (faults.length > 0) throw new Failure(faults.join("\n"));
  const engine = await engineFor(file);
  await ensureStack(engine, stack);
  await recover(engine, stack);
  if (file.ownSecrets) await makeSecrets(engine, stack, file.missingSecrets);
  return engine;
}

async function prepareLocalHosts({ localImages }: StackFile): Promise<void> {
  if (localImages.length === 0) return;
  const { prepareLocalVms } = await import("../local-vms");
  await prepareLocalVms(localImages);
}
