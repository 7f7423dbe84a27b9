import { withConnections } from "../connect";
import type { Connections } from "../connect";
import type { Context } from "../context";
import { checkNames, prefixes } from "../names";
import { engineFor } from "../pulumi";
import { runLines } from "../remote-lines";
import { Failure, print, say } from "../say";
import { readStackFile } from "../stack-file";

/** Gives the highest of the hosts' exit codes; 255 where one is not reached. */
export async function run({ stack, args, behind, options }: Context): Promise<number> {
  const hosts = [...new Set(args.slice(0, args.length - behind.length))];
  if (hosts.length === 0 || behind.length === 0) {
    throw new Failure("exec: which hosts, and what? ./fleet exec vm-1 vm-2 -- uptime");
  }
  const engine = await engineFor(readStackFile(stack));
  return await withConnections(engine, stack, async (connections) => {
    // Before any of them is asked.
    checkNames("host", hosts, Object.keys(connections.outputs.hosts), stack);
    return await execOn(connections, hosts, behind.join(" "), options["json"] === true);
  });
}

/**
 * One command on these hosts at once, as the user who logs in there; each line with its host's name. As JSON, each line
 * is an object on stdout, and so is each exit code.
 */
export async function execOn(
  connections: Connections,
  hosts: readonly string[],
  command: string,
  asJson: boolean,
): Promise<number> {
  const names = prefixes(hosts);
  const all = hosts.map(async (host) => {
    const name = names.get(host) ?? "";
    const { code } = await runLines(connections, host, command, {
      onLine: (line, stream) => {
        if (asJson) print(JSON.stringify({ host, stream, line }));
        else (stream === "stdout" ? print : say)(name + line);
      },
    });
    if (asJson) print(JSON.stringify({ host, exitCode: code }));
    else if (code !== 0) say(`${name}exited ${String(code)}`);
    return code;
  });
  return Math.max(...(await Promise.all(all)));
}
