import { deploy } from "../deployment";
import type { Context } from "../context";
import { runPulumi } from "../pulumi";
import { prepare } from "../prepare";

/** Shows what `up` would do. Nothing is started or installed for a VM. */
export async function run({ stack, options }: Context): Promise<number> {
  const engine = await prepare(stack);
  if (options["json"] === true) {
    return await runPulumi(engine, ["preview", "--stack", stack, "--json"]);
  }
  const diff = options["diff"] === true ? ["--diff"] : [];
  return (await deploy(engine, ["preview", "--stack", stack, ...diff])).code;
}
