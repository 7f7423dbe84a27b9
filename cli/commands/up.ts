import { byWhom } from "../by-whom";
import type { Context } from "../context";
import { deploy } from "../deployment";
import { drained } from "../drained";
import type { Done } from "../events";
import { hints } from "../hints";
import { parallelArgs } from "../parallel";
import { prepare } from "../prepare";
import type { Engine } from "../pulumi";
import { ask, canAsk, Failure, print, say } from "../say";
import { readOutputs } from "../stack";
import { readStackFile } from "../stack-file";
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
  const args = ["up", "--stack", stack, "--yes", "--skip-preview", ...parallel, ...byWhom("up")];
  const { code, changed, done, failures } = await drained(engine, stack, options, () =>
    deploy(engine, args),
  );
  if (code !== 0) {
    const option = stackOption(stack);
    for (const hint of hints(failures, file.hosts)) say(`  ${hint}`);
    say(
      `\nup failed; what was changed until then is recorded, and up goes on from there. Look with:`,
    );
    say(`  ./fleet status${option}`);
    for (const host of file.hosts) say(`  ./fleet ssh${option} ${host}`);
    const { storeUnsent } = await import("../mark");
    await storeUnsent(engine, stack, [...failures.keys()]);
    return code;
  }
  return await finish(engine, stack, changed ? "done" : "nothing had to be changed", done);
}

async function finish(engine: Engine, stack: string, said: string, done: Done): Promise<number> {
  say(`\nstack ${stack}: ${said}\n`);
  print(summary(await readOutputs(engine, stack), stack, done));
  return 0;
}

async function prepareLocalHosts({ localImages }: StackFile): Promise<void> {
  if (localImages.length === 0) return;
  const { prepareLocalVms } = await import("../local-vms");
  await prepareLocalVms(localImages);
}
