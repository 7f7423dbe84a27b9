import { chosen } from "../chosen";
import { withConnections } from "../connect";
import { askDrift, renderDrift } from "../drift";
import type { Context } from "../context";
import { engineFor } from "../pulumi";
import { print } from "../say";
import { readStackFile } from "../stack-file";

/** Shows how hosts differ from what was deployed. Exit code 0 if nothing does and every host was asked, else 1. */
export async function run(context: Context): Promise<number> {
  const { stack, options } = context;
  const engine = await engineFor(readStackFile(stack));
  const drift = await withConnections(engine, stack, (connections) =>
    askDrift(chosen(connections, context)),
  );
  const text = renderDrift(drift);
  if (options["json"] === true) print(JSON.stringify(drift, null, 2));
  else print(text === "" ? `stack ${stack}: ${wholeOrPart(context)} as deployed` : text);
  return text === "" ? 0 : 1;
}

function wholeOrPart({ args, options }: Context): string {
  const isWhole = args.length === 0 && options["host"] === undefined;
  return isWhole ? "all hosts are" : "what was looked at is";
}
