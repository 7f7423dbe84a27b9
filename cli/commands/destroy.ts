import { existsSync } from "node:fs";
import { join } from "node:path";
import { stackExists } from "../backend";
import { deploy } from "../deployment";
import type { Context } from "../main";
import { PROJECT } from "../project";
import { askPulumi, engineFor } from "../pulumi";
import { recover } from "../recover";
import { ask, canAsk, Failure, say } from "../say";
import { readStackFile } from "../stack-file";
import type { StackFile } from "../stack-file";

/** Removes everything that the stack made. The stack, its file and its secrets stay, unless `--remove` is given. */
export async function run({ stack, yes, options }: Context): Promise<number> {
  const file = readStackFile(stack);
  const engine = await engineFor(file);
  if (stackExists(engine.env["PULUMI_BACKEND_URL"], stack) === false) {
    say(`stack ${stack}: not there; nothing to destroy`);
    return 0;
  }
  await recover(engine, stack);
  if (canAsk(yes)) {
    const preview = await deploy(engine, ["destroy", "--stack", stack, "--preview-only"]);
    if (preview.code !== 0) return preview.code;
    if (!(await ask(`\ndestroy stack ${stack} like this?`)))
      throw new Failure("nothing was changed");
  }
  const { code } = await deploy(engine, ["destroy", "--stack", stack, "--yes", "--skip-preview"]);
  if (code !== 0) {
    say(`\ndestroy failed; what is gone is recorded, and destroy goes on from there`);
    return code;
  }
  const left = leftovers(file);
  for (const folder of left) say(`left over: ${folder}`);
  if (options["remove"] === true) {
    await askPulumi(engine, ["stack", "rm", stack, "--yes"]);
    say(`stack ${stack}: removed, with Pulumi.${stack}.yaml`);
  } else {
    say(`\nstack ${stack}: destroyed; its settings stay in Pulumi.${stack}.yaml`);
  }
  return left.length === 0 ? 0 : 1;
}

/** Folders of local VMs that should be gone with the stack. */
export function leftovers({ name, hosts }: StackFile, project = PROJECT): string[] {
  return hosts
    .map((host) => join(project, ".fleet", "vms", `${name}-${host}`))
    .filter((folder) => existsSync(folder));
}
