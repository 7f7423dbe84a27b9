/**
 * A unit that a profile brings beside its agents', such as BuildKit's daemon, once on a host:
 *   1. its program is sent (or the host fetches it itself), checked, and unpacked beside the runtimes;
 *   2. the unit is installed and started, and has to stay up; one that does not is taken back.
 * It runs before any agent of the service is touched, and is restarted only where it is another one. On delete, after
 * the last agent of the service, it is stopped and removed.
 */
import * as pulumi from "@pulumi/pulumi";
import { remoteStep } from "../remote/step";
import { hostScript, hostScriptIfThere } from "./host-scripts";
import { Runtime, type RuntimeArgs } from "./runtime";

/** Beside what its program needs, which comes as a runtime does. */
export interface ExtraUnitArgs extends RuntimeArgs {
  /** Name of the unit, without `.service`. */
  readonly unit: string;
  /** Its text. */
  readonly text: string;
}

/** The old one may take its time to stop; the new one has to stay up. */
const START_SECONDS = 240;

export class ExtraUnit extends pulumi.ComponentResource {
  /** Done when the unit runs. */
  readonly done: pulumi.Resource;

  constructor(name: string, args: ExtraUnitArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:agent:ExtraUnit", name, {}, options);
    const { host, service, runtime, unit, text: stdin } = args;
    const program = new Runtime(`${name}-program`, args, { parent: this });
    this.done = remoteStep(
      `${name}-unit`,
      {
        on: host,
        run: hostScript(service, "bring-unit", [unit, runtime.id, host.name]),
        undo: hostScriptIfThere(service, "uninstall", ["unit", unit, host.name]),
        stdin,
        timeoutSeconds: START_SECONDS,
      },
      { parent: this, dependsOn: [args.after, program.done] },
    );
    this.registerOutputs({});
  }
}
