/** What is wrong in a fleet: facts of hosts, seen through the table of causes. */
import { agentsOn, serviceOf } from "../ask";
import type { Answer } from "../ask";
import type { Outputs } from "../outputs";
import { AGENT_CAUSES, HOST_CAUSES, LAST_RESORTS, NOT_INSTALLED, NOT_REACHED } from "./causes";
import type { Cause } from "./causes";
import type { AgentLine, Facts } from "./facts";

export interface Finding {
  readonly host: string;
  /** @default - it concerns the whole host */
  readonly agent?: string;
  readonly cause: string;
  readonly found: string;
  readonly expected: string;
  readonly fix: string;
}

/**
 * @param wanted agents to look at
 * @param answer why there may be no facts
 */
export function findingsOf(
  outputs: Outputs,
  host: string,
  wanted: readonly string[],
  facts: Facts,
  answer: Pick<Answer, "reason">,
): Finding[] {
  const agents = agentsOn(outputs, host).filter(([agent]) => wanted.includes(agent));
  const where = { host, service: agents[0] === undefined ? "" : serviceOf(agents[0][1]) };
  if (facts.host === undefined) {
    return explain(where, [NOT_REACHED], answer.reason ?? "nothing that doctor understands");
  }
  return [
    ...explain(where, HOST_CAUSES, facts.host),
    ...agents.flatMap(([agent, output]) =>
      findingsOfAgent({ host, agent, service: serviceOf(output) }, facts.agents.get(agent)),
    ),
  ];
}

interface Where {
  readonly host: string;
  readonly agent?: string;
  readonly service: string;
}

function findingsOfAgent(where: Where, line: AgentLine | undefined): Finding[] {
  if (line === undefined) return explain(where, [NOT_INSTALLED], undefined);
  if ("disabled" in line || "busy" in line) return [];
  const causes = explain(where, AGENT_CAUSES, line);
  return causes.length > 0 ? causes : explain(where, LAST_RESORTS, line).slice(0, 1);
}

function explain<Seen>(where: Where, causes: readonly Cause<Seen>[], seen: Seen): Finding[] {
  const { host, agent, service } = where;
  const fill = (text: string): string =>
    text
      .replaceAll("<host>", host)
      .replaceAll("<agent>", agent ?? "")
      .replaceAll("<service>", service);
  return causes.flatMap(({ name, found, expected, fix }) => {
    const text = found(seen);
    if (text === undefined) return [];
    const finding = { cause: name, found: text, expected: fill(expected), fix: fill(fix) };
    return [{ host, ...(agent === undefined ? {} : { agent }), ...finding }];
  });
}

/** Two lines each: where, what was found and what should be; then what to do. */
export function renderFindings(findings: readonly Finding[]): string {
  return findings
    .map(({ host, agent, cause, found, expected, fix }) => {
      const where = agent === undefined ? host : `${agent} on ${host}`;
      return `${where}: ${cause}: found ${found}; expected ${expected}\n  ${fix}`.replaceAll(
        "`",
        "",
      );
    })
    .join("\n");
}
