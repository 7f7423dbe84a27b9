import { withConnections } from "../connect";
import { askDrift, renderDrift } from "../drift";
import type { Context } from "../context";
import { engineFor } from "../pulumi";
import { print } from "../say";
import { readStackFile } from "../stack-file";

/** Shows how hosts differ from what was deployed. Exit code 0 if nothing does and every host was asked, else 1. */
export async function run({ stack, options }: Context): Promise<number> {
  const engine = await engineFor(readStackFile(stack));
  const drift = await withConnections(engine, stack, askDrift);
  const text = renderDrift(drift);
  if (options["json"] === true) print(JSON.stringify(drift, null, 2));
  else print(text === "" ? `stack ${stack}: all hosts are as deployed` : text);
  return text === "" ? 0 : 1;
}
