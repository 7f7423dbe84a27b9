import * as pulumi from "@pulumi/pulumi";
import type { FleetSettings } from "../../stacks/fleet-settings";
import { buildFleet } from "../../stacks/fleet";
import type { FleetOutputs } from "../../stacks/outputs";

/** What the mocks do not tell of the resources that were registered. */
export interface Seen {
  readonly options: Map<string, pulumi.ResourceOptions>;
  readonly names: Map<unknown, string>;
}

/** Builds the fleet under the mocks that the caller has set. */
export async function runStack(
  settings: FleetSettings,
  root: string,
  { options, names }: Seen,
): Promise<FleetOutputs> {
  let outputs: FleetOutputs | undefined;
  await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ name, opts, resource }) => {
      options.set(name, opts);
      names.set(resource, name);
      return undefined;
    });
    outputs = await buildFleet(settings, root);
  });
  await pulumi.runtime.disconnect();
  if (outputs === undefined) throw new Error("the fleet was not built");
  return outputs;
}
