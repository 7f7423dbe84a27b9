/**
 * A runtime on a host, once for all agents that use it:
 *   1. its archive is sent (or the host fetches it itself);
 *   2. the host checks its checksum and unpacks it to /opt/<service>/runtimes/<id>.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host";
import { remoteStep, upload, type LocalFile } from "../remote/step";
import { hostScript } from "./host-scripts";
import type { PinnedRuntime } from "./runtimes";

export interface RuntimeArgs {
  readonly host: Host;
  readonly service: string;
  readonly runtime: PinnedRuntime;
  /** The archive as a file here, to be sent; or the URL from which the host fetches it. */
  readonly from: { readonly file: LocalFile } | { readonly url: string };
  /** The host's set-up. */
  readonly after: pulumi.Resource;
}

const UNPACK_SECONDS = 900;

export class Runtime extends pulumi.ComponentResource {
  /** Done when the runtime is in place. */
  readonly done: pulumi.Resource;

  constructor(name: string, args: RuntimeArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:agent:Runtime", name, {}, options);
    const { host, runtime, service, from } = args;
    const { algorithm, hex } = runtime.checksum;
    const sent = `.agent-fleet-${runtime.id}-${hex.slice(0, 16)}.tgz`;
    const uploads =
      "file" in from
        ? [
            upload(
              `${name}-upload`,
              { on: host, file: from.file, remotePath: sent },
              { parent: this, dependsOn: [args.after] },
            ),
          ]
        : [];
    this.done = remoteStep(
      `${name}-unpack`,
      {
        on: host,
        run: hostScript(service, "unpack", [
          "runtime",
          runtime.id,
          `${algorithm}:${hex}`,
          "url" in from ? from.url : `~/${sent}`,
          ...("url" in runtime.from ? ["--executable", runtime.binary] : []),
        ]),
        timeoutSeconds: UNPACK_SECONDS,
      },
      { parent: this, dependsOn: [args.after, ...uploads] },
    );
    this.registerOutputs({});
  }
}
