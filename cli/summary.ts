import type { Done } from "./events";
import type { AgentOutput, Drained, Outputs } from "./outputs";
import { DEFAULT_STACK } from "./project";
import { table } from "./table";

/**
 * What `up` ends with: the agents, how to reach the first of them, and what a person does next.
 *
 * @param done what this `up` has made or changed
 */
export function summary(outputs: Outputs, stack: string, done: Done = new Map()): string {
  const agents = Object.entries(outputs.agents);
  const [first] = agents.flatMap(([, { url = "", healthCheck }]) =>
    // A line that lacks a header would be answered 401.
    url === "" || healthCheck === undefined || healthCheck.headers !== undefined
      ? []
      : [{ url, healthCheck }],
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
  const waited = tellDrain(activation);
  if (!activation.restarted) return waited === "" ? "" : `stopped ${waited}`;
  // Nobody has asked one without a URL: what is known is when it was ready again.
  const gap =
    url === undefined
      ? `ready after ${seconds(activation.gapSeconds)}`
      : `${seconds(activation.gapSeconds)} without an answer`;
  return `restarted, ${gap}${waited === "" ? "" : `, ${waited}`}`;
}

/** `after 12.0 s of drain, 2 left (cap)`; empty where nobody was waited for. */
export function tellDrain({ drain, drainedSeconds, jobsLeft }: Drained): string {
  if (drain === "none") return "";
  const cut = drain === "idle" || jobsLeft === null ? "" : `, ${String(jobsLeft)} left (${drain})`;
  return `after ${seconds(drainedSeconds)} of drain${cut}`;
}

/** `2.1 s` */
export function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

/** A line to paste: the secret goes from Pulumi to curl's stdin and is seen neither on screen nor in `ps`. */
export function curl(
  { url, healthCheck }: Required<Pick<AgentOutput, "url" | "healthCheck">>,
  stack: string,
): string {
  const { path, secret, user } = healthCheck;
  if (secret === undefined) return `curl -sS ${url}${path}`;
  const get = `./fleet config get${stackOption(stack)} --path 'agent-fleet:${secret}'`;
  return user === undefined
    ? `${get} | sed 's/^/Authorization: Bearer /' | curl -sS -H @- ${url}${path}`
    : `${get} | sed 's/["\\\\]/\\\\&/g; s/.*/user = "${user}:&"/' | curl -sS -K - ${url}${path}`;
}

/** ` -s name`, nothing for the default stack. */
export function stackOption(stack: string): string {
  return stack === DEFAULT_STACK ? "" : ` -s ${stack}`;
}
