import type { Outputs } from "./outputs";
import { DEFAULT_STACK } from "./project";
import { table } from "./table";

/** What `up` ends with: the agents, how to reach the first of them, and what a person does next. */
export function summary(outputs: Outputs, stack: string): string {
  const agents = Object.entries(outputs.agents);
  const [first] = agents.filter(([, { url }]) => url !== "");
  const host = agents[0]?.[1].host ?? Object.keys(outputs.hosts)[0];
  const option = stackOption(stack);
  if (agents.length === 0) return `stack ${stack} has no agents`;
  const rows = agents.map(([name, agent]) => [name, agent.host, agent.health, agent.url]);
  const lines = [table(["agent", "host", "state", "url"], rows), ""];
  if (first !== undefined) lines.push("reach an agent:", `  ${curl(first[1].url, stack)}`, "");
  lines.push(
    "next:",
    `  ./fleet status${option}`,
    ...(host === undefined ? [] : [`  ./fleet ssh${option} ${host}`]),
    `  ./fleet destroy${option}`,
  );
  return lines.join("\n");
}

/** A line to paste: the token goes from Pulumi to curl's stdin and is seen neither on screen nor in `ps`. */
export function curl(url: string, stack: string): string {
  const get = `./fleet config get${stackOption(stack)} --path 'agent-fleet:secrets.WORKER_CLUSTER_TOKEN'`;
  return `${get} | sed 's/^/Authorization: Bearer /' | curl -sS -H @- ${url}/health`;
}

/** ` -s name`, nothing for the default stack. */
export function stackOption(stack: string): string {
  return stack === DEFAULT_STACK ? "" : ` -s ${stack}`;
}
