import { stackRollout } from "../stacks/stack-file";
import { waves } from "../stacks/waves";
import { STEPS } from "./parallel";

/**
 * The agents in the waves of the stack's rollout; of `--parallel` at a time where that is given, or where the stack
 * has no rollout.
 * @param text the stack file
 */
export function controlWaves(
  agents: readonly string[],
  text: string,
  parallel: number | undefined,
): { readonly waves: readonly (readonly string[])[]; readonly pauseSeconds: number } {
  const rollout = parallel === undefined ? stackRollout(text) : undefined;
  const { canary, batch, pauseSeconds } = rollout ?? {
    ...{ canary: 0, pauseSeconds: 0 },
    batch: parallel ?? STEPS,
  };
  const items = agents.map((name) => ({ name, agent: { enabled: true } }));
  return {
    waves: waves(items, { canary, batch, pauseSeconds }).map((wave) =>
      wave.map(({ name }) => name),
    ),
    pauseSeconds,
  };
}
