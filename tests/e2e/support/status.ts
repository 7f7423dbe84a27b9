import type { AgentStatus } from "../../../cli/agent-status";
import type { Clone } from "./clone";
import { until } from "./wait";

/** What status says of each agent. It gives a host 10 s, so a VM on a busy machine may be asked more than once. */
export async function statusOf(clone: Clone, stack = "dev"): Promise<readonly AgentStatus[]> {
  let told: readonly AgentStatus[] = [];
  await until("an answer of every host to status", 120, async () => {
    const { stdout } = await clone.fleet(["status", "-s", stack, "--json"]);
    told = JSON.parse(stdout) as AgentStatus[];
    return told.every(({ state }) => state !== "unreachable");
  });
  return told;
}
