import { deploy } from "../deployment";
import { prepare } from "./up";
import type { Context } from "../main";

/** Shows what `up` would do. */
export async function run({ stack }: Context): Promise<number> {
  const engine = await prepare(stack);
  return (await deploy(engine, ["preview", "--stack", stack])).code;
}
