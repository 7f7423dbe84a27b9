/** Sends the archive of a runtime or a release, or a word to a host that has it already. */
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host";
import { remoteStep, upload, type LocalFile } from "../remote/step";
import { hostFolder, hostScript } from "./host-scripts";

export interface OfferArgs {
  readonly host: Host;
  readonly service: string;
  readonly kind: "runtime" | "release";
  readonly id: string;
  readonly file: LocalFile;
  /** Where it is sent to; see `upload`. */
  readonly remotePath: string;
  readonly after: readonly pulumi.Resource[];
}

const OFFER_SECONDS = 960;

/** The upload; a host whose image has nothing in it is not asked for its first one. */
export function offerAndUpload(
  name: string,
  { host, service, kind, id, file, remotePath, after }: OfferArgs,
  parent: pulumi.Resource,
): pulumi.Resource {
  const offered = remoteStep(
    `${name}-offer`,
    {
      on: host,
      run: hostScript(service, "offer", [kind, id]),
      onlyOnChange: host.baked === undefined,
      timeoutSeconds: OFFER_SECONDS,
    },
    { parent, dependsOn: after },
  );
  const isThere = pulumi.unsecret(offered.stdout).apply((answer) => /^here\s*$/.test(answer));
  const isExpected = host.baked?.includes(hostFolder(service, kind, id)) ?? false;
  return upload(
    `${name}-upload`,
    { on: host, file, remotePath, isThere, isExpected },
    { parent, dependsOn: [offered] },
  );
}
