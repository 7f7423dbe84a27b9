import { askAgents, CONNECTED, isWell } from "../agent-status";
import type { AgentStatus } from "../agent-status";
import { chosen } from "../chosen";
import { withConnections } from "../connect";
import type { Context } from "../context";
import { engineFor } from "../pulumi";
import { print } from "../say";
import { readStackFile } from "../stack-file";
import { table } from "../table";

/** From one answer to the next question, in ms. */
const WATCH_MS = 5000;

/** Asks every host at once. Exit code 0 if each agent is available, full or disabled, else 1. */
export async function run(context: Context): Promise<number> {
  const { stack, options } = context;
  const isWatched = options["watch"] === true;
  const engine = await engineFor(readStackFile(stack));
  return await withConnections(
    engine,
    stack,
    async (all) => {
      const connections = chosen(all, context);
      for (;;) {
        const agents = await askAgents(connections);
        const asJson = options["json"] === true;
        // Of many answers each is a line, so that a program knows where one ends.
        const text = asJson
          ? JSON.stringify(agents, null, isWatched ? 0 : 2)
          : render(agents, stack);
        if (!isWatched) {
          print(text);
          return agents.every(isWell) ? 0 : 1;
        }
        const isScreen = process.stdout.isTTY && !asJson;
        print(isScreen ? `${CLEAR}${watchLine(stack)}\n\n${text}` : text);
        // Ctrl-C ends the program here, and the connections with it.
        await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
      }
    },
    { staysOpen: isWatched },
  );
}

/** To the upper left corner, and nothing below it. */
const CLEAR = "\u001b[H\u001b[J";

function watchLine(stack: string): string {
  const time = new Date().toISOString().slice(11, 19);
  return `stack ${stack} at ${time} UTC, every ${String(WATCH_MS / 1000)} s; Ctrl-C ends`;
}

export function render(agents: readonly AgentStatus[], stack: string): string {
  if (agents.length === 0)
    return `stack ${stack} has no agents here; bring it up with: ./fleet up -s ${stack}`;
  const rows = agents.map((each) => [
    each.agent,
    each.host,
    each.state,
    String(each.jobs ?? ""),
    each.release.slice(0, 12),
    each.since,
    String(each.restarts ?? ""),
    each.memory === null ? "" : `${String(Math.round(each.memory / 2 ** 20))} MiB`,
    each.diskFree === null ? "" : `${String(each.diskFree)}% free`,
    each.tunnel === null || each.tunnel === CONNECTED ? (each.tunnel ?? "") : "down",
  ]);
  const reasons = agents.flatMap(({ host, reason }) =>
    reason === undefined ? [] : [`${host}: ${reason}`],
  );
  const failures = agents.flatMap(({ agent, failed }) =>
    failed === undefined ? [] : [`${agent}: ${failed}`],
  );
  return [table(HEADING, rows), ...new Set(reasons), ...failures].join("\n");
}

const HEADING = "agent host state jobs release since restarts memory disk tunnel".split(" ");
