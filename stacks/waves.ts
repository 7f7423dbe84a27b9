/** The order in which a fleet is changed: a few agents first, the rest in batches behind them. */

/** How a change goes through the fleet; see `agent-fleet:rollout`. */
export interface Rollout {
  /** Agents that go first; 0 for none. */
  readonly canary: number;
  /** Agents that go together after them: a number, or a share of the whole fleet such as `25%`. */
  readonly batch: number | string;
  /** Seconds that each changed agent after the first wave waits before it is touched. */
  readonly pauseSeconds: number;
}

/**
 * The agents in waves: first the canaries, then batch after batch, each in the given order.
 * A disabled agent is no canary: it would prove nothing. Without a rollout all are one wave.
 */
export function waves<Item extends { readonly agent: { readonly enabled: boolean } }>(
  agents: readonly Item[],
  rollout: Rollout | undefined,
): readonly (readonly Item[])[] {
  if (agents.length === 0) {
    return [];
  }
  if (rollout === undefined) {
    return [agents];
  }
  const canaries = agents.filter(({ agent }) => agent.enabled).slice(0, rollout.canary);
  const first = new Set(canaries);
  const rest = agents.filter((item) => !first.has(item));
  const size = batchSize(rollout.batch, agents.length);
  const batches = Array.from({ length: Math.ceil(rest.length / size) }, (_, index) =>
    rest.slice(index * size, (index + 1) * size),
  );
  return canaries.length === 0 ? batches : [canaries, ...batches];
}

/** A share is of the whole fleet, rounded up, so that a batch holds at least one agent. */
function batchSize(batch: number | string, agents: number): number {
  return typeof batch === "number" ? batch : Math.ceil((agents * Number.parseInt(batch, 10)) / 100);
}
