import type { Done } from "./events";
import type { AgentOutput, Outputs } from "./outputs";
import { DEFAULT_STACK } from "./project";
import { table } from "./table";

/**
 * What `up` ends with: the agents, how to reach the first of them, and what a person does next.
 *
 * @param done what this `up` has made or changed
 */
export function summary(outputs: Outputs, stack: string, done: Done = new Map()): string {
  const agents = Object.entries(outputs.agents);
  // Only of this one the way to ask is known here; a profile may have another path, and another secret.
  const [first] = agents.flatMap(([, { url = "", unit }]) =>
    url !== "" && unit.startsWith("tseeder-agent@") ? [url] : [],
  );
  const host = agents[0]?.[1].host ?? Object.keys(outputs.hosts)[0];
  const option = stackOption(stack);
  if (agents.length === 0) return `stack ${stack} has no agents`;
  const rows = agents.map(([name, agent]) => {
    const op = done.get(`${name}@${agent.host}-activation`);
    const told = op === undefined ? [] : [op === "create" ? tellStart(agent) : tellRestart(agent)];
    return [name, agent.host, agent.health, agent.url ?? "", ...told];
  });
  const news = rows.some(([, , , , told = ""]) => told !== "") ? ["this time"] : [];
  const lines = [table(["agent", "host", "state", "url", ...news], rows), ""];
  if (first !== undefined) lines.push("reach an agent:", `  ${curl(first, stack)}`, "");
  lines.push(
    "next:",
    `  ./fleet status${option}`,
    ...(host === undefined ? [] : [`  ./fleet ssh${option} ${host}`]),
    `  ./fleet destroy${option}`,
  );
  return lines.join("\n");
}

/** `ready after 4.0 s`, for an agent that was not there before. */
function tellStart({ activation }: Pick<AgentOutput, "activation">): string {
  return activation?.restarted === true ? `ready after ${seconds(activation.gapSeconds)}` : "";
}

/** `restarted, 2.1 s without an answer, after 12 s of drain`; empty where it went on running. */
export function tellRestart({ activation, url }: Pick<AgentOutput, "activation" | "url">): string {
  if (activation === undefined) return "";
  const { restarted, gapSeconds, drain, drainedSeconds, jobsLeft } = activation;
  const cut = isIdle(drain) || jobsLeft === null ? "" : `, ${String(jobsLeft)} left (${drain})`;
  const waited = drain === "none" ? "" : `after ${seconds(drainedSeconds)} of drain${cut}`;
  if (!restarted) return waited === "" ? "" : `stopped ${waited}`;
  // Nobody has asked one without a URL: what is known is when it was ready again.
  const gap =
    url === undefined
      ? `ready after ${seconds(gapSeconds)}`
      : `${seconds(gapSeconds)} without an answer`;
  return `restarted, ${gap}${waited === "" ? "" : `, ${waited}`}`;
}

function isIdle(drain: string): boolean {
  return drain === "none" || drain === "idle";
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
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
