import { askHost, hostsWithAgents, rootCommand } from "./ask";
import { withConnections } from "./connect";
import type { Connections } from "./connect";
import type { Engine } from "./pulumi";
import { say } from "./say";

/** How long the hosts' note counts, in s, should this run be cut off before it takes it away. */
const AT_MOST_SECONDS = 3600;
const DEADLINE_MS = 20_000;

/**
 * Runs `action` while agents are stopped without waiting for their jobs. The hosts are told by a note of their own,
 * not by the plan, so that nothing looks changed; a wait that is going on ends too.
 */
export async function withoutDrain<T>(
  engine: Engine,
  stack: string,
  action: () => Promise<T>,
): Promise<T> {
  await tell(engine, stack, String(AT_MOST_SECONDS));
  try {
    return await action();
  } finally {
    await tell(engine, stack, "off");
  }
}

async function tell(engine: Engine, stack: string, word: string): Promise<void> {
  await withConnections(engine, stack, async (connections) => {
    await Promise.all(
      hostsWithAgents(connections.outputs).map((host) => tellHost(connections, host, word)),
    );
  });
}

async function tellHost(connections: Connections, host: string, word: string): Promise<void> {
  const command = rootCommand(connections.outputs, host, "no-drain", [word]);
  const { reason } = await askHost(connections, host, command, DEADLINE_MS);
  if (reason !== undefined) say(`${host}: could not be told --no-drain ${word}: ${reason}`);
}
