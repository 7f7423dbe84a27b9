/**
 * A runtime on a host, once for all agents that use it:
 *   1. its archive is sent, or a word where the host's image has the runtime (or the host fetches it itself);
 *   2. the host checks its checksum and unpacks it to /opt/<service>/runtimes/<id>.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host";
import { remoteStep, upload, type LocalFile } from "../remote/step";
import { hostScript } from "./host-scripts";
import { offerAndUpload } from "./offer";
import type { PinnedRuntime } from "./runtimes";
import { runtimeWords } from "./unpack-words";

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
  /** The steps that send it; none where the host fetches it itself. */
  readonly uploads: readonly pulumi.Resource[];
  /** Done when the runtime is in place. */
  readonly done: pulumi.Resource;

  constructor(name: string, args: RuntimeArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:agent:Runtime", name, {}, options);
    const { host, runtime, service, from } = args;
    const sent = `.agent-fleet-${runtime.id}-${runtime.checksum.hex.slice(0, 16)}.tgz`;
    this.uploads = "file" in from ? [this.#send(name, args, from.file, sent)] : [];
    this.done = remoteStep(
      `${name}-unpack`,
      {
        on: host,
        run: hostScript(
          service,
          "unpack",
          runtimeWords(runtime, "url" in from ? from.url : `~/${sent}`),
        ),
        timeoutSeconds: UNPACK_SECONDS,
      },
      { parent: this, dependsOn: [args.after, ...this.uploads] },
    );
    this.registerOutputs({});
  }

  #send(
    name: string,
    { host, service, runtime, after }: RuntimeArgs,
    file: LocalFile,
    remotePath: string,
  ): pulumi.Resource {
    if (host.baked === undefined) {
      const options = { parent: this, dependsOn: [after] };
      return upload(`${name}-upload`, { on: host, file, remotePath }, options);
    }
    const offer = { host, service, kind: "runtime", id: runtime.id, after: [after] } as const;
    return offerAndUpload(name, { ...offer, file, remotePath }, this);
  }
}
