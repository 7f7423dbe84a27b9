import { chosen } from "../chosen";
import { withConnections } from "../connect";
import type { Context } from "../context";
import { control } from "../control";
import type { Verb } from "../control";
import { controlWaves } from "../control-waves";
import { parallelOf } from "../parallel";
import { engineFor } from "../pulumi";
import { Failure } from "../say";
import { readStackFile } from "../stack-file";

/** The command of that name. Exit code 1 where an agent failed. */
export function command(verb: Verb): { readonly run: (context: Context) => Promise<number> } {
  return { run: (context) => run(verb, context) };
}

async function run(verb: Verb, context: Context): Promise<number> {
  const { stack, args, options } = context;
  checkChoice(verb, context);
  const parallel = parallelOf(options);
  const file = readStackFile(stack);
  const engine = await engineFor(file);
  return await withConnections(
    engine,
    stack,
    async (connections) => {
      // One that the stack file has switched off is meant only where it is named; its host refuses to start it.
      const agents = Object.entries(chosen(connections, context).outputs.agents)
        .filter(([agent, { health }]) => health !== "disabled" || args.includes(agent))
        .map(([agent]) => agent);
      if (agents.length === 0) throw new Failure(`${verb}: stack ${stack} has no such agent`);
      return await control(connections, {
        verb,
        ...controlWaves(agents, file.text, parallel),
        drains: options["drain"] !== false,
        asJson: options["json"] === true,
      });
    },
    { staysOpen: true },
  );
}

/** A whole fleet is named as such, so that a word forgotten does not mean it. */
function checkChoice(verb: Verb, { args, options }: Context): void {
  const isAll = options["all"] === true;
  const isChoice = args.length > 0 || options["host"] !== undefined;
  if (isAll !== isChoice) return;
  const given = isAll ? "--all and a choice beside it" : "no agent";
  throw new Failure(
    `${verb}: got ${given}, expected names of agents, --host or --all; ./fleet status shows them`,
  );
}
