import { agentsOn, asRoot, hostsWithAgents } from "../ask";
import { chosen } from "../chosen";
import { withConnections } from "../connect";
import type { Connections } from "../connect";
import type { Context } from "../context";
import { journalCommand, linesOf, parseJournalLine, sinceOf, timeOf } from "../journal";
import type { JournalLine, JournalQuery } from "../journal";
import { prefixes } from "../names";
import { engineFor } from "../pulumi";
import { runLines } from "../remote-lines";
import { print, say } from "../say";
import { readStackFile } from "../stack-file";

/** Exit code 1 where a host could not be asked. */
export async function run(context: Context): Promise<number> {
  const { stack, options } = context;
  const follow = options["follow"] === true;
  const query = {
    follow,
    lines: linesOf(options["lines"], follow ? 10 : 100),
    since: sinceOf(options["since"]),
  };
  const engine = await engineFor(readStackFile(stack));
  return await withConnections(engine, stack, async (connections) => {
    const asJson = options["json"] === true;
    return (await showLogs(chosen(connections, context), query, asJson)) ? 0 : 1;
  });
}

/**
 * The journals of the agents: in the order of time, or where they are followed as they come. Gives whether all
 * hosts have answered; says at once which has not, and why: as JSON, on stdout like the lines.
 */
export async function showLogs(
  connections: Connections,
  query: JournalQuery,
  asJson: boolean,
): Promise<boolean> {
  const names = prefixes(Object.keys(connections.outputs.agents));
  const show = (line: JournalLine): void => {
    const { agent, message } = line;
    const text = `${names.get(agent) ?? ""}${timeOf(line)} ${message}`;
    print(asJson ? JSON.stringify({ agent, time: timeOf(line), message }) : text);
  };
  const complain = (host: string, error: string): void => {
    if (asJson) print(JSON.stringify({ host, error }));
    else say(`${host}: ${error}`);
  };
  if (query.follow) return await readAll(connections, query, show, complain);
  const kept: JournalLine[] = [];
  const isWhole = await readAll(connections, query, (line) => kept.push(line), complain);
  for (const line of kept.sort((one, other) => one.time - other.time)) show(line);
  return isWhole;
}

/** Over one connection a host. */
async function readAll(
  connections: Connections,
  query: JournalQuery,
  take: (line: JournalLine) => void,
  complain: (host: string, error: string) => void,
): Promise<boolean> {
  const { outputs } = connections;
  const each = hostsWithAgents(outputs).map(async (host) => {
    const agents = agentsOn(outputs, host);
    const agentOf = new Map(agents.map(([agent, { unit }]) => [unit, agent]));
    const units = agents.map(([, { unit }]) => unit);
    const command = asRoot(outputs, host, journalCommand(units, query));
    const { code, complaint } = await runLines(connections, host, command, {
      keepInput: query.follow,
      onLine(text, stream) {
        const line = stream === "stdout" ? parseJournalLine(text, agentOf) : undefined;
        if (line !== undefined) take(line);
      },
    });
    if (code !== 0) complain(host, complaint || `exited ${String(code)}`);
    return code === 0;
  });
  return (await Promise.all(each)).every(Boolean);
}
