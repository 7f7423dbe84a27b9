/**
 * A program that the agents of a service find on their PATH, such as Railpack, once on a host:
 *   1. it is sent (or the host fetches it itself), checked, and unpacked beside the runtimes;
 *   2. a link of its name leads there, so that another version of it is another link and no other unit.
 * It is there before any agent of the service is touched, and restarts none. On delete, after the last agent of the
 * service, the link is removed.
 */
import * as pulumi from "@pulumi/pulumi";
import { remoteStep } from "../remote/step";
import { hostScript, hostScriptIfThere } from "./host-scripts";
import { Runtime, type RuntimeArgs } from "./runtime";

/** Beside what the program needs, which comes as a runtime does. */
export interface ToolArgs extends RuntimeArgs {
  /** Name of its executable. */
  readonly tool: string;
}

const LINK_SECONDS = 60;

export class Tool extends pulumi.ComponentResource {
  /** Done when the agents find it. */
  readonly done: pulumi.Resource;

  constructor(name: string, args: ToolArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:agent:Tool", name, {}, options);
    const { host, service, runtime, tool } = args;
    const program = new Runtime(`${name}-program`, args, { parent: this });
    this.done = remoteStep(
      `${name}-link`,
      {
        on: host,
        run: hostScript(service, "bring-tool", [tool, runtime.id, host.name]),
        undo: hostScriptIfThere(service, "uninstall", ["tool", tool, host.name]),
        timeoutSeconds: LINK_SECONDS,
      },
      { parent: this, dependsOn: [args.after, program.done] },
    );
    this.registerOutputs({});
  }
}
