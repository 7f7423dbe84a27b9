import { agentsOn, askHost, hostsWithAgents, rootCommand } from "../ask";
import type { Connections } from "../connect";
import { parseFacts } from "./facts";
import { findingsOf } from "./findings";
import type { Finding } from "./findings";

/** How long one host may take, in ms: a name that does not resolve costs seconds for each agent that has it. */
const DEADLINE_MS = 60_000;

/** Asks the hosts of these agents, all at once. Hosts change nothing. */
export async function askFleet(
  connections: Connections,
  wanted: readonly string[],
): Promise<Finding[]> {
  const { outputs } = connections;
  const hosts = hostsWithAgents(outputs).filter((host) =>
    agentsOn(outputs, host).some(([agent]) => wanted.includes(agent)),
  );
  const findings = hosts.map(async (host) => {
    const asked = Date.now();
    const command = rootCommand(outputs, host, "diagnose");
    const answer = await askHost(connections, host, command, DEADLINE_MS);
    const facts = parseFacts(answer.text, [asked, Date.now()]);
    return findingsOf(outputs, host, wanted, facts, answer);
  });
  return (await Promise.all(findings)).flat();
}
