import { withConnections } from "../connect";
import type { Context } from "../context";
import { engineFor, exitCode } from "../pulumi";
import { Failure } from "../say";
import { readStackFile } from "../stack-file";

/** A shell, or one command, on a host of the stack. Gives the command's exit code. */
export async function run({ stack, args }: Context): Promise<number> {
  const [host, ...command] = args;
  if (host === undefined) throw new Failure("ssh: which host? ./fleet status shows them");
  const engine = await engineFor(readStackFile(stack));
  return await withConnections(engine, stack, ({ ssh }) => exitCode(ssh(host, command)));
}
