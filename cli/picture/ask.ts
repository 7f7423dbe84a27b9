import { askAgents } from "../agent-status";
import { hostsWithAgents } from "../ask";
import { chosen } from "../chosen";
import { withConnections } from "../connect";
import type { Context } from "../context";
import { engineFor } from "../pulumi";
import { Failure } from "../say";
import { readStackFile } from "../stack-file";
import { pictureOf } from "./facts";
import type { Picture } from "./facts";

/** Asks the hosts, each within its deadline. Of a part of the fleet only the hosts that have it are drawn. */
export async function askPicture(context: Context): Promise<Picture> {
  const { stack, args, options } = context;
  const engine = await engineFor(readStackFile(stack));
  return await withConnections(engine, stack, async (all) => {
    const connections = chosen(all, context);
    const { outputs } = connections;
    const isWhole = args.length === 0 && options["host"] === undefined;
    const hosts = isWhole ? Object.keys(outputs.hosts) : hostsWithAgents(outputs);
    if (hosts.length === 0) {
      throw new Failure(
        isWhole
          ? `stack ${stack} has no agents here; bring it up with: ./fleet up -s ${stack}`
          : `--host: got hosts of stack ${stack} without agents, expected at least one with an agent; name others, or leave it out`,
      );
    }
    const statuses = await askAgents(connections);
    return pictureOf(stack, new Date(), outputs, hosts, statuses);
  });
}
